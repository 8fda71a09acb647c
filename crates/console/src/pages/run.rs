//! One run: what happened, step by step, in Azure's words where Azure spoke.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use holdfast_access::Permission;
use holdfast_control::views::Severity;
use holdfast_control::views::cause_advice::label;
use holdfast_control::views::run::{RunView, TimelineItem};
use holdfast_model::{Outcome, RunId, StateCode};
use holdfast_store::Acknowledgement;

use crate::caller::may;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::{Markup, Parts, ago, link, mark, sentence, size, soon, span, time, words};
use crate::pages::facts::Fact;
use crate::pages::run_rows::{can_be_retried, state, trigger};
use crate::site::Site;

#[derive(Template)]
#[template(path = "run.html")]
struct Content {
    title: String,
    mark: Markup,
    advice: Option<Markup>,
    again: Option<String>,
    acts: Vec<(&'static str, String)>,
    items: Vec<ItemShown>,
    facts: Vec<Fact>,
    view: RunView,
}

struct ItemShown {
    at: Markup,
    after: String,
    title: String,
    mark: Markup,
    detail: String,
    azure_says: Option<String>,
    is_failure: bool,
}

/// Serves the page.
pub async fn run(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    shown: Shown,
) -> Result<Response, Failure> {
    let id: RunId = id.parse().map_err(|_| Failure::no_run(&id))?;
    let content = Content::of(site.run(id).await?);
    let live = content.view.run.outcome.is_none().then_some(5);
    let (title, as_of) = (content.title.clone(), Some(content.view.as_of));
    Ok(shown.answer(&Page { title, tab: Tab::Activity, as_of, live, content }))
}

impl Content {
    fn of(view: RunView) -> Self {
        let what = &view.run.what;
        let mut title = format!("{what} of {}", view.run.name);
        if let Some(first) = title.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        Self {
            title,
            mark: state(&view.run),
            advice: view.advice.as_deref().map(sentence),
            again: (can_be_retried(&view.run) && may(Permission::Retry)).then(|| view.run.id.to_string()),
            acts: acts(&view),
            items: view.timeline.iter().map(item).collect(),
            facts: facts(&view),
            view,
        }
    }
}

/// What can be done about the run, with the page that asks for it.
fn acts(view: &RunView) -> Vec<(&'static str, String)> {
    let run = &view.run;
    let form = |act: &str| format!("/acts/{act}/form?run={}", run.id);
    let has_failed = !matches!(run.outcome, None | Some(Outcome::Succeeded | Outcome::Cancelled));
    let waits = matches!(run.state, StateCode::Planned | StateCode::Waiting | StateCode::Comparing);
    let mut acts = Vec::new();
    if has_failed && view.acknowledged.is_none() && may(Permission::Acknowledge) {
        acts.push(("Acknowledge…", form("acknowledge")));
    }
    if waits && may(Permission::Cancel) {
        acts.push(("Cancel…", form("cancel")));
    }
    acts
}

fn item(item: &TimelineItem) -> ItemShown {
    ItemShown {
        at: time(item.at, Parts::Clock),
        after: if item.after_s == 0 { String::new() } else { format!("+{}", span(item.after_s)) },
        title: item.title.clone(),
        mark: mark(Severity::Bad, &item.title),
        detail: item.detail.clone(),
        azure_says: item.azure_says.clone(),
        is_failure: item.is_failure,
    }
}

fn facts(view: &RunView) -> Vec<Fact> {
    let (run, now) = (&view.run, view.as_of);
    let mut facts = vec![Fact::link("App", &link::app(&run.app), &run.name)];
    if let Some(policy) = &run.policy {
        facts.push(Fact::text("Policy", policy.as_str()));
    }
    facts.push(Fact::text("Planned by", trigger(run.trigger)));
    if let Some(person) = &view.person {
        facts.push(Fact::text("Asked by", person));
    }
    if let Some(tick) = run.tick {
        facts.push(Fact::new("Tick", time(tick, Parts::Short)));
    }
    facts.push(Fact::new("Created", time(run.created_at, Parts::Full)));
    if let Some(at) = run.ended_at {
        facts.push(Fact::new("Ended", ago(at, now)));
    }
    if let Some(ends) = view.ends {
        facts.push(Fact::text("Forecast", &ends.words(now)));
    }
    if let Some(at) = run.due_at {
        facts.push(Fact::new("Next step", soon(at, now)));
    }
    if let Some(attempt) = run.attempt {
        facts.push(Fact::text("Attempt", &attempt.to_string()));
    }
    if let Some(cause) = run.cause {
        facts.push(Fact::text("Cause", label(cause)));
    }
    if let Some(backup) = &run.backup {
        facts.push(Fact::text("Backup", &format!("{}, {}", backup.id, size(backup.size_bytes))));
        facts.push(Fact::text("Blob", &backup.blob));
    }
    if let Some(Acknowledgement { actor, note, .. }) = &view.acknowledged {
        facts.push(Fact::text("Acknowledged", &format!("by {actor}: {note}")));
    }
    if let Some(verification) = run.verification {
        facts.push(Fact::text("Verification", &words(verification.as_str())));
    }
    facts
}
