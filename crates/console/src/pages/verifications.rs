//! Verifying the backups of apps from a page: the confirmation, and what was found so far and in the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use holdfast_control::AppSelection;
use holdfast_control::verify::{VerifiedBackup, VerifyReport, VerifyResult};
use holdfast_control::views::actions::Selection;
use holdfast_control::views::{FleetReading, Severity, matching};
use holdfast_model::AppId;

use crate::backup_request::{Asked, SentForm, apps_in_scope};
use crate::caller::Caller;
use crate::done::Work;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::{Markup, counted, link, mark, sentence, thousands};
use crate::once::of_form;
use crate::operations::{Look, NewOperation, State as OperationState};
use crate::pages::backups::{Confirmation, NAMES, Preview, back, is_confirmed, linked, not_confirmed};
use crate::site::Site;

/// The interval at which the page of a verification under way is refreshed, in seconds.
const LIVE: u16 = 2;

#[derive(Template)]
#[template(path = "verification.html")]
struct Content {
    sentence: String,
    detail: String,
    failure: Option<String>,
    total: String,
    rows: Vec<RowShown>,
    more: usize,
}

struct RowShown {
    href: String,
    name: String,
    backup: i64,
    mark: Markup,
    detail: String,
    next: Markup,
}

/// Shows what a verification would read, and asks for the confirmation.
pub async fn preview(
    State(site): State<Arc<Site>>,
    caller: Caller,
    shown: Shown,
    body: String,
) -> Result<Response, Failure> {
    let form = SentForm::read(&body);
    let reading = site.reading().await?.reading;
    let asked = form.asked(|query| matching(&reading, query).len())?;
    let apps = apps_of(&reading, &asked)?;
    apps_in_scope(&caller.principal, &reading, &apps)?;
    let token = site.forms.issue(&caller.binding).ok_or_else(Failure::no_randomness)?;
    let (count, names) = (apps.len(), linked(apps.iter()));
    let mut fields = SentForm::of_asked(&asked, None);
    fields.push(("expected".to_owned(), count.to_string()));
    let button = format!("Verify {}", counted(count, "app"));
    let content = Preview {
        sentence: format!("Verify the backups of {}?", counted(count, "app")),
        cost: "Reads Azure's list of each app's backups and looks for each blob. Changes nothing at Azure; the audit has what \
               is verified, what is lost, and you."
            .to_owned(),
        notes: Vec::new(),
        form: (count > 0).then_some(Confirmation { action: "/verifications", token, fields, count, button }),
        back: back(&asked),
        total: thousands(count),
        more: count - names.len(),
        names,
        left_out: Vec::new(),
        left_out_total: String::new(),
    };
    let as_of = Some(reading.at);
    Ok(shown.answer(&Page { title: "Verify".into(), tab: Tab::Fleet, as_of, live: None, content }))
}

/// Begins the verification of a confirmed form, and leads to its page.
pub async fn start(State(site): State<Arc<Site>>, caller: Caller, body: String) -> Result<Response, Failure> {
    let form = SentForm::read(&body);
    let asked = form.asked(|_| 0)?;
    let (is_confirmed, expected) = (is_confirmed(&form), form.value("expected").to_owned());
    let (doing, person) = (Arc::clone(&site), caller.clone());
    let work = |permit: crate::forms::Permit| async move {
        if !is_confirmed {
            return Err(not_confirmed());
        }
        let reading = doing.reading().await?.reading;
        let apps = apps_of(&reading, &asked)?;
        apps_in_scope(&person.principal, &reading, &apps)?;
        if apps.len().to_string() != expected {
            return Err(changed());
        }
        begin(&doing, permit.id, &person, &apps).await?;
        Ok(Work::Verification)
    };
    let id = of_form(&site, &caller, &form, work).await?;
    Ok(Redirect::to(&format!("/verifications/{id}")).into_response())
}

