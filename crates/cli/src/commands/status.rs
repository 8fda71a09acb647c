//! `holdfast status`: the status of every app.

use holdfast_control::status::{FleetStatus, NamedStatus, findings, status};
use holdfast_model::{Outcome, RunKind, Verification};
use holdfast_store::{LastRun, Mode, Running};

use crate::args::StatusArgs;
use crate::commands::outcome::outcome_cell;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age, until};

/// Runs the command.
pub async fn run(args: &StatusArgs, context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let status = status(&*store, args.problems).await?;
    store.close().await;
    let notes = status.notes();
    context.out.show(&status, || match (status.is_empty, status.apps.is_empty()) {
        (true, _) => "no apps yet: `holdfast run` adds the apps of the fleet".into(),
        (false, true) if notes.is_empty() => "no app needs attention".into(),
        (false, true) => "no app needs attention, but:".into(),
        (false, false) => table(&status).into(),
    })?;
    if !context.out.is_json() && !notes.is_empty() {
        context.out.text(&notes.join("\n"))?;
    }
    Ok(Exit::Done)
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
        let last = status.last.as_ref();
        table.row([
            name.as_str().into(),
            policy,
            Cell::or_dash(status.running.map(running_text)),
            last.map_or_else(|| "-".into(), last_cell),
            Cell::or_dash(last.map(|last| age(last.ended_at, now))),
            good,
            Cell::or_dash(status.next_tick.map(|tick| until(tick, now))),
        ]);
    }
    table
}

/// The state of a run, with its kind unless it is a backup.
fn running_text(Running { kind, state }: Running) -> String {
    if kind == RunKind::Backup { state.as_str().to_owned() } else { format!("{kind}: {}", state.as_str()) }
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
