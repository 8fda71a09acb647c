//! `holdfast status`: the status of every app.

use std::time::Duration;

use holdfast_client::Server;
use holdfast_control::Error;
use holdfast_control::status::{FleetStatus, NamedStatus, findings, status};
use holdfast_control::status_waits::{missed_since_good, wait_cause, waits, waits_too_long};
use holdfast_model::{Outcome, RunKind, Timestamp, Verification};
use holdfast_store::{AppStatus, LastRun, Mode, Running};
use tokio_util::sync::CancellationToken;

use crate::args::StatusArgs;
use crate::commands::outcome::outcome_cell;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age, until};
use crate::place::Request;
use crate::runtime::signals::stop_on_signal;

/// Runs the command.
pub async fn run(args: &StatusArgs, context: &Context) -> anyhow::Result<Exit> {
    match args.watch {
        None => show(args, context).await?,
        Some(seconds) => watch(args, Duration::from_secs(seconds), context).await?,
    }
    Ok(Exit::Done)
}

/// Shows it until a signal.
async fn watch(args: &StatusArgs, pause: Duration, context: &Context) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    while !stop.is_cancelled() {
        context.out.clear()?;
        show(args, context).await?;
        let _ = tokio::time::timeout(pause, stop.cancelled()).await;
    }
    stopper.abort();
    Ok(())
}

async fn show(args: &StatusArgs, context: &Context) -> anyhow::Result<()> {
    let status = context.ask(args).await?;
    let notes = status.notes();
    context.out.show(&status, || match (status.is_empty, status.apps.is_empty()) {
        (true, _) => "no apps yet: `holdfast run` adds the apps of the fleet".into(),
        (false, true) if notes.is_empty() => "no app needs attention".into(),
        (false, true) => "no app needs attention, but:".into(),
        (false, false) => table(&status).into(),
    })?;
    if !context.out.is_document() && !notes.is_empty() {
        context.out.text(&notes.join("\n"))?;
    }
    Ok(())
}

impl Request for StatusArgs {
    type Answer = FleetStatus;

    async fn here(&self, context: &Context) -> anyhow::Result<FleetStatus> {
        let store = context.store(Mode::Read).await?;
        let status = status(&*store, self.problems).await?;
        store.close().await;
        Ok(status)
    }

    async fn there(&self, server: &Server) -> Result<FleetStatus, Error> {
        server.status(self.problems).await
    }
}

fn table(fleet: &FleetStatus) -> Table {
    let now = fleet.now;
    let mut table = Table::new(["APP", "POLICY", "NOW", "LAST RUN", "ENDED", "LATEST GOOD", "NEXT"]);
    for NamedStatus { name, status } in &fleet.apps {
        let policy = match (&status.policy, status.removed) {
            (_, true) => Cell::from("removed"),
            (Some(policy), false) => Cell::from(policy.as_str()),
            (None, false) => Cell::toned("none", Tone::Warn),
        };
        let good = status.last_good_at.map_or_else(|| "never".to_owned(), |at| age(at, now));
        let good = if status.past_objective { format!("{good} (too old)") } else { good };
        let found = findings(&status.check);
        let is_bad = status.past_objective || !found.is_empty();
        let good = [good].into_iter().chain(found).collect::<Vec<_>>().join(", ");
        let good = if is_bad { Cell::toned(good, Tone::Bad) } else { Cell::from(good) };
        let (last_run, ended) = last_cells(status, now);
        table.row([
            name.as_str().into(),
            policy,
            status.running.map_or_else(|| "-".into(), |running| running_cell(running, now)),
            last_run,
            ended,
            good,
            Cell::or_dash(status.next_tick.map(|tick| until(tick, now))),
        ]);
    }
    table
}

/// The state of a run, with its kind unless it is a backup. Of a run that waits: why, for how long, and its next try.
fn running_cell(running: Running, now: Timestamp) -> Cell {
    let Running { kind, state, since, next_try, .. } = running;
    let state = if kind == RunKind::Backup {
        state.as_str().to_owned()
    } else {
        format!("{kind}: {}", state.as_str())
    };
    if !waits(&running, now) {
        return state.into();
    }
    let cause = wait_cause(&running).map(|cause| format!(": {cause}")).unwrap_or_default();
    let text = format!("{state}{cause}, requested {}, next try {}", age(since, now), until(next_try, now));
    if waits_too_long(&running, now) { Cell::toned(text, Tone::Warn) } else { text.into() }
}

/// The last run, or the tick missed after it, and when that was.
fn last_cells(status: &AppStatus, now: Timestamp) -> (Cell, Cell) {
    let last = status.last.as_ref();
    let missed =
        missed_since_good(status).filter(|missed| last.is_none_or(|last| last.ended_at < missed.tick));
    match (missed, last) {
        (Some(missed), _) => (outcome_cell(Outcome::Missed, missed.cause), age(missed.tick, now).into()),
        (None, Some(last)) => (last_cell(last), age(last.ended_at, now).into()),
        (None, None) => ("-".into(), "-".into()),
    }
}

fn last_cell(last: &LastRun) -> Cell {
    match last.verification {
        Some(why @ (Verification::Unreachable | Verification::Unusable))
            if last.outcome == Outcome::Succeeded =>
        {
            Cell::toned(format!("succeeded, not verified: storage {why}"), Tone::Warn)
        }
        _ => outcome_cell(last.outcome, last.cause.filter(|_| last.outcome != Outcome::Succeeded)),
    }
}
