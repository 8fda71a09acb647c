//! Backing up from a page: what it would do, the confirmation, and what it did.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use holdfast_control::retry::RunSelection;
use holdfast_control::views::actions::{BackupPreview, Selection, WriteEstimate};
use holdfast_control::views::matching;
use holdfast_model::AppId;

use crate::backup_request::{self, Asked, Resolved, SentForm, in_scope};
use crate::caller::Caller;
use crate::done::Work;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::{counted, link, span, thousands};
use crate::once::of_form;
use crate::pages::activity_url;
use crate::site::Site;

/// Names that a page lists.
pub const NAMES: usize = 200;

/// What a request about several apps would do.
#[derive(Template)]
#[template(path = "preview.html")]
pub struct Preview {
    pub sentence: String,
    pub cost: String,
    pub notes: Vec<String>,
    pub form: Option<Confirmation>,
    pub back: String,
    pub total: String,
    pub names: Vec<(String, String)>,
    pub more: usize,
    pub left_out: Vec<(String, String)>,
    pub left_out_total: String,
}

/// A form that asks for the number of apps.
pub struct Confirmation {
    pub action: &'static str,
    pub token: String,
    pub fields: Vec<(String, String)>,
    pub count: usize,
    pub button: String,
}

#[derive(Template)]
#[template(path = "result.html")]
struct ResultContent {
    sentence: String,
    detail: String,
    total: String,
    runs: Vec<(String, String)>,
    more: usize,
    left_out: Vec<(String, String)>,
}

/// Shows what backing up a selection would do, and asks for the confirmation.
pub async fn preview(
    State(site): State<Arc<Site>>,
    caller: Caller,
    shown: Shown,
    body: String,
) -> Result<Response, Failure> {
    let form = SentForm::read(&body);
    let cached = site.reading_now().await?;
    if cached.store_away {
        return Err(Failure::store_away());
    }
    let asked = form.asked(|query| matching(&cached.reading, query).len())?;
    let Resolved { selection, left_out, runs } = site.resolve(&cached.reading, asked.clone()).await?;
    let mut preview = site.backups().preview(&cached.reading, &selection)?;
    preview.left_out.extend(left_out);
    in_scope(&caller.principal, &cached.reading, &preview)?;
    let token = site.forms.issue(&caller.binding).ok_or_else(Failure::no_randomness)?;
    let content = Preview::of(&preview, (&asked, runs), token);
    let (title, as_of) = ("Back up now".into(), Some(cached.reading.at));
    Ok(shown.answer(&Page { title, tab: Tab::Fleet, as_of, live: None, content }))
}

/// Starts the backups of a confirmed form, and leads to the result.
pub async fn start(State(site): State<Arc<Site>>, caller: Caller, body: String) -> Result<Response, Failure> {
    let form = SentForm::read(&body);
    let asked = form.asked(|_| 0)?;
    let is_confirmed = is_confirmed(&form);
    let (doing, person) = (Arc::clone(&site), caller.clone());
    let work = |permit| async move {
        if !is_confirmed {
            return Err(not_confirmed());
        }
        backup_request::start(&doing, (&permit, &person), asked).await.map(Work::Backups)
    };
    let id = of_form(&site, &caller, &form, work).await?;
    Ok(Redirect::to(&format!("/backups/{id}")).into_response())
}

/// Apps with their pages, by name, as many as a page lists.
pub fn linked<'a>(apps: impl Iterator<Item = &'a AppId>) -> Vec<(String, String)> {
    let mut shown: Vec<(String, String)> =
        apps.take(NAMES).map(|app| (link::app(app), app.short_name())).collect();
    shown.sort();
    shown
}

/// Whether the number of apps was typed.
pub fn is_confirmed(form: &SentForm) -> bool {
    form.value("count").replace([',', ' '], "") == form.value("expected")
}

/// The number was not typed.
pub fn not_confirmed() -> Failure {
    let detail = "The number that was typed is not the number of apps, so nothing was started.";
    let failure = Failure::new(StatusCode::BAD_REQUEST, "not_confirmed", "Not confirmed", detail);
    failure.help("Go back, and type the number that the page shows.")
}