/// Verifies in the background.
async fn begin(site: &Arc<Site>, id: String, caller: &Caller, apps: &[AppId]) -> Result<(), Failure> {
    let (doing, actor, rng) = (Arc::clone(site), caller.actor.clone(), site.rng()?);
    let what = format!("{id} {}", apps.len());
    let selection = AppSelection::Named(apps.iter().map(ToString::to_string).collect());
    let work = |progress: Arc<std::sync::atomic::AtomicUsize>| async move {
        let done = || {
            progress.fetch_add(1, Ordering::Relaxed);
        };
        let report = doing.azure().verify(&actor, &selection, rng, &done).await?;
        doing.expire();
        Ok(report)
    };
    let new = NewOperation { id, owner: String::new(), what };
    site.verifications.begin(new, work).await.map(drop)
}

/// Shows how far a verification is, and what it found.
pub async fn result(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    shown: Shown,
) -> Result<Response, Failure> {
    let look = site.verifications.look(&id).await?;
    let live = matches!(look.state, OperationState::UnderWay).then_some(LIVE);
    let (as_of, content) = (Some(site.now().await?), Content::of(&look));
    Ok(shown.answer(&Page { title: "Verification".into(), tab: Tab::Fleet, as_of, live, content }))
}

fn apps_of(reading: &FleetReading, asked: &Asked) -> Result<Vec<AppId>, Failure> {
    match asked {
        Asked::Apps(Selection::Apps(apps)) => Ok(apps.iter().cloned().collect()),
        Asked::Apps(Selection::Matching { query, .. }) => {
            Ok(matching(reading, query).into_iter().map(|status| status.app.clone()).collect())
        }
        Asked::Runs(_) => Err(Failure::bad_query("The form names runs, and apps are verified.")),
    }
}

fn changed() -> Failure {
    let detail = "Other apps match now than when the page was made, so nothing was begun.";
    Failure::new(StatusCode::CONFLICT, "conflict", "The fleet has changed", detail)
        .help("Go back, and ask again.")
}

impl Content {
    fn of(look: &Look<VerifyReport>) -> Self {
        let all = look.what.rsplit(' ').next().unwrap_or_default();
        let mut content = Self {
            sentence: format!("{} of {all} apps are verified.", thousands(look.progress)),
            detail: "It goes on when you leave this page.".to_owned(),
            failure: None,
            total: String::new(),
            rows: Vec::new(),
            more: 0,
        };
        match &look.state {
            OperationState::UnderWay => {}
            OperationState::Failed(failure) => {
                content.detail = String::from("It ended early. What was found by then is in the audit.");
                content.failure = Some(failure.detail.clone());
            }
            OperationState::Done(report) => {
                let others = || report.backups.iter().filter(|backup| backup.next.is_some());
                let count = others().count();
                content.rows = others().take(NAMES).map(row).collect();
                content.more = count - content.rows.len();
                content.total = thousands(count);
                content.sentence = found(report);
                content.detail = without_storage(report);
            }
        }
        content
    }
}

fn found(report: &VerifyReport) -> String {
    let VerifyReport { apps, verified, lost, unchecked, .. } = report;
    let backups = counted(report.backups.len(), "backup");
    match (lost, unchecked) {
        (0, 0) => format!("All {backups} of {} are there and whole.", counted(*apps, "app")),
        _ => format!(
            "Of {backups} of {}, {} are verified, {} are lost, and {} could not be checked.",
            counted(*apps, "app"),
            thousands(*verified),
            thousands(*lost),
            thousands(*unchecked)
        ),
    }
}

fn without_storage(report: &VerifyReport) -> String {
    match report.without_storage {
        0 => "Azure lists each verified backup, and its blob is there.".to_owned(),
        count => {
            format!("{} alone in Azure's list, because storage is out of reach.", counted(count, "backup"))
        }
    }
}

fn row(found: &VerifiedBackup) -> RowShown {
    let (mark, detail) = match &found.result {
        VerifyResult::Verified { .. } => (mark(Severity::Ok, "verified"), ""),
        VerifyResult::Lost { detail } => (mark(Severity::Bad, "lost"), detail.as_str()),
        VerifyResult::Unchecked { detail } => (mark(Severity::Warn, "not checked"), detail.as_str()),
    };
    RowShown {
        href: link::app(&found.app),
        name: found.app.short_name(),
        backup: found.backup_id,
        mark,
        detail: detail.to_owned(),
        next: sentence(found.next.as_deref().unwrap_or_default()),
    }
}
