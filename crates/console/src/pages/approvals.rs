//! A request that a second person confirms: what it will do, who asks, and the answers.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use holdfast_control::approvals::{ApprovalView, expiry, is_asker};
use holdfast_control::views::Severity;
use holdfast_model::{Actor, Timestamp};
use holdfast_store::{Approval, ApprovalState};

use crate::approvals::permission;
use crate::backup_request::SentForm;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::{Markup, ago, link, mark};
use crate::once::of_form;
use crate::site::Site;

#[derive(Template)]
#[template(path = "approval.html")]
struct Content {
    title: String,
    state: Markup,
    who: String,
    asked: Markup,
    expires: String,
    reason: String,
    effect: Vec<(String, String)>,
    decided: Option<(String, Markup)>,
    runs: Vec<(String, String)>,
    form: Option<Answers>,
    app: String,
    name: String,
}

/// What the caller may answer.
struct Answers {
    action: String,
    token: String,
    is_asker: bool,
}

/// Shows a request.
pub async fn page(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
    shown: Shown,
) -> Result<Response, Failure> {
    let (approval, now) = (site.approval(&id).await?, site.now().await?);
    let may = approval.is_pending(now) && caller.principal.may(permission(approval.kind));
    let form = if may {
        let token = site.forms.issue(&caller.binding).ok_or_else(Failure::no_randomness)?;
        let action = format!("/approvals/{}", approval.id);
        Some(Answers { action, token, is_asker: is_asker(&approval, &caller.actor) })
    } else {
        None
    };
    let content = Content::of(&approval, form, now);
    let title = content.title.clone();
    Ok(shown.answer(&Page { title, tab: Tab::None, as_of: Some(now), live: None, content }))
}

/// Does what a form answers, and leads to the result.
pub async fn answer(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
    uri: Uri,
    body: String,
) -> Result<Response, Failure> {
    let answering = uri.path().rsplit('/').next().unwrap_or_default().parse()?;
    let sent = SentForm::read(&body);
    let reason = sent.value("reason").to_owned();
    let (doing, person) = (Arc::clone(&site), caller.clone());
    let work = |_| async move { doing.answer((answering, &id), &reason, &person).await };
    let result = of_form(&site, &caller, &sent, work).await?;
    Ok(Redirect::to(&format!("/acts/{result}/result")).into_response())
}

impl Content {
    fn of(approval: &Approval, form: Option<Answers>, now: Timestamp) -> Self {
        let view = ApprovalView::of(approval, now);
        let (severity, word) = match view.state {
            ApprovalState::Pending => (Severity::Warn, "waits for a second person"),
            ApprovalState::Approved => (Severity::Ok, "confirmed"),
            ApprovalState::Declined => (Severity::Muted, "declined"),
            ApprovalState::Withdrawn => (Severity::Muted, "withdrawn"),
            ApprovalState::Expired => (Severity::Muted, "expired"),
        };
        let mut title = view.what.clone();
        if let Some(first) = title.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        let decision = view.decision.as_ref();
        let runs = decision.into_iter().flat_map(|decision| &decision.runs);
        Self {
            title,
            state: mark(severity, word),
            who: who(&view.asked_by),
            asked: ago(view.asked_at, now),
            expires: expiry(approval, now),
            reason: view.reason.clone(),
            effect: view.effect.into_iter().map(|line| (line.name, line.value)).collect(),
            decided: decision.map(|decision| (who(&decision.by), ago(decision.at, now))),
            runs: runs.map(|run| (link::run(*run), run.to_string())).collect(),
            form,
            app: link::app_by_id(&view.app),
            name: view.name,
        }
    }
}

/// A person with what proves the name: the login, or nothing on the command line.
fn who(actor: &Actor) -> String {
    let through = actor.through.as_deref().unwrap_or("the command line");
    let from = actor.address.as_ref().or(actor.host.as_ref());
    let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
    let login = actor.login.as_ref().map_or("without a login".to_owned(), |login| format!("by {login}"));
    format!("{}, {login}, through {through}{from}", actor.name)
}