/// Shows what a request did.
pub async fn result(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    shown: Shown,
) -> Result<Response, Failure> {
    let done = site.forms.result(&id).ok_or_else(Failure::no_result)?;
    let Work::Backups(started) = &done.work else { return Err(Failure::no_result()) };
    let runs = started.runs.iter().take(NAMES);
    let runs: Vec<(String, String)> = runs.map(|run| (link::run(*run), run.to_string())).collect();
    let content = ResultContent {
        sentence: match started.runs.len() {
            0 => "No backup was started.".to_owned(),
            1 => "One backup starts now.".to_owned(),
            count => format!("{} backups start now.", thousands(count)),
        },
        detail: detail(started.under_way.len(), started.left_out.len(), started.is_repeated),
        total: thousands(started.runs.len()),
        more: started.runs.len() - runs.len(),
        runs,
        left_out: names(started.left_out.iter().map(|left| (&left.app, left.why.clone()))),
    };
    Ok(shown.answer(&Page {
        title: "Backups started".into(),
        tab: Tab::Fleet,
        as_of: None,
        live: None,
        content,
    }))
}

fn detail(under_way: usize, left_out: usize, is_repeated: bool) -> String {
    let mut parts = Vec::new();
    if is_repeated {
        parts.push("The same request was sent before, and its runs were added then.".to_owned());
    }
    if under_way > 0 {
        parts.push(format!("{} had a run under way already.", counted(under_way, "app")));
    }
    if left_out > 0 {
        parts.push(format!("{} cannot be backed up.", counted(left_out, "app")));
    }
    parts.push("Workers take the runs as Azure's budget allows. The audit names you.".to_owned());
    parts.join(" ")
}

fn names<'a>(apps: impl Iterator<Item = (&'a AppId, String)>) -> Vec<(String, String)> {
    apps.take(NAMES).map(|(app, why)| (app.short_name(), why)).collect()
}

impl Preview {
    /// The preview; `runs` is the number of runs that were found for a retry.
    fn of(preview: &BackupPreview, (asked, runs): (&Asked, Option<usize>), token: String) -> Self {
        let count = preview.starts.len();
        let apps = counted(count, "app");
        let shown = linked(preview.starts.iter());
        let under_way = preview.under_way.iter().map(|app| (app, "has a run under way".to_owned()));
        let left_out = preview.left_out.iter().map(|left| (&left.app, left.why.clone()));
        let mut fields = SentForm::of_asked(asked, runs);
        fields.push(("expected".to_owned(), count.to_string()));
        let button = format!("Back up {apps}");
        Self {
            sentence: match count {
                0 => "There is nothing to back up.".to_owned(),
                _ => format!("Back up {apps} now?"),
            },
            cost: cost(&preview.writes),
            notes: runs
                .map(|runs| format!("{} selected. An app is backed up once.", counted(runs, "run")))
                .into_iter()
                .collect(),
            form: (count > 0).then_some(Confirmation { action: "/backups", token, fields, count, button }),
            back: back(asked),
            total: thousands(count),
            more: count - shown.len(),
            names: shown,
            left_out_total: thousands(preview.under_way.len() + preview.left_out.len()),
            left_out: names(under_way.chain(left_out)),
        }
    }
}

/// The page that the person came from.
pub fn back(asked: &Asked) -> String {
    match asked {
        Asked::Apps(Selection::Apps(_)) => "/fleet".to_owned(),
        Asked::Apps(Selection::Matching { query, .. }) => link::fleet(query),
        Asked::Runs(RunSelection::Runs(_)) => "/activity".to_owned(),
        Asked::Runs(RunSelection::Matching { query, .. }) => {
            link::with_query("/activity", &activity_url(query))
        }
    }
}

/// What it costs of Azure's budget, in a sentence.
fn cost(writes: &[WriteEstimate]) -> String {
    let all: u64 = writes.iter().map(|one| one.writes).sum();
    if all == 0 {
        return "Nothing is asked of Azure.".to_owned();
    }
    let where_from =
        if writes.len() == 1 { String::new() } else { format!(" in {} subscriptions", writes.len()) };
    let last = match writes.iter().map(|one| one.takes_s).max_by_key(|takes| takes.unwrap_or(u64::MAX)) {
        Some(Some(0)) if all == 1 => "Azure's budget takes it at once".to_owned(),
        Some(Some(0)) => "Azure's budget takes them at once".to_owned(),
        Some(Some(seconds)) => format!("Azure's budget takes the last of them after about {}", span(seconds)),
        _ => "Azure's budget never takes all of them".to_owned(),
    };
    format!("{}{where_from}: {last}. Scheduled backups go on beside them.", counted(all, "write"))
}
