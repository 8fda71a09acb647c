//! Restores and drills from a page: what and where to, the plan, and its confirmation.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use holdfast_control::restore::{Blobs, RestorePlan};
use holdfast_model::{CatalogEntry, Timestamp};

use crate::backup_request::SentForm;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::{ago, link, size, words};
use crate::once::of_form;
use crate::pages::facts::Fact;
use crate::restore_kind::RestoreKind;
use crate::restore_request::RestoreAsked;
use crate::site::{NamedApp, Site};

/// Recovery points that the form offers.
const POINTS: usize = 200;

#[derive(Template)]
#[template(path = "restore.html")]
struct Form {
    name: String,
    app: String,
    points: Vec<Point>,
    back: String,
}

struct Point {
    id: String,
    is_chosen: bool,
    label: String,
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanShown {
    question: String,
    facts: Vec<Fact>,
    warnings: Vec<String>,
    never: String,
    action: &'static str,
    token: String,
    fields: Vec<(&'static str, String)>,
    word: String,
    button: String,
    /// Whether a second person must confirm it afterwards.
    waits: bool,
    back: String,
}

/// Asks which recovery point of an app is restored, and where to.
pub async fn form(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    shown: Shown,
) -> Result<Response, Failure> {
    let fields = SentForm::read(&query.unwrap_or_default());
    let id = match site.named(fields.value("app")).await? {
        NamedApp::One(id) => id,
        NamedApp::Several(ids) => return Err(Failure::of_name(&ids, fields.value("app"))),
    };
    let view = site.app(&id).await?;
    let chosen = fields.value("backup");
    let points =
        view.recovery_points.iter().filter(|entry| entry.good || entry.backup.id.to_string() == chosen);
    let content = Form {
        name: view.name.clone(),
        app: id.to_string(),
        points: points.take(POINTS).map(|entry| point(entry, chosen, view.as_of)).collect(),
        back: link::app_by_id(&id),
    };
    let (title, as_of) = (format!("Restore {}", view.name), Some(view.as_of));
    Ok(shown.answer(&Page { title, tab: Tab::None, as_of, live: None, content }))
}

fn point(entry: &CatalogEntry, chosen: &str, now: Timestamp) -> Point {
    let id = entry.backup.id.to_string();
    let at = entry.backup.accepted_at.format("%-d %b %Y %H:%M UTC");
    let age = holdfast_control::age(entry.backup.accepted_at, now);
    let proven = match entry.drill {
        Some((_, true)) => ", proven by a drill",
        _ if entry.verified_at.is_some() => ", verified",
        _ => "",
    };
    let label = format!("{at} ({age}), {}{proven}", size(entry.backup.size_bytes));
    Point { is_chosen: id == chosen, id, label }
}

/// Shows the plan of a restore or a drill, and asks for the confirmation.
pub async fn preview(
    State(site): State<Arc<Site>>,
    caller: Caller,
    uri: Uri,
    shown: Shown,
    body: String,
) -> Result<Response, Failure> {
    let kind = RestoreKind::of_path(uri.path());
    let asked = RestoreAsked::of_form(&SentForm::read(&body))?;
    let plan = site.plan(kind, &caller, &asked).await?;
    let token = site.forms.issue(&caller.binding).ok_or_else(Failure::no_randomness)?;
    let now = site.now().await?;
    let waits = plan.waits_for_approval(site.azure().four_eyes()).is_some();
    let content = PlanShown { waits, ..PlanShown::of(kind, &plan, &asked, (token, now)) };
    let title = match kind {
        RestoreKind::Restore => "Restore",
        RestoreKind::Drill => "Drill",
    };
    Ok(shown.answer(&Page { title: title.into(), tab: Tab::None, as_of: Some(now), live: None, content }))
}

/// Starts a confirmed restore or drill, and leads to the result.
pub async fn start(
    State(site): State<Arc<Site>>,
    caller: Caller,
    uri: Uri,
    body: String,
) -> Result<Response, Failure> {
    let kind = RestoreKind::of_path(uri.path());
    let sent = SentForm::read(&body);
    let asked = RestoreAsked::of_form(&sent)?;
    let (doing, person) = (Arc::clone(&site), caller.clone());
    let work = |permit| async move { doing.start(kind, (&permit, &person), &asked).await };
    let id = of_form(&site, &caller, &sent, work).await?;
    Ok(Redirect::to(&format!("/acts/{id}/result")).into_response())
}

impl PlanShown {
    fn of(
        kind: RestoreKind,
        plan: &RestorePlan,
        asked: &RestoreAsked,
        (token, now): (String, Timestamp),
    ) -> Self {
        let word = plan.word();
        Self {
            question: plan.question(),
            facts: facts(plan, now),
            warnings: plan.warnings.clone(),
            never: plan.never_restored.join(", "),
            action: kind.path(),
            token,
            fields: asked.fields(plan.backup.id),
            button: match kind {
                RestoreKind::Restore => format!("Restore into {word}"),
                RestoreKind::Drill => format!("Drill in {word}"),
            },
            waits: false,
            back: link::app_by_id(&plan.source),
            word,
        }
    }
}

fn facts(plan: &RestorePlan, now: Timestamp) -> Vec<Fact> {
    let backup = &plan.backup;
    let number = backup.id.map_or_else(|| "a blob".to_owned(), |id| format!("backup {id}"));
    let mut facts = vec![Fact::text("From", &format!("{number} of {}", plan.source.short_name()))];
    if let Some(at) = backup.taken_at {
        facts.push(Fact::new("Taken", ago(at, now)));
    }
    if let Some(bytes) = backup.size_bytes {
        facts.push(Fact::text("Size", &size(bytes)));
    }
    match backup.verified_at {
        Some(at) => facts.push(Fact::new("Verified", ago(at, now))),
        None => facts.push(Fact::text("Verified", "not since it was taken")),
    }
    let there = match plan.blobs {
        Blobs::Present => "archive and manifest are there",
        Blobs::NotChecked => "not checked: the policy says that storage is out of reach",
    };
    facts.push(Fact::text("Blob", &format!("{}: {there}", backup.blob)));
    facts.push(Fact::text("Into", &plan.target.app.to_string()));
    let target = match (plan.target.exists, &plan.target.state) {
        (true, Some(state)) => format!("exists, {}: everything in it is replaced", words(state)),
        (true, None) => "exists: everything in it is replaced".to_owned(),
        (false, _) => "is created".to_owned(),
    };
    facts.push(Fact::text("Target", &target));
    if plan.target.is_stopped {
        facts.push(Fact::text("Meanwhile", &format!("{} is stopped until Azure is done", plan.word())));
    }
    let databases: Vec<&str> = plan.databases.iter().map(|database| database.name.as_str()).collect();
    let databases = match (plan.ignore_databases, databases.is_empty()) {
        (true, _) => "are left as they are".to_owned(),
        (false, true) => "none in the backup".to_owned(),
        (false, false) => format!("{}: replaced too", databases.join(", ")),
    };
    facts.push(Fact::text("Databases", &databases));
    if let Some(probe) = &plan.probe {
        facts.push(Fact::text("Probe", probe));
    }
    facts
}
