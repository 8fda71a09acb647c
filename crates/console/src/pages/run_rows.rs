//! Runs as rows of a table.

use std::collections::BTreeMap;

use askama::filters::Safe;
use holdfast_control::runs::RunView;
use holdfast_control::views::cause_advice::label;
use holdfast_control::views::{EndForecast, Severity};
use holdfast_model::{Outcome, RunId, RunKind, StateCode, Timestamp, Trigger};

use crate::markup::{Markup, ago, escaped, link, mark, severity_of, words};

/// A run as a row.
pub struct RunShown {
    pub href: String,
    /// The run's id, of a backup that did not succeed: it can be retried.
    pub pick: Option<String>,
    pub what: String,
    pub app_href: String,
    pub name: String,
    pub mark: Markup,
    pub cause: String,
    pub policy: String,
    pub trigger: &'static str,
    pub created: Markup,
    pub ended: Markup,
}

/// The runs as rows.
pub fn rows(runs: &[RunView], now: Timestamp) -> Vec<RunShown> {
    rows_with_ends(runs, &BTreeMap::new(), now)
}

/// The runs as rows, with when those under way will probably end.
pub fn rows_with_ends(
    runs: &[RunView],
    ends: &BTreeMap<RunId, EndForecast>,
    now: Timestamp,
) -> Vec<RunShown> {
    runs.iter().map(|run| row(run, ends.get(&run.id), now)).collect()
}

fn row(run: &RunView, ends: Option<&EndForecast>, now: Timestamp) -> RunShown {
    RunShown {
        href: link::run(run.id),
        pick: can_be_retried(run).then(|| run.id.to_string()),
        what: run.what.clone(),
        app_href: link::app(&run.app),
        name: run.name.clone(),
        mark: state(run),
        cause: run.cause.map(|cause| label(cause).to_owned()).unwrap_or_default(),
        policy: run.policy.as_ref().map(ToString::to_string).unwrap_or_default(),
        trigger: trigger(run.trigger),
        created: ago(run.created_at, now),
        ended: match (run.ended_at, ends) {
            (Some(at), _) => ago(at, now),
            (None, Some(ends)) => Safe(escaped(&ends.words(now))),
            (None, None) => empty(),
        },
    }
}

/// Whether the run is a backup that ended without success, so that another one may help.
pub fn can_be_retried(run: &RunView) -> bool {
    run.kind == RunKind::Backup && run.outcome.is_some_and(|outcome| outcome != Outcome::Succeeded)
}

/// No text.
pub fn empty() -> Markup {
    Safe(String::new())
}

/// The outcome of a run, or its state until it has ended.
pub fn state(run: &RunView) -> Markup {
    match run.outcome {
        Some(outcome) => mark(severity_of(outcome), &words(outcome.as_str())),
        None => mark(Severity::Run, state_words(run.state)),
    }
}

/// What a run in this state does.
pub fn state_words(state: StateCode) -> &'static str {
    match state {
        StateCode::Planned => "waits for its turn",
        StateCode::Waiting => "waits",
        StateCode::Starting => "asks Azure",
        StateCode::Reconciling => "looks for a lost answer",
        StateCode::Polling | StateCode::PollingOperation => "Azure works",
        StateCode::Verifying => "checks the result",
        StateCode::Comparing => "compares once more",
        StateCode::Ended => "ended",
    }
}

/// What planned a run, in words.
pub fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "schedule",
        Trigger::CatchUp => "catch-up",
        Trigger::Manual => "a person",
        Trigger::Policy => "policy",
    }
}
