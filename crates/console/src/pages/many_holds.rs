//! Holds on backups of many apps from pages: which backups are held or released, why, and their confirmation.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use holdfast_control::holds::many::{HoldsPlan, ManyHolds};
use holdfast_control::selector::Selector;
use holdfast_model::{AppId, CatalogEntry, Timestamp, parse_timestamp};

use crate::backup_request::SentForm;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::many_holds::NewHolds;
use crate::markup::{Markup, ago, counted, link, size, thousands};
use crate::once::of_form;
use crate::pages::many::{number, selected};
use crate::site::Site;

#[derive(Template)]
#[template(path = "many_holds.html")]
struct Preview {
    question: String,
    release: bool,
    action: &'static str,
    token: String,
    /// The selection.
    fields: Vec<(String, String)>,
    at: String,
    word: String,
    button: String,
    total: String,
    rows: Vec<Row>,
    more: usize,
    left_out: Vec<(String, String)>,
    left_out_more: usize,
}

struct Row {
    name: String,
    href: String,
    backup: String,
    taken: Markup,
    size: String,
    hold: String,
}

/// Rows of each list.
const ROWS: usize = 500;

const HOLD: &str = "/holds/many";
const RELEASE: &str = "/holds/many/release";

/// Shows which backups are held or released, and asks why.
pub async fn preview(
    State(site): State<Arc<Site>>,
    caller: Caller,
    uri: Uri,
    shown: Shown,
    body: String,
) -> Result<Response, Failure> {
    let sent = SentForm::read(&body);
    let (asked, apps) = selected(&site, &sent).await?;
    let wanted = holds(&uri, &sent, &apps)?;
    let (plan, now) = (site.plan_holds(&caller, &wanted).await?, site.now().await?);
    let token = site.forms.issue(&caller.binding).ok_or_else(Failure::no_randomness)?;
    let at = sent.value("at").trim().to_owned();
    let fields = SentForm::of_asked(&asked, None);
    let content = Preview { token, fields, at, ..Preview::of(&plan, now) };
    let title = if wanted.release { "Release holds" } else { "Hold backups" }.into();
    Ok(shown.answer(&Page { title, tab: Tab::Fleet, as_of: Some(now), live: None, content }))
}

/// Holds or releases what a confirmed form is about, and leads to the result.
pub async fn start(
    State(site): State<Arc<Site>>,
    caller: Caller,
    uri: Uri,
    body: String,
) -> Result<Response, Failure> {
    let sent = SentForm::read(&body);
    let (_, apps) = selected(&site, &sent).await?;
    let wanted = NewHolds {
        holds: holds(&uri, &sent, &apps)?,
        reason: sent.value("reason").to_owned(),
        confirm: number(&sent)?,
    };
    let (doing, person) = (Arc::clone(&site), caller.clone());
    let work = |_| async move { doing.change_holds((&person, None), &wanted).await };
    let id = of_form(&site, &caller, &sent, work).await?;
    Ok(Redirect::to(&format!("/acts/{id}/result")).into_response())
}

fn holds(uri: &Uri, sent: &SentForm, apps: &[AppId]) -> Result<ManyHolds, Failure> {
    let release = uri.path().starts_with(RELEASE);
    let at = match sent.value("at").trim() {
        "" => None,
        _ if release => {
            return Err(Failure::bad_query("All holds of the apps are released, whatever their time."));
        }
        at => {
            Some(parse_timestamp(at).map_err(|_| Failure::bad_query("The point in time is not RFC 3339."))?)
        }
    };
    let names = apps.iter().map(ToString::to_string).collect();
    Ok(ManyHolds { select: Selector { names, ..Selector::default() }, at, release })
}

impl Preview {
    fn of(plan: &HoldsPlan, now: Timestamp) -> Self {
        let HoldsPlan { release, backups, left_out } = plan;
        let count = counted(backups.len(), "backup");
        let (question, action, button) = match (backups.is_empty(), release) {
            (true, _) => ("There is nothing to do.".to_owned(), "", String::new()),
            (false, true) => (format!("Release {count}?"), RELEASE, format!("Release {count}")),
            (false, false) => (format!("Hold {count}?"), HOLD, format!("Hold {count}")),
        };
        let left = left_out.iter().map(|left| (left.app.short_name(), left.why.clone()));
        Self {
            question,
            release: *release,
            action,
            token: String::new(),
            fields: Vec::new(),
            at: String::new(),
            word: backups.len().to_string(),
            button,
            total: thousands(backups.len()),
            rows: backups.iter().take(ROWS).map(|entry| row(entry, now)).collect(),
            more: backups.len().saturating_sub(ROWS),
            left_out: left.take(ROWS).collect(),
            left_out_more: left_out.len().saturating_sub(ROWS),
        }
    }
}

fn row(entry: &CatalogEntry, now: Timestamp) -> Row {
    Row {
        name: entry.app.short_name(),
        href: link::app_by_id(&entry.app),
        backup: entry.backup.id.to_string(),
        taken: ago(entry.backup.accepted_at, now),
        size: size(entry.backup.size_bytes),
        hold: entry.hold.clone().unwrap_or_default(),
    }
}
