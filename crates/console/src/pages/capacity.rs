//! Capacity: what Azure answers, what waits for it, and how this process fares.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use holdfast_control::forecast::{FleetForecast, PolicyWindow, WaitsFor};
use holdfast_control::views::cause_advice::label;
use holdfast_control::views::fleet::FleetQuery;
use holdfast_control::views::{FleetReading, Severity};
use holdfast_model::{StateCode, Timestamp};
use holdfast_store::{AppStatus, OpenBreaker, SubscriptionStatus};

use crate::background::Dated;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::{Markup, Parts, ago, counted, link, mark, soon, span, thousands, time, words};
use crate::pages::run_rows::{empty, state_words};
use crate::site::Site;
use crate::{CheckResult, Readiness};

#[derive(Template)]
#[template(path = "capacity.html")]
struct Content {
    sentence: String,
    breakers: Vec<BreakerShown>,
    subscriptions: Vec<SubscriptionShown>,
    windows: Vec<WindowShown>,
    notes: Vec<String>,
    forecast_at: Option<Markup>,
    under_way: String,
    states: Vec<StateShown>,
    checks: Vec<CheckShown>,
}

struct BreakerShown {
    mark: Markup,
    name: String,
    since: Markup,
    until: Markup,
}

struct SubscriptionShown {
    id: String,
    href: String,
    mark: Markup,
    notes: Vec<String>,
    apps: String,
    under_way: String,
    listed: Markup,
    next: Markup,
}

/// What the next hours bring under a policy.
struct WindowShown {
    policy: String,
    href: String,
    backups: String,
    first_due: Markup,
    last_begins: Markup,
    last_ends: Markup,
    wait: String,
    waits_for: &'static str,
}

struct StateShown {
    mark: Markup,
    count: String,
    causes: String,
    longest: Markup,
}

struct CheckShown {
    name: &'static str,
    mark: Markup,
    why: String,
}

/// Serves the page.
pub async fn capacity(State(site): State<Arc<Site>>, shown: Shown) -> Result<Response, Failure> {
    let reading = site.reading().await?.reading;
    let readiness = Readiness::of(&site.checks).await;
    let as_of = Some(reading.at);
    let forecast = site.forecast.read().answer;
    let content = Content::of(&reading, &readiness, forecast.as_ref());
    Ok(shown.answer(&Page { title: "Capacity".into(), tab: Tab::Capacity, as_of, live: Some(10), content }))
}

impl Content {
    fn of(reading: &FleetReading, readiness: &Readiness, forecast: Option<&Dated<FleetForecast>>) -> Self {
        let now = reading.at;
        let running: Vec<&AppStatus> = reading.apps.iter().filter(|app| app.running.is_some()).collect();
        let in_subscription = |status: &SubscriptionStatus| {
            running.iter().filter(|app| *app.app.subscription() == status.subscription).count()
        };
        Self {
            sentence: sentence(reading, readiness),
            breakers: reading.breakers.iter().map(|row| breaker(row, now)).collect(),
            subscriptions: reading
                .subscriptions
                .iter()
                .map(|status| subscription(status, in_subscription(status), now))
                .collect(),
            windows: forecast.iter().flat_map(|dated| &dated.answer.policies).map(window).collect(),
            notes: forecast.map(|dated| dated.answer.notes()).unwrap_or_default(),
            forecast_at: forecast.map(|dated| ago(dated.asked_at, now)),
            under_way: counted(running.len(), "app"),
            states: states(&running, now),
            checks: readiness.checks.iter().map(check).collect(),
        }
    }
}

fn window(window: &PolicyWindow) -> WindowShown {
    let policy = window.policy.as_str().to_owned();
    let query = FleetQuery { policies: BTreeSet::from([policy.clone()]), ..FleetQuery::default() };
    WindowShown {
        href: link::fleet(&query),
        policy,
        backups: thousands(window.backups),
        first_due: time(window.first_due, Parts::Short),
        last_begins: time(window.last_begins, Parts::Short),
        last_ends: time(window.last_ends, Parts::Short),
        wait: if window.longest_wait_s == 0 { String::new() } else { span(window.longest_wait_s) },
        waits_for: window.waits_for.map_or("", WaitsFor::as_str),
    }
}

