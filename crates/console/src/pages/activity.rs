//! Activity: runs of the whole fleet, the newest first, with why they failed.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use holdfast_access::Permission;
use holdfast_control::views::activity::{ActivityPage, ActivityQuery, CauseCount};
use holdfast_control::views::cause_advice::is_worth_retrying;
use holdfast_model::{AppId, Outcome, RunKind, Trigger};

use crate::caller::may;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::{Markup, link, sentence, thousands, words};
use crate::pages::activity_url::{from_url, to_url};
use crate::pages::run_rows::{RunShown, can_be_retried, rows_with_ends, trigger};
use crate::site::Site;

#[derive(Template)]
#[template(path = "activity.html")]
struct Content {
    app: Option<String>,
    is_narrowed: bool,
    groups: Vec<Group>,
    causes: Vec<CauseShown>,
    runs: Vec<RunShown>,
    picks: bool,
    query: String,
    next: Option<String>,
}

struct Group {
    name: &'static str,
    choices: Vec<Choice>,
}

struct Choice {
    label: String,
    href: String,
    is_selected: bool,
}

struct CauseShown {
    label: String,
    href: String,
    runs: String,
    advice: Markup,
    can_be_retried: bool,
    query: String,
}

/// Serves the page.
pub async fn activity(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    shown: Shown,
) -> Result<Response, Failure> {
    let query = from_url(&query.unwrap_or_default())?;
    let view = site.activity(&query).await?;
    let as_of = Some(view.as_of);
    let content = Content::of(&view, &query);
    Ok(shown.answer(&Page { title: "Activity".into(), tab: Tab::Activity, as_of, live: Some(10), content }))
}

impl Content {
    fn of(view: &ActivityPage, query: &ActivityQuery) -> Self {
        let first = ActivityQuery { after: None, ..query.clone() };
        let next = |after: &String| href(&ActivityQuery { after: Some(after.clone()), ..query.clone() });
        Self {
            app: query.app.as_ref().map(AppId::short_name),
            is_narrowed: first != ActivityQuery::default(),
            groups: vec![states(&first), kinds(&first), triggers(&first)],
            causes: view.causes.iter().map(|row| cause(row, &first)).collect(),
            picks: may(Permission::Retry) && view.rows.iter().any(can_be_retried),
            query: to_url(&first),
            runs: rows_with_ends(&view.rows, &view.ends, view.as_of),
            next: view.next.as_ref().map(next),
        }
    }
}

fn href(query: &ActivityQuery) -> String {
    link::with_query("/activity", &to_url(query))
}

/// A choice that shows `on`, or `off` where the view shows it already.
fn choice(label: String, is_selected: bool, on: &ActivityQuery, off: &ActivityQuery) -> Choice {
    Choice { label, href: href(if is_selected { off } else { on }), is_selected }
}

fn states(query: &ActivityQuery) -> Group {
    let unfinished = choice(
        "unfinished".into(),
        query.unfinished,
        &ActivityQuery { unfinished: true, outcomes: [].into(), ..query.clone() },
        &ActivityQuery { unfinished: false, ..query.clone() },
    );
    let outcome = |outcome: Outcome| {
        let (mut on, mut off) = (query.clone(), query.clone());
        on.outcomes.insert(outcome);
        on.unfinished = false;
        off.outcomes.remove(&outcome);
        choice(words(outcome.as_str()), query.outcomes.contains(&outcome), &on, &off)
    };
    let choices = std::iter::once(unfinished).chain(Outcome::ALL.into_iter().map(outcome)).collect();
    Group { name: "Outcome", choices }
}

fn kinds(query: &ActivityQuery) -> Group {
    let kind = |kind: RunKind| {
        let with = |kind| ActivityQuery { kind, ..query.clone() };
        choice(words(kind.as_str()), query.kind == Some(kind), &with(Some(kind)), &with(None))
    };
    Group { name: "Kind", choices: RunKind::ALL.into_iter().map(kind).collect() }
}

fn triggers(query: &ActivityQuery) -> Group {
    let by = |by: Trigger| {
        let with = |trigger| ActivityQuery { trigger, ..query.clone() };
        choice(trigger(by).to_owned(), query.trigger == Some(by), &with(Some(by)), &with(None))
    };
    Group { name: "Planned by", choices: Trigger::ALL.into_iter().map(by).collect() }
}

fn cause(row: &CauseCount, query: &ActivityQuery) -> CauseShown {
    let of_cause = ActivityQuery { cause: Some(row.cause), ..query.clone() };
    let is_of_backups = query.kind.is_none_or(|kind| kind == RunKind::Backup) && !query.unfinished;
    CauseShown {
        label: row.label.clone(),
        can_be_retried: is_of_backups && is_worth_retrying(row.cause),
        query: to_url(&of_cause),
        href: href(&of_cause),
        runs: thousands(row.runs),
        advice: sentence(&row.advice),
    }
}
