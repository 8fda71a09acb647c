//! The overview: how the fleet stands, in one sentence and the numbers behind it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use holdfast_control::approvals::ApprovalView;
use holdfast_control::views::DayMark;
use holdfast_control::views::Severity;
use holdfast_control::views::overview::{CauseRow, Overview, PersonAct, PolicyDays, Tile, UnderWayRow};
use holdfast_model::Timestamp;
use holdfast_store::DayCounts;

use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::charts::{PolicyDay, policy_days};
use crate::markup::{
    Markup, Parts, ago, class, counted, link, mark, sentence, severity_of_cause, soon, thousands, time, words,
};
use crate::pages::person::without_person;
use crate::site::Site;

/// Apps that a row of acts names.
const NAMED: usize = 2;

#[derive(Template)]
#[template(path = "overview.html")]
struct Content {
    read: Markup,
    tiles: Vec<TileShown>,
    matrix: Vec<PolicyShown>,
    first_day: Markup,
    causes: Vec<CauseShown>,
    under_way: Vec<UnderWayShown>,
    under_way_count: u64,
    acts: Vec<ActShown>,
    notes: Vec<Markup>,
    approvals: Vec<ApprovalShown>,
    tonight: Option<String>,
    view: Overview,
}

struct ApprovalShown {
    href: String,
    what: String,
    who: String,
    when: Markup,
    until: Markup,
}

struct TileShown {
    class: String,
    href: String,
    count: String,
    label: String,
}

struct PolicyShown {
    href: String,
    policy: String,
    apps: String,
    chart: Markup,
    sum: String,
}

struct CauseShown {
    mark: Markup,
    href: String,
    query: String,
    apps: String,
    advice: Markup,
    retryable: u64,
}

struct UnderWayShown {
    href: String,
    name: String,
    policy: String,
    mark: Markup,
    what: String,
    since: Markup,
    next: Markup,
}

struct ActShown {
    when: Markup,
    person: String,
    what: String,
    apps: Vec<(String, String)>,
    has_more: bool,
}

/// Serves the page.
pub async fn overview(State(site): State<Arc<Site>>, shown: Shown) -> Result<Response, Failure> {
    let view = site.overview().await?;
    let tonight = site.forecast.read().answer.map(|dated| dated.answer.sentence());
    let content = Content { tonight, ..Content::of(view) };
    let as_of = Some(content.view.as_of);
    Ok(shown.answer(&Page { title: "Overview".into(), tab: Tab::Overview, as_of, live: Some(10), content }))
}

impl Content {
    fn of(view: Overview) -> Self {
        let now = view.as_of;
        let days = view.matrix.first().map_or(&[][..], |policy| &policy.days);
        Self {
            read: time(now, Parts::Short),
            tiles: view.tiles.iter().map(tile).collect(),
            matrix: view.matrix.iter().map(policy).collect(),
            first_day: days.first().map_or_else(|| time(now, Parts::Day), date),
            causes: view.causes.iter().map(cause).collect(),
            under_way: view.under_way.iter().map(|row| under_way(row, now)).collect(),
            under_way_count: view.under_way_count,
            notes: view.notes.iter().map(|note| sentence(note)).collect(),
            acts: acts(&view.acts, now),
            approvals: view.approvals.iter().map(|row| approval(row, now)).collect(),
            tonight: None,
            view,
        }
    }
}

/// The day of a mark. It is a UTC day, in the reader's zone too.
fn date(mark: &DayMark) -> Markup {
    askama::filters::Safe(format!("<time datetime=\"{}\">{}</time>", mark.day, mark.day.format("%-d %b")))
}

fn tile(tile: &Tile) -> TileShown {
    let zero = if tile.count == 0 { " zero" } else { "" };
    TileShown {
        class: format!("{}{zero}", class(tile.severity)),
        href: link::fleet(&tile.query),
        count: thousands(tile.count),
        label: tile.label.clone(),
    }
}

fn policy(row: &PolicyDays) -> PolicyShown {
    let days: Vec<PolicyDay> = row.days.iter().map(policy_day).collect();
    let mut all = DayCounts::default();
    for day in &row.days {
        all.add(day.counts);
    }
    let bad = all.runs() - all.good.min(all.runs());
    let sum = match (all.runs(), bad) {
        (0, _) => "no run yet".to_owned(),
        (runs, 0) => format!("{} good", counted(runs, "run")),
        (runs, bad) => format!("{} of {} not good", thousands(bad), counted(runs, "run")),
    };
    PolicyShown {
        href: link::fleet(&row.query),
        policy: row.policy.to_string(),
        apps: thousands(row.apps),
        chart: policy_days(&days, &format!("{} over the last {} days: {sum}", row.policy, days.len())),
        sum,
    }
}

fn policy_day(mark: &DayMark) -> PolicyDay {
    let DayCounts { good, partial, failed, missed } = mark.counts;
    let parts = [(failed, "failed"), (missed, "missed"), (partial, "partial"), (good, "good")];
    let said: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", thousands(count)))
        .collect();
    PolicyDay { counts: mark.counts, label: format!("{}: {}", mark.day.format("%-d %b"), said.join(", ")) }
}

fn cause(row: &CauseRow) -> CauseShown {
    CauseShown {
        mark: mark(severity_of_cause(row.cause), &row.label),
        href: link::fleet(&row.query),
        query: row.query.to_url(),
        apps: thousands(row.apps),
        advice: sentence(&row.advice),
        retryable: row.retryable,
    }
}

fn under_way(row: &UnderWayRow, now: Timestamp) -> UnderWayShown {
    let severity = if row.is_stuck { Severity::Warn } else { Severity::Run };
    UnderWayShown {
        href: link::app(&row.app),
        name: row.name.clone(),
        policy: row.policy.as_ref().map(ToString::to_string).unwrap_or_default(),
        mark: mark(severity, &words(row.kind.as_str())),
        what: match row.ends {
            Some(ends) => format!("{}, {}", row.what, ends.words(now)),
            None => row.what.clone(),
        },
        since: ago(row.since, now),
        next: soon(row.next_try, now),
    }
}

fn approval(row: &ApprovalView, now: Timestamp) -> ApprovalShown {
    ApprovalShown {
        href: row.page.clone(),
        what: row.what.clone(),
        who: row.asked_by.name.clone(),
        when: ago(row.asked_at, now),
        until: soon(row.expires_at, now),
    }
}

/// What people did, with acts of one request as one row.
fn acts(rows: &[PersonAct], now: Timestamp) -> Vec<ActShown> {
    let is_same = |one: &PersonAct, other: &PersonAct| {
        (one.at, &one.person, &one.what) == (other.at, &other.person, &other.what)
    };
    rows.chunk_by(is_same).filter_map(|rows| act(rows, now)).collect()
}

fn act(rows: &[PersonAct], now: Timestamp) -> Option<ActShown> {
    let first = rows.first()?;
    let apps = rows.iter().filter_map(|row| row.app.as_ref()).take(NAMED);
    Some(ActShown {
        when: ago(first.at, now),
        person: first.person.clone(),
        what: without_person(&first.what, &first.person),
        apps: apps.map(|app| (link::app(app), app.short_name())).collect(),
        has_more: rows.len() > NAMED,
    })
}