/// The worst that is true.
fn sentence(reading: &FleetReading, readiness: &Readiness) -> String {
    let silent = reading.subscriptions.iter().filter(|one| one.unanswered_since.is_some()).count();
    let closed = reading.subscriptions.iter().filter(|one| !one.closed.is_empty()).count();
    if !readiness.ready {
        "This process is not ready.".to_owned()
    } else if !reading.breakers.is_empty() {
        match reading.breakers.len() {
            1 => "One part of Azure does not answer.".to_owned(),
            count => format!("{} parts of Azure do not answer.", thousands(count)),
        }
    } else if silent > 0 {
        format!("Azure does not list the apps of {}.", counted(silent, "subscription"))
    } else if closed > 0 {
        format!("Azure throttles {}.", counted(closed, "subscription"))
    } else {
        "Azure answers, and nothing waits for a budget.".to_owned()
    }
}

fn breaker(row: &OpenBreaker, now: Timestamp) -> BreakerShown {
    BreakerShown {
        mark: mark(Severity::Bad, &words(&row.kind)),
        name: row.name.clone(),
        since: ago(row.since, now),
        until: soon(row.until, now),
    }
}

fn subscription(status: &SubscriptionStatus, under_way: usize, now: Timestamp) -> SubscriptionShown {
    let (severity, word) = if status.unanswered_since.is_some() {
        (Severity::Bad, "does not answer")
    } else if !status.closed.is_empty() {
        (Severity::Warn, "throttled")
    } else if !status.left_out.is_empty() {
        (Severity::Warn, "lists unusable ids")
    } else {
        (Severity::Ok, "answers")
    };
    let closed = status.closed.iter().map(|closed| {
        format!("budget {} closed until {}", words(closed.call.as_str()), closed.until.format("%H:%M:%S UTC"))
    });
    let left_out = (!status.left_out.is_empty())
        .then(|| format!("{} without a usable id", counted(status.left_out.len(), "resource")));
    let query = FleetQuery {
        subscriptions: BTreeSet::from([status.subscription.as_str().to_owned()]),
        ..FleetQuery::default()
    };
    SubscriptionShown {
        id: status.subscription.as_str().to_owned(),
        href: link::fleet(&query),
        mark: mark(severity, word),
        notes: status.error.clone().into_iter().chain(closed).chain(left_out).collect(),
        apps: status.apps.map(thousands).unwrap_or_default(),
        under_way: thousands(under_way),
        listed: status.listed_at.map_or_else(empty, |at| ago(at, now)),
        next: status.next_list_at.map_or_else(empty, |at| soon(at, now)),
    }
}

/// The unfinished runs of apps by their state.
fn states(running: &[&AppStatus], now: Timestamp) -> Vec<StateShown> {
    let mut by_state: BTreeMap<StateCode, Vec<&AppStatus>> = BTreeMap::new();
    for app in running {
        if let Some(run) = &app.running {
            by_state.entry(run.state).or_default().push(app);
        }
    }
    by_state.iter().map(|(state, apps)| of_state(*state, apps, now)).collect()
}

fn of_state(state: StateCode, apps: &[&AppStatus], now: Timestamp) -> StateShown {
    let runs = || apps.iter().filter_map(|app| app.running.as_ref());
    let mut causes: BTreeMap<&str, usize> = BTreeMap::new();
    for cause in runs().filter_map(|run| run.cause) {
        *causes.entry(label(cause)).or_default() += 1;
    }
    let causes: Vec<String> =
        causes.iter().map(|(cause, count)| format!("{cause} {}", thousands(*count))).collect();
    let severity = if state == StateCode::Waiting { Severity::Warn } else { Severity::Run };
    StateShown {
        mark: mark(severity, state_words(state)),
        count: thousands(apps.len()),
        causes: causes.join(", "),
        longest: runs().map(|run| run.since).min().map_or_else(empty, |since| ago(since, now)),
    }
}

fn check(result: &CheckResult) -> CheckShown {
    let (severity, word) = if result.ok { (Severity::Ok, "passes") } else { (Severity::Bad, "fails") };
    CheckShown { name: result.name, mark: mark(severity, word), why: result.why.clone().unwrap_or_default() }
}
