//! Acts on one app or one run from a page: the form that says what it will do, and what it did.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use holdfast_model::AppId;

use crate::acts::{About, Act, ActKind};
use crate::backup_request::SentForm;
use crate::caller::Caller;
use crate::done::Work;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::link;
use crate::once::of_form;
use crate::site::Site;

#[derive(Template)]
#[template(path = "act.html")]
struct Form {
    sentence: String,
    detail: &'static str,
    action: String,
    token: String,
    fields: Vec<(&'static str, String)>,
    asks_length: bool,
    reason: &'static str,
    button: &'static str,
    back: String,
}

#[derive(Template)]
#[template(path = "acted.html")]
struct ActedContent {
    sentence: String,
    detail: String,
    app: String,
    name: String,
    run: Option<String>,
    approval: Option<String>,
    /// The number of runs, of an act that starts several.
    runs: usize,
}

/// Shows what an act will do, and asks why.
pub async fn form(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
    shown: Shown,
) -> Result<Response, Failure> {
    let kind: ActKind = kind.parse()?;
    let fields = SentForm::read(&query.unwrap_or_default());
    let act = Act::read(kind, |name| fields.value(name))?;
    let token = site.forms.issue(&caller.binding).ok_or_else(Failure::no_randomness)?;
    let content = Form::of(&site, &act, token).await?;
    let (title, tab) = (content.button.to_owned(), Tab::None);
    Ok(shown.answer(&Page { title, tab, as_of: None, live: None, content }))
}

/// Does what a form asks for, and leads to the result.
pub async fn act(
    State(site): State<Arc<Site>>,
    caller: Caller,
    uri: Uri,
    body: String,
) -> Result<Response, Failure> {
    let kind: ActKind = uri.path().rsplit('/').next().unwrap_or_default().parse()?;
    let sent = SentForm::read(&body);
    let act = Act::read(kind, |name| sent.value(name))?;
    let (doing, person) = (Arc::clone(&site), caller.clone());
    let work = |_| async move { act.perform(&doing, &person).await.map(Work::Act) };
    let id = of_form(&site, &caller, &sent, work).await?;
    Ok(Redirect::to(&format!("/acts/{id}/result")).into_response())
}

/// Shows what an act did.
pub async fn result(
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
    shown: Shown,
) -> Result<Response, Failure> {
    let done = site.forms.result(&id).ok_or_else(Failure::no_result)?;
    let Work::Act(done) = &done.work else { return Err(Failure::no_result()) };
    let content = ActedContent {
        sentence: done.sentence.clone(),
        detail: done.detail.clone(),
        app: link::app_by_id(&done.app),
        name: done.app.short_name(),
        run: done.run.map(link::run),
        approval: done.approval.map(link::approval),
        runs: done.runs.len(),
    };
    Ok(shown.answer(&Page { title: "Done".into(), tab: Tab::None, as_of: None, live: None, content }))
}

impl Form {
    async fn of(site: &Site, act: &Act, token: String) -> Result<Self, Failure> {
        let (name, back, fields) = match &act.about {
            About::App(app) => (app.short_name(), link::app_by_id(app), vec![("app", app.to_string())]),
            About::Backup(app, backup) => {
                let fields = vec![("app", app.to_string()), ("backup", backup.to_string())];
                (format!("backup {backup} of {}", app.short_name()), link::app_by_id(app), fields)
            }
            About::Run(run) => {
                let view = site.run(*run).await?;
                let name = format!("the {} of {}", view.run.what, AppId::short_name(&view.run.app));
                (name, link::run(*run), vec![("run", run.to_string())])
            }
        };
        let texts = Texts::of(act.kind);
        Ok(Self {
            sentence: texts.question.replace("{}", &name),
            detail: texts.detail,
            action: format!("/acts/{}", act.kind.as_str()),
            token,
            fields,
            asks_length: act.kind == ActKind::Pause,
            reason: texts.reason,
            button: texts.button,
            back,
        })
    }
}

/// What a form says.
struct Texts {
    question: &'static str,
    detail: &'static str,
    reason: &'static str,
    button: &'static str,
}

impl Texts {
    fn of(kind: ActKind) -> Self {
        let (question, detail, reason, button) = match kind {
            ActKind::Pause => (
                "Pause {}?",
                "Its schedule, its retention and its drills stop until the pause ends by itself. Runs under way go on. \
                 Ticks of the pause are not run later, and its objective goes on counting.",
                "Why",
                "Pause",
            ),
            ActKind::Resume => (
                "Resume {}?",
                "Its schedule goes on with the next tick. Nothing starts at once.",
                "Why",
                "Resume",
            ),
            ActKind::Acknowledge => (
                "Acknowledge {}?",
                "The app's failures up to this run need no attention until the next failure. An app past its objective \
                 stays past it.",
                "Note, for those who look later",
                "Acknowledge",
            ),
            ActKind::Cancel => (
                "Cancel {}?",
                "Only a run that waits can be cancelled: Azure cannot stop what it works on.",
                "Why",
                "Cancel the run",
            ),
            ActKind::Hold => (
                "Hold {}?",
                "Nothing deletes it until the hold is released, retention neither.",
                "Why",
                "Hold",
            ),
            ActKind::Release => ("Release {}?", "Retention decides about it again.", "Why", "Release"),
        };
        Self { question, detail, reason, button }
    }
}
