//! `holdfast audit export`: events of the audit as lines, which can be signed.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use holdfast_client::Server;
use holdfast_control::audit::{ExportFilter, ExportPart, PartPlace, SigningKey, export, export_part};
use holdfast_control::selector::Selector;
use holdfast_control::views::audit_page::AuditQuery;
use holdfast_control::{Error, ErrorKind, counted};
use holdfast_model::AppId;
use holdfast_store::{Mode, Store};

use crate::args::ExportArgs;
use crate::commands::signing::signing_key;
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Runs the command.
pub async fn run(args: &ExportArgs, context: &Context) -> anyhow::Result<Exit> {
    let filter = filter(args, context).await?;
    let mut to = Output::new(args.to.clone())?;
    let (count, how) = if let Some(server) = context.server()? {
        if args.key.is_some() {
            let error = Error::new(ErrorKind::Invalid, "a server signs with the key of its own fleet file");
            return Err(error.help("leave --key out").into());
        }
        (signed(&Signer::There(Box::new(server)), &filter, &mut to).await?, " and their signatures")
    } else {
        let store = context.store(Mode::Read).await?;
        let count = here(args, &store, &filter, (&mut to, context)).await;
        store.close().await;
        (count?, if signs(args) { " and their signatures" } else { "" })
    };
    if let Some(path) = to.close()? {
        context.out.message(&format!("wrote {}{how} to {}", counted(count, "event"), path.display()));
    }
    Ok(Exit::Done)
}

fn signs(args: &ExportArgs) -> bool {
    args.sign || args.key.is_some()
}

/// Exports the audit of the store here.
async fn here(
    args: &ExportArgs,
    store: &Arc<dyn Store>,
    filter: &ExportFilter,
    (to, context): (&mut Output, &Context),
) -> anyhow::Result<u64> {
    if !signs(args) {
        return export(&**store, filter, |line| to.write(&format!("{line}\n"))).await;
    }
    let key = signing_key(args.key.as_ref(), context)?.ok_or_else(|| {
        Error::new(ErrorKind::Invalid, "there is no key to sign with")
            .help("give --key, which `holdfast audit keygen` makes, or add `checkpoint` to [audit] of the fleet file")
    })?;
    signed(&Signer::Here(Arc::clone(store), Box::new(key)), filter, to).await
}

/// Who makes and signs the parts.
enum Signer {
    Here(Arc<dyn Store>, Box<SigningKey>),
    There(Box<Server>),
}

impl Signer {
    async fn part(&self, filter: &ExportFilter, place: Option<PartPlace>) -> Result<ExportPart, Error> {
        match self {
            Self::Here(store, key) => export_part(&**store, filter, place, key).await,
            Self::There(server) => server.export_part(filter, place.as_ref()).await,
        }
    }
}

/// Writes part after part, so that none but the current one is in memory. Returns the number of events.
async fn signed(signer: &Signer, filter: &ExportFilter, to: &mut Output) -> anyhow::Result<u64> {
    let (mut place, mut count) = (None, 0);
    loop {
        let ExportPart { text, next } = signer.part(filter, place).await?;
        to.write(&text)?;
        count += u64::try_from(text.lines().count())?.saturating_sub(1);
        place = next;
        if place.is_none() {
            return Ok(count);
        }
    }
}

async fn filter(args: &ExportArgs, context: &Context) -> anyhow::Result<ExportFilter> {
    let ExportArgs { acts, person, app, kind, .. } = args;
    let app = match app {
        Some(name) => Some(app_of(name, context).await?),
        None => None,
    };
    let query = AuditQuery { person: person.clone(), app, kind: kind.clone(), after: None };
    Ok(ExportFilter { acts: *acts, query })
}

/// The app of an ARM id, which may have left the fleet, or of a name.
async fn app_of(name: &str, context: &Context) -> anyhow::Result<AppId> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let selector = Selector { names: vec![name.to_owned()], ..Selector::default() };
    let found = context.ask(&selector).await?.apps.into_iter().next();
    Ok(found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no app is called `{name}`")))?)
}

/// A new file, or the standard output.
struct Output(Option<(BufWriter<File>, PathBuf)>);

impl Output {
    fn new(path: Option<PathBuf>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self(None)) };
        let created = File::create_new(&path);
        let file = created.with_context(|| format!("failed to write the new file {}", path.display()))?;
        Ok(Self(Some((BufWriter::new(file), path))))
    }

    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        match &mut self.0 {
            Some((file, path)) => {
                file.write_all(text.as_bytes()).with_context(|| format!("failed to write {}", path.display()))
            }
            None => Ok(output::write_line(text.strip_suffix('\n').unwrap_or(text))?),
        }
    }

    /// Waits until the file is on the disk, and returns its path.
    fn close(self) -> anyhow::Result<Option<PathBuf>> {
        let Some((file, path)) = self.0 else { return Ok(None) };
        let written = file.into_inner().map_err(IntoInnerError::into_error).and_then(|file| file.sync_all());
        written.with_context(|| format!("failed to write {}", path.display()))?;
        Ok(Some(path))
    }
}
