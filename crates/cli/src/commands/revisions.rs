//! `holdfast apply` and `holdfast revisions`: changes of the fleet without a restart.

use holdfast_client::{Listed, Server};
use holdfast_config::{Fleet, FleetText, Secrets};
use holdfast_control::Error;
use holdfast_control::revisions::{
    Change, FleetDiff, Order, Proposal, RevisionView, compare, lines, list, show,
};
use holdfast_store::{Mode, RevisionHead};
use serde::Serialize;

use crate::args::{ApplyArgs, RevisionOptions, RevisionsCommand};
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, age};
use crate::place::Request;
use crate::runtime::backends::Backends;

/// Digits of a hash in a table.
const HASH_DIGITS: usize = 12;

/// What was proposed, and the revision that it became.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    proposal: &'a Proposal,
    revision: Option<&'a RevisionHead>,
}

/// Where revisions are made.
enum Maker {
    /// In the store of the options; the fleet of the file counts while there is no revision.
    Here(Box<(Backends, Option<Fleet>)>),
    /// By a server.
    There(Box<Server>),
}

impl Maker {
    async fn open(context: &Context) -> anyhow::Result<Self> {
        if let Some(server) = context.server()? {
            return Ok(Self::There(Box::new(server)));
        }
        // Without the file that the processes work by, the apps of the store are compared.
        let running = holdfast_config::check(&context.global.fleet, Secrets::Leave, context.clock.now()).ok();
        let running = running.and_then(|checked| checked.fleet);
        Ok(Self::Here(Box::new((Backends::open_beside(context).await?, running))))
    }

    async fn propose(&self, change: &Change) -> Result<Proposal, Error> {
        match self {
            Self::Here(here) => change.propose(&*here.0.store, here.1.as_ref()).await,
            Self::There(server) => server.propose_revision(change).await,
        }
    }

    async fn append(
        &self,
        (change, proposal): (&Change, &Proposal),
        options: &RevisionOptions,
        context: &Context,
    ) -> Result<RevisionHead, Error> {
        let RevisionOptions { reason, allow_removals, .. } = options.clone();
        let order = Order { actor: context.actor(), reason, allowed_removals: allow_removals };
        match self {
            Self::Here(here) => proposal.append(&*here.0.store, &order, &mut context.rng()).await,
            Self::There(server) => server.append_revision(change, proposal, &order).await,
        }
    }

    async fn close(self) {
        if let Self::Here(here) = self {
            here.0.store.close().await;
        }
    }
}

/// Runs `holdfast apply`.
pub async fn apply(args: &ApplyArgs, context: &Context) -> anyhow::Result<Exit> {
    let text = FleetText::read(args.file.as_ref().unwrap_or(&context.global.fleet))?;
    change(&Change::Text(text), &args.options, context).await
}

/// Runs `holdfast revisions`.
pub async fn run(command: &RevisionsCommand, context: &Context) -> anyhow::Result<Exit> {
    match *command {
        RevisionsCommand::Rollback { number, ref options } => {
            return change(&Change::Rollback(number), options, context).await;
        }
        RevisionsCommand::List => {
            let Listed { as_of, value } = context.ask(&ListRevisions).await?;
            context.out.show(&value, || {
                if value.is_empty() {
                    return "no revision yet: each process works by its fleet file until `holdfast apply`"
                        .into();
                }
                table(&value, as_of).into()
            })?;
        }
        RevisionsCommand::Show { number } => {
            let revision = context.ask(&ShowRevision(number)).await?;
            context.out.show(&revision, || revision.text.trim_end().to_owned().into())?;
        }
        RevisionsCommand::Diff { from, to } => {
            let diff = context.ask(&CompareRevisions(from, to)).await?;
            context.out.show(&diff, || told(&lines(&diff)).into())?;
        }
    }
    Ok(Exit::Done)
}

/// Shows what a change does, asks, and makes it a revision.
async fn change(change: &Change, options: &RevisionOptions, context: &Context) -> anyhow::Result<Exit> {
    let maker = Maker::open(context).await?;
    let proposal = maker.propose(change).await?;
    let is_document = context.out.is_document();
    if !is_document {
        context.out.text(&told(&lines(&proposal.diff)))?;
    }
    if options.dry_run || proposal.is_in_force {
        maker.close().await;
        if is_document {
            context.out.document(&Document { proposal: &proposal, revision: None })?;
        } else if proposal.is_in_force {
            context.out.message("this is the newest revision already");
        }
        return Ok(Exit::Done);
    }
    proposal.check_removals(options.allow_removals)?;
    confirm::agreed("Make this the newest revision, which every process takes up?", options.yes, context)?;
    let head = maker.append((change, &proposal), options, context).await?;
    maker.close().await;
    context.out.show(&Document { proposal: &proposal, revision: Some(&head) }, || {
        let number = head.number;
        format!("revision {number} is made; processes take it up within seconds, and `holdfast status` names those that do not").into()
    })?;
    Ok(Exit::Done)
}

/// The revisions there are.
struct ListRevisions;

impl Request for ListRevisions {
    type Answer = Listed<RevisionHead>;

    async fn here(&self, context: &Context) -> anyhow::Result<Self::Answer> {
        let store = context.store(Mode::Read).await?;
        let found = Listed { as_of: store.now().await?, value: list(&*store).await? };
        store.close().await;
        Ok(found)
    }

    async fn there(&self, server: &Server) -> Result<Self::Answer, Error> {
        server.revisions().await
    }
}

/// One revision, by its number.
struct ShowRevision(u64);

impl Request for ShowRevision {
    type Answer = RevisionView;

    async fn here(&self, context: &Context) -> anyhow::Result<RevisionView> {
        let store = context.store(Mode::Read).await?;
        let found = show(&*store, self.0).await?;
        store.close().await;
        Ok(found)
    }

    async fn there(&self, server: &Server) -> Result<RevisionView, Error> {
        server.revision(self.0).await
    }
}

/// What a revision, the second, changes beside another.
struct CompareRevisions(u64, u64);

impl Request for CompareRevisions {
    type Answer = FleetDiff;

    async fn here(&self, context: &Context) -> anyhow::Result<FleetDiff> {
        let store = context.store(Mode::Read).await?;
        let found = compare(&*store, self.0, self.1).await?;
        store.close().await;
        Ok(found)
    }

    async fn there(&self, server: &Server) -> Result<FleetDiff, Error> {
        server.compare_revisions(self.0, self.1).await
    }
}

fn told(lines: &[String]) -> String {
    if lines.is_empty() { "nothing changes for the fleet".to_owned() } else { lines.join("\n") }
}

fn table(revisions: &[RevisionHead], now: holdfast_model::Timestamp) -> Table {
    let mut table = Table::new(["REVISION", "MADE", "BY", "ROLLBACK TO", "SHA-256", "REASON"]);
    for RevisionHead { number, sha256, at, by, reason, rolled_back_to } in revisions {
        table.row([
            number.to_string().into(),
            age(*at, now).into(),
            by.to_string().into(),
            Cell::or_dash(rolled_back_to.map(|number| number.to_string())),
            sha256.get(..HASH_DIGITS).unwrap_or(sha256).into(),
            reason.as_str().into(),
        ]);
    }
    table
}
