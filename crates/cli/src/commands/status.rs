//! `holdfast status`: how every app stands.

use holdfast_model::{Outcome, RunKind, Timestamp};
use holdfast_store::{AppStatus, Mode, Running};
use serde::Serialize;

use crate::args::StatusArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age, until};

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    now: Timestamp,
    apps: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    #[serde(flatten)]
    status: AppStatus,
}

/// Runs the command.
pub async fn run(args: &StatusArgs, context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let (now, mut apps) = (store.now().await?, store.status().await?);
    store.close().await;
    let is_empty = apps.is_empty();
    if args.problems {
        apps.retain(is_problem);
    }
    apps.sort_by_cached_key(|status| (status.app.short_name(), status.app.clone()));
    let apps = apps.into_iter().map(|status| Entry { name: status.app.short_name(), status });
    let document = Document { now, apps: apps.collect() };
    if context.out.is_json() {
        context.out.json(&document)?;
    } else if document.apps.is_empty() {
        let nothing = if is_empty {
            "no apps yet: `holdfast run` takes the fleet in"
        } else {
            "no app needs attention"
        };
        context.out.text(nothing)?;
    } else {
        context.out.table(table(&document))?;
    }
    Ok(Exit::Done)
}

/// Should somebody look at it?
fn is_problem(status: &AppStatus) -> bool {
    let ended_badly = status.last.as_ref().is_some_and(|last| last.outcome != Outcome::Succeeded);
    !status.removed && (status.past_objective || ended_badly || status.policy.is_none())
}

fn table(document: &Document) -> Table {
    let mut table = Table::new(["APP", "POLICY", "NOW", "LAST RUN", "ENDED", "LATEST GOOD", "NEXT"]);
    for Entry { name, status } in &document.apps {
        let now = document.now;
        let policy = match (&status.policy, status.removed) {
            (_, true) => Cell::from("removed"),
            (Some(policy), false) => Cell::from(policy.as_str()),
            (None, false) => Cell::toned("none", Tone::Warn),
        };
        let running = status.running.map_or_else(|| "-".to_owned(), running_words);
        let (last, ended) = status.last.as_ref().map_or_else(
            || ("-".into(), "-".to_owned()),
            |last| (outcome_cell(last.outcome, last.cause), age(last.ended_at, now)),
        );
        let good = status.last_good_at.map_or_else(|| "never".to_owned(), |at| age(at, now));
        let tone = if status.past_objective { Tone::Bad } else { Tone::Plain };
        let good = if status.past_objective { format!("{good} (too old)") } else { good };
        let next = status.next_tick.map_or_else(|| "-".to_owned(), |tick| until(tick, now));
        let name = Cell::from(name.as_str());
        table.row([name, policy, running.into(), last, ended.into(), Cell::toned(good, tone), next.into()]);
    }
    table
}

/// A backup is what an app mostly does, and is not named.
fn running_words(Running { kind, state }: Running) -> String {
    if kind == RunKind::Backup { state.as_str().to_owned() } else { format!("{kind}: {}", state.as_str()) }
}

fn outcome_cell(outcome: Outcome, cause: Option<holdfast_model::Cause>) -> Cell {
    let text = match cause {
        Some(cause) if outcome != Outcome::Succeeded => format!("{}: {cause}", outcome.as_str()),
        _ => outcome.as_str().to_owned(),
    };
    Cell::toned(text, tone_of(outcome))
}

/// How an outcome looks.
pub fn tone_of(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Succeeded => Tone::Good,
        Outcome::Partial | Outcome::Missed => Tone::Warn,
        Outcome::Failed | Outcome::Exhausted => Tone::Bad,
    }
}
