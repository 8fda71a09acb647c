//! What every command is given.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_arm::{Arm, NoopCallObserver};
use holdfast_config::{Fleet, Invalid, Secrets, summary};
use holdfast_control::{AppResolver, ControlContext, Error, ErrorKind, Notify, app_resolver};
use holdfast_model::{App, AppId, Clock};
use holdfast_storage::SecretRef;
use holdfast_store::{Mode, PgStore, SqliteStore, Store};
use secrecy::SecretString;

use crate::args::Global;
use crate::output::Output;
use crate::runtime::clouds::clouds;
use crate::runtime::engine::storages;
use holdfast_telemetry::Telemetry;

/// What every command is given.
#[derive(Debug)]
pub struct Context {
    /// What all commands have on their command line.
    pub global: Global,
    /// Where results go.
    pub out: Output,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is told of the work.
    pub telemetry: Telemetry,
}

impl Context {
    /// On the given clock.
    pub fn new(global: Global, clock: Arc<dyn Clock>, telemetry: Telemetry) -> Self {
        let out = Output::new(&global);
        Self { global, out, clock, telemetry }
    }

    /// The fleet, with its secrets tried. That there are warnings is told on stderr, and which storage's SAS has lapsed;
    /// errors, all of them, are the answer.
    pub fn fleet(&self) -> anyhow::Result<Fleet> {
        self.fleet_with(Secrets::Read)
    }

    /// The fleet, for commands that say themselves whether they need secrets.
    pub fn fleet_with(&self, secrets: Secrets) -> anyhow::Result<Fleet> {
        let checked = holdfast_config::check(&self.global.fleet, secrets, self.clock.now())?;
        let Some(fleet) = checked.fleet else { return Err(Invalid(checked.problems).into()) };
        if !checked.problems.is_empty() {
            let (file, count) = (self.global.fleet.display(), summary(&checked.problems));
            self.out.message(&format!("{file} has {count}: see `holdfast config check`"));
        }
        for lapsed in checked.lapsed {
            self.out.message(&lapsed.to_string());
        }
        Ok(fleet)
    }

    /// The store: the database that was named, else the file.
    pub async fn store(&self, mode: Mode) -> anyhow::Result<Arc<dyn Store>> {
        if let Some(url) = &self.global.database_url {
            return Ok(Arc::new(PgStore::connect(&secret_url(url)?, mode).await?));
        }
        Ok(Arc::new(SqliteStore::open(&self.global.store, Arc::clone(&self.clock), mode).await?))
    }

    /// What the store is called in messages. A database's URL is shown to nobody.
    pub fn place(&self) -> String {
        match self.global.database_url {
            Some(_) => "the database".to_owned(),
            None => format!("the store {}", self.global.store.display()),
        }
    }

    /// The app of the store that `text` names.
    pub async fn app_in(&self, store: &dyn Store, text: &str) -> anyhow::Result<AppId> {
        Ok(app_resolver::in_store(store, text).await?)
    }

    /// The client of ARM for a command that asks once. Reads the credentials' secrets; asks Azure nothing.
    pub fn azure(&self, fleet: &Fleet) -> anyhow::Result<Arc<dyn Arm>> {
        let observer = Arc::new(NoopCallObserver) as _;
        Ok(Arc::new(clouds(fleet, &self.clock, &observer, &mut self.rng())?))
    }

    /// Everything that a request works with. Reads secrets; asks Azure nothing.
    pub async fn control<'a>(
        &self,
        fleet: &'a Fleet,
        store: &'a dyn Store,
    ) -> anyhow::Result<ControlContext<'a>> {
        let arm = self.azure(fleet)?;
        let storage = storages(fleet, &self.clock, self.rng())?;
        let (now, actor) = (store.now().await?, self.actor());
        Ok(ControlContext { fleet, store, arm, storage, now, actor, notify: self.notify() })
    }

    /// The apps of the fleet with these names.
    pub async fn apps(&self, names: &[String], fleet: &Fleet, store: &dyn Store) -> anyhow::Result<Vec<App>> {
        let (arm, notify) = (&self.azure(fleet)?, &self.notify());
        Ok(AppResolver { fleet, store, arm, notify }.named(names).await?)
    }

    /// Every app of the fleet.
    pub async fn all_apps(&self, fleet: &Fleet, store: &dyn Store) -> anyhow::Result<BTreeMap<AppId, App>> {
        let (arm, notify) = (&self.azure(fleet)?, &self.notify());
        Ok(AppResolver { fleet, store, arm, notify }.all().await?)
    }

    fn notify(&self) -> Notify {
        let out = self.out.clone();
        Arc::new(move |text: &str| out.message(text))
    }

    /// Who asks, for the audit: `--actor`, else whoever is logged in, else the number of the user that the process runs as.
    pub fn actor(&self) -> String {
        let logged_in = || {
            ["SUDO_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok())
        };
        let by = self.global.actor.clone().or_else(logged_in);
        by.filter(|by| !by.trim().is_empty()).or_else(user_number).unwrap_or_else(|| "unknown".to_owned())
    }

    /// Randomness for what must differ from process to process: request ids, run ids, pauses.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    #[expect(clippy::unused_self, reason = "callers are handed randomness as they are handed time")]
    pub fn rng(&self) -> fastrand::Rng {
        fastrand::Rng::new()
    }
}

/// As in a container, where nobody is logged in. The system tells it as the owner of what it shows of the process.
fn user_number() -> Option<String> {
    #[cfg(unix)]
    let owner = std::fs::metadata("/proc/self").ok().map(|own| std::os::unix::fs::MetadataExt::uid(&own));
    #[cfg(not(unix))]
    let owner: Option<u32> = None;
    owner.map(|number| format!("uid {number}"))
}

/// A URL with a password in it: the text itself, or what `env:NAME` or `file:PATH` holds.
pub fn secret_url(text: &str) -> Result<SecretString, Error> {
    match text.parse::<SecretRef>() {
        Ok(reference) => reference.read().map_err(|error| Error::new(ErrorKind::Invalid, error.to_string())),
        Err(_) => Ok(SecretString::from(text)),
    }
}
