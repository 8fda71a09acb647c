//! One app: its year, its recovery points, its runs and its next ticks.

use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono::Datelike as _;
use holdfast_access::Permission;
use holdfast_control::views::app::{AppView, BackupMeasure};
use holdfast_control::views::cause_advice::label;
use holdfast_control::views::fleet::FleetQuery;
use holdfast_control::views::{DayMark, DayResult, Severity};
use holdfast_model::{CatalogEntry, Origin, Outcome, TagFilter, Tags, Timestamp};

use crate::caller::may;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::charts::{age_bar, calendar, plot, sample};
use crate::markup::{Markup, Parts, ago, escaped, link, mark, sentence, size, soon, span, time, words};
use crate::pages::facts::Fact;
use crate::pages::run_rows::{RunShown, empty, rows, state_words};
use crate::site::{NamedApp, Site};

#[derive(Template)]
#[template(path = "app.html")]
struct Content {
    mark: Markup,
    cause: String,
    advice: Option<Markup>,
    id: String,
    acts: Vec<(&'static str, String)>,
    activity: String,
    audit: String,
    calendar: Markup,
    legend: Vec<(Markup, &'static str)>,
    facts: Vec<Fact>,
    zone: Option<String>,
    ticks: Vec<TickShown>,
    plots: Vec<Plot>,
    points: Vec<PointShown>,
    runs: Vec<RunShown>,
    picks: bool,
    view: AppView,
}

#[derive(Template)]
#[template(path = "choose.html")]
struct Choice {
    name: String,
    apps: Vec<(String, String)>,
}

struct TickShown {
    local: String,
    utc: Markup,
    remark: &'static str,
}

struct Plot {
    title: &'static str,
    chart: Markup,
    latest: String,
    most: String,
    first: Markup,
    last: Markup,
}

struct PointShown {
    taken: Markup,
    mark: Markup,
    size: String,
    blob: String,
    kept: String,
    proven: Markup,
    id: String,
    acts: Vec<(&'static str, String)>,
}

/// Serves the page of the app with this short name or ARM id.
pub async fn app(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    shown: Shown,
) -> Result<Response, Failure> {
    let id = match site.named(&name).await? {
        NamedApp::One(id) => id,
        NamedApp::Several(ids) => {
            let apps = ids.iter().map(|id| (link::app_by_id(id), id.to_string())).collect();
            let content = Choice { name: name.clone(), apps };
            let page = Page { title: name, tab: Tab::Fleet, as_of: None, live: None, content };
            return Ok(shown.answer(&page));
        }
    };
    let content = Content::of(site.app(&id).await?);
    let (title, as_of) = (content.view.name.clone(), Some(content.view.as_of));
    Ok(shown.answer(&Page { title, tab: Tab::Fleet, as_of, live: Some(30), content }))
}

impl Content {
    fn of(view: AppView) -> Self {
        let (now, id) = (view.as_of, view.status.app.to_string());
        let by_app = |path: &str| link::with_query(path, &format!("app={}", link::encoded(&id)));
        Self {
            mark: mark(view.severity, view.condition.label()),
            cause: view.cause.map(|cause| label(cause).to_owned()).unwrap_or_default(),
            advice: view.advice.as_deref().map(sentence),
            activity: by_app("/activity"),
            audit: by_app("/audit"),
            calendar: year(&view.days),
            legend: [
                (DayResult::Good, "good"),
                (DayResult::Partial, "partial"),
                (DayResult::Missed, "missed"),
                (DayResult::Failed, "failed"),
            ]
            .map(|(result, word)| (sample(result), word))
            .into(),
            facts: facts(&view),
            zone: view.ticks.as_ref().map(|preview| preview.timezone.clone()),
            ticks: ticks(&view, now),
            plots: [sizes(&view.measures), durations(&view.measures)].into_iter().flatten().collect(),
            points: view.recovery_points.iter().map(|entry| point(entry, now)).collect(),
            runs: rows(&view.runs, now),
            picks: false,
            acts: acts(&view),
            id,
            view,
        }
    }
}

/// What can be done about the app, with the page that asks for it.
fn acts(view: &AppView) -> Vec<(&'static str, String)> {
    let status = &view.status;
    let form = |act: &str| format!("/acts/{act}/form?app={}", link::encoded(&status.app.to_string()));
    let mut acts = Vec::new();
    if may(Permission::Restore) && status.last_good_at.is_some() {
        let href = format!("/restores/form?app={}", link::encoded(&status.app.to_string()));
        acts.push(("Restore…", href));
    }
    if may(Permission::Pause) && !status.removed {
        if status.pause.is_some() {
            acts.push(("Resume…", form("resume")));
        } else if status.policy.is_some() {
            acts.push(("Pause…", form("pause")));
        }
    }
    let failed = status.last.as_ref().filter(|last| last.outcome != Outcome::Succeeded);
    let failed = failed.filter(|last| !status.has_acknowledged(last.run_id));
    if let Some(last) = failed.filter(|_| may(Permission::Acknowledge)) {
        acts.push(("Acknowledge…", format!("/acts/acknowledge/form?run={}", last.run_id)));
    }
    acts
}

fn year(days: &[DayMark]) -> Markup {
    let results: Vec<DayResult> = days.iter().map(|day| day.result).collect();
    let weekday = days.first().map_or(0, |day| day.day.weekday().num_days_from_monday());
    let months: Vec<(usize, String)> = days
        .iter()
        .enumerate()
        .filter(|(_, day)| day.day.day() == 1)
        .map(|(index, day)| (index, day.day.format("%b").to_string()))
        .collect();
    calendar(&results, usize::try_from(weekday).unwrap_or(0), &months)
}

fn facts(view: &AppView) -> Vec<Fact> {
    let (status, now) = (&view.status, view.as_of);
    let mut facts = Vec::new();
    let last_good = status.last_good_at.map_or_else(|| Safe("never".to_owned()), |at| ago(at, now));
    facts.push(Fact::new("Last good backup", last_good));
    if let (Some(permille), Some(objective)) = (view.age_permille, status.recovery_point_objective) {
        let said = format!("{}% of {}", permille / 10, span(objective.as_secs()));
        let bar = age_bar(f64::from(permille) / 1_000.0, &said).0;
        facts.push(Fact::new("Age", Safe(format!("<span class=\"mid\">{bar} {}</span>", escaped(&said)))));
    } else if status.policy.is_some() {
        let objective = status.recovery_point_objective.map(|objective| span(objective.as_secs()));
        let objective = objective.unwrap_or_else(|| "the policy sets none".to_owned());
        facts.push(Fact::text("Objective", &objective));
    }
    match &status.policy {
        Some(policy) => {
            let href = format!("/fleet?policy={}", link::encoded(policy.as_str()));
            facts.push(Fact::link("Policy", &href, policy.as_str()));
        }
        None => facts.push(Fact::text("Policy", "none: no tick is planned")),
    }
    if !status.tags.is_empty() {
        facts.push(Fact::new("Tags", tags(&status.tags)));
    }
    if let Some(at) = status.next_tick {
        facts.push(Fact::new("Next tick", soon(at, now)));
    }
    if let Some(running) = &status.running {
        let what = format!("{}: {}", words(running.kind.as_str()), state_words(running.state));
        facts.push(Fact::new("Under way", mark(Severity::Run, &what)));
    }
    if let Some(last) = &status.last {
        facts.push(Fact::link("Last run", &link::run(last.run_id), &words(last.outcome.as_str())));
    }
    if let Some(pause) = &status.pause {
        facts.push(Fact::new("Paused until", soon(pause.until, now)));
        facts.push(Fact::text("Paused by", &format!("{}: {}", pause.actor, pause.reason)));
    }
    if let Some(told) = &status.acknowledged {
        facts.push(Fact::text("Acknowledged", &format!("by {}: {}", told.actor, told.note)));
    }
    if let Some(missed) = &status.missed {
        facts.push(Fact::new("Last missed tick", ago(missed.tick, now)));
    }
    if let Some(at) = status.seen_at {
        facts.push(Fact::new("Seen at Azure", ago(at, now)));
    }
    if let Some(at) = status.missing_since {
        facts.push(Fact::new("Missing since", ago(at, now)));
    }
    facts.push(Fact::text("Subscription", status.app.subscription().as_str()));
    facts.push(Fact::text("Resource group", status.app.resource_group()));
    if let Some(plan) = &status.plan {
        facts.push(Fact::text("App Service plan", plan.rsplit('/').next().unwrap_or(plan)));
    }
    facts
}

/// Each tag, with the apps that have it behind it.
fn tags(tags: &Tags) -> Markup {
    let link = |(name, value): (&str, &str)| {
        let tag = TagFilter::new(name, value);
        let href = link::fleet(&FleetQuery { tags: [tag.clone()].into(), ..FleetQuery::default() });
        format!("<a href=\"{}\">{}</a>", escaped(&href), escaped(&tag.to_string()))
    };
    Safe(tags.iter().map(link).collect::<Vec<_>>().join("<br>"))
}

fn ticks(view: &AppView, now: Timestamp) -> Vec<TickShown> {
    let Some(preview) = &view.ticks else { return Vec::new() };
    let remark = |changed| if changed { "clocks change before it" } else { "" };
    preview
        .ticks
        .iter()
        .map(|tick| TickShown {
            local: tick.local.clone(),
            utc: soon(tick.at, now),
            remark: remark(tick.clocks_changed),
        })
        .collect()
}

fn sizes(measures: &[BackupMeasure]) -> Option<Plot> {
    #[expect(clippy::cast_precision_loss, reason = "the height of a line")]
    let values: Vec<(Timestamp, f64, String)> = measures
        .iter()
        .map(|measure| (measure.accepted_at, measure.bytes as f64, size(measure.bytes)))
        .collect();
    drawn("Size", &values)
}

fn durations(measures: &[BackupMeasure]) -> Option<Plot> {
    #[expect(clippy::cast_precision_loss, reason = "the height of a line")]
    let values: Vec<(Timestamp, f64, String)> = measures
        .iter()
        .filter_map(|measure| Some((measure.accepted_at, measure.took_s?)))
        .map(|(at, took)| (at, took as f64, span(took)))
        .collect();
    drawn("Duration", &values)
}

fn drawn(title: &'static str, values: &[(Timestamp, f64, String)]) -> Option<Plot> {
    let [(first, ..), .., (last, _, latest)] = values else { return None };
    let most = values.iter().max_by(|one, other| one.1.total_cmp(&other.1));
    let most = most.map(|(_, _, said)| said.clone()).unwrap_or_default();
    let heights: Vec<f64> = values.iter().map(|(_, value, _)| *value).collect();
    Some(Plot {
        title,
        chart: plot(&heights, &format!("{title} of the last {} backups: {latest}", values.len())),
        latest: latest.clone(),
        most,
        first: time(*first, Parts::Day),
        last: time(*last, Parts::Day),
    })
}

fn point(entry: &CatalogEntry, now: Timestamp) -> PointShown {
    let (severity, word) = match (entry.good, entry.origin) {
        (true, _) => (Severity::Ok, "good"),
        (false, Origin::Partial) => (Severity::Warn, "partial"),
        (false, Origin::TakenOver) => (Severity::Warn, "taken over, not verified"),
        (false, _) => (Severity::Muted, "of a failed attempt"),
    };
    let verified = entry.verified_at.map(|at| format!("verified {}", ago(at, now).0));
    let drilled = entry
        .drill
        .map(|(at, passed)| format!("drill {} {}", if passed { "passed" } else { "failed" }, ago(at, now).0));
    let proven: Vec<String> = verified.into_iter().chain(drilled).collect();
    PointShown {
        taken: time(entry.backup.accepted_at, Parts::Short),
        mark: mark(severity, word),
        size: size(entry.backup.size_bytes),
        blob: entry.backup.blob.clone(),
        kept: match &entry.hold {
            Some(reason) => format!("hold: {reason}"),
            None => "retention".to_owned(),
        },
        proven: if proven.is_empty() { empty() } else { Safe(proven.join(", ")) },
        id: entry.backup.id.to_string(),
        acts: acts_on(entry),
    }
}

/// What can be done about a backup, with the page that asks for it.
fn acts_on(entry: &CatalogEntry) -> Vec<(&'static str, String)> {
    let about = format!("app={}&backup={}", link::encoded(&entry.app.to_string()), entry.backup.id);
    let (permission, label, act) = match entry.hold {
        None => (Permission::Hold, "Hold…", "hold"),
        Some(_) => (Permission::ReleaseHold, "Release…", "release"),
    };
    [
        (Permission::Restore, "Restore…", format!("/restores/form?{about}")),
        (permission, label, format!("/acts/{act}/form?{about}")),
    ]
    .into_iter()
    .filter(|(permission, ..)| may(*permission))
    .map(|(_, label, href)| (label, href))
    .collect()
}
