//! `holdfast apply` and `holdfast revisions`: changes of the fleet without a restart.

use holdfast_config::{FleetText, Secrets};
use holdfast_control::revisions::{Order, Proposal, compare, lines, list, propose, propose_rollback, show};
use holdfast_store::{Mode, RevisionHead, Store};
use serde::Serialize;

use crate::args::{ApplyArgs, RevisionOptions, RevisionsCommand};
use crate::confirm;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, age};
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

/// Runs `holdfast apply`.
pub async fn apply(args: &ApplyArgs, context: &Context) -> anyhow::Result<Exit> {
    let text = FleetText::read(args.file.as_ref().unwrap_or(&context.global.fleet))?;
    // Without the file that the processes work by, the apps of the store are compared.
    let running = holdfast_config::check(&context.global.fleet, Secrets::Leave, context.clock.now()).ok();
    let running = running.and_then(|checked| checked.fleet);
    let Backends { store, lock: _lock, .. } = Backends::open_beside(context).await?;
    let proposal = propose(&*store, running.as_ref(), text).await?;
    settle(&proposal, &args.options, &*store, context).await
}

/// Runs `holdfast revisions`.
pub async fn run(command: &RevisionsCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        RevisionsCommand::Rollback { number, options } => {
            let Backends { store, lock: _lock, .. } = Backends::open_beside(context).await?;
            let proposal = propose_rollback(&*store, *number).await?;
            return settle(&proposal, options, &*store, context).await;
        }
        RevisionsCommand::List => {
            let store = context.store(Mode::Read).await?;
            let (revisions, now) = (list(&*store).await?, store.now().await?);
            store.close().await;
            context.out.show(&revisions, || {
                if revisions.is_empty() {
                    return "no revision yet: each process works by its fleet file until `holdfast apply`"
                        .into();
                }
                table(&revisions, now).into()
            })?;
        }
        RevisionsCommand::Show { number } => {
            let store = context.store(Mode::Read).await?;
            let revision = show(&*store, *number).await?;
            store.close().await;
            context.out.show(&revision, || revision.text.trim_end().to_owned().into())?;
        }
        RevisionsCommand::Diff { from, to } => {
            let store = context.store(Mode::Read).await?;
            let diff = compare(&*store, *from, *to).await?;
            store.close().await;
            context.out.show(&diff, || told(&lines(&diff)).into())?;
        }
    }
    Ok(Exit::Done)
}

/// Shows what a proposal changes, asks, and makes it a revision.
async fn settle(
    proposal: &Proposal,
    options: &RevisionOptions,
    store: &dyn Store,
    context: &Context,
) -> anyhow::Result<Exit> {
    let is_document = context.out.is_document();
    if !is_document {
        context.out.text(&told(&lines(&proposal.diff)))?;
    }
    if options.dry_run || proposal.is_in_force {
        store.close().await;
        if is_document {
            context.out.document(&Document { proposal, revision: None })?;
        } else if proposal.is_in_force {
            context.out.message("this is the newest revision already");
        }
        return Ok(Exit::Done);
    }
    proposal.check_removals(options.allow_removals)?;
    confirm::agreed("Make this the newest revision, which every process takes up?", options.yes, context)?;
    let order = Order {
        actor: context.actor(),
        reason: options.reason.clone(),
        allowed_removals: options.allow_removals,
    };
    let head = proposal.append(store, &order, &mut context.rng()).await?;
    store.close().await;
    context.out.show(&Document { proposal, revision: Some(&head) }, || {
        let number = head.number;
        format!("revision {number} is made; processes take it up within seconds, and `holdfast status` names those that do not").into()
    })?;
    Ok(Exit::Done)
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
