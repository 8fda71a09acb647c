//! What a client gets instead of what it asked for: a page for people, RFC 9457 for programs.

use std::borrow::Cow;

use askama::Template;
use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use holdfast_access::{Permission, Principal};
use holdfast_control::{Error, ErrorKind, app_names};
use holdfast_model::{AppId, fold_case};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::attempts::WINDOW;
use crate::layout::{Page, Tab};

/// Why a request is not answered. Its texts contain no secret and nothing of the store's insides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The HTTP status.
    #[serde(with = "number")]
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: Cow<'static, str>,
    /// What happened, in a few words.
    pub title: String,
    /// What happened and why, as a sentence.
    pub detail: String,
    /// What to do next.
    pub help: Option<String>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct Content<'a> {
    failure: &'a Failure,
}

/// A status as its number.
mod number {
    #![expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives the field by reference")]

    use axum::http::StatusCode;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(status.as_u16())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<StatusCode, D::Error> {
        StatusCode::from_u16(u16::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A problem, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem<'a> {
    /// `about:blank`: the title says what kind of problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What happened, in a few words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// A stable word for programs.
    code: &'a str,
    /// What happened and why, as a sentence.
    detail: &'a str,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

impl Failure {
    /// A failure without advice.
    pub fn new(status: StatusCode, code: &'static str, title: &str, detail: impl Into<String>) -> Self {
        Self { status, code: code.into(), title: title.to_owned(), detail: detail.into(), help: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// There is no such page.
    pub fn no_page() -> Self {
        let detail = "There is no page at this address.";
        Self::new(StatusCode::NOT_FOUND, "no_such_page", "No such page", detail)
            .help("The links at the top lead to every page.")
    }

    /// The page does not take this method.
    pub fn no_method() -> Self {
        let detail = "This address does not take a request of this kind.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Not that way", detail)
    }

    /// The address or the form contains something that cannot be read.
    pub fn bad_query(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_query", "The address cannot be read", detail)
            .help("Open the page without its query, and choose again.")
    }

    /// No app has the name, or several have it: what commands say, with the code of a name.
    pub fn of_name(known: &[AppId], name: &str) -> Self {
        let several = known.iter().filter(|app| app.short_name() == fold_case(name)).count() > 1;
        let (status, code, title) = if several {
            (StatusCode::CONFLICT, "ambiguous_app", "Several apps have the name")
        } else {
            (StatusCode::NOT_FOUND, "no_such_app", "No such app")
        };
        let Err(error) = app_names::app(known, name) else { return Self::no_page() };
        Self { status, code: code.into(), title: title.to_owned(), ..error.into() }
    }

    /// There is no such run.
    pub fn no_run(id: &str) -> Self {
        let detail = format!("The store has no run {id}.");
        Self::new(StatusCode::NOT_FOUND, "no_such_run", "No such run", detail)
            .help("The activity lists the runs.")
    }

    /// The same request is being carried out.
    pub fn under_way() -> Self {
        let detail = "The same request was sent before, and is being carried out.";
        Self::new(StatusCode::CONFLICT, "under_way", "Already under way", detail)
            .help("Look at the activity in a moment.")
    }

    /// The result of a request is not known here.
    pub fn no_result() -> Self {
        let detail = "This process does not know what came of that request: it was more than an hour ago, or another \
                      process carried it out.";
        Self::new(StatusCode::NOT_FOUND, "no_such_result", "No such result", detail)
            .help("The activity and the audit have its runs.")
    }

    /// The store does not answer.
    pub fn store_away() -> Self {
        let detail = "Holdfast's store does not answer, so this page has nothing to show. Backups that are \
                      under way at Azure go on.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "The store is away", detail)
            .help("Load the page again in a moment. /readyz says what the process waits for.")
    }

    /// The system gives no randomness.
    pub fn no_randomness() -> Self {
        let detail = "The system gives no randomness, so a form cannot be made.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "no_randomness", "No form", detail)
    }

    /// The form of a page is not known here.
    pub fn form_expired() -> Self {
        let detail =
            "This form was not issued by this process to you, or more than an hour ago. Nothing was done.";
        Self::new(StatusCode::FORBIDDEN, "form_expired", "The form is too old", detail)
            .help("Open the page again, and ask again.")
    }

    /// The pages are not served to this client.
    pub fn forbidden(why: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Not from here", sentence(why))
    }

    /// The request has no login.
    pub fn login_demanded() -> Self {
        let detail = "The request has no login.";
        Self::new(StatusCode::UNAUTHORIZED, "login_demanded", "Log in", detail)
            .help("A program sends its token as `Authorization: Bearer TOKEN`.")
    }

    /// The principal's role is too small.
    pub fn not_permitted(principal: &Principal, permission: Permission) -> Self {
        let needed = permission.least_role();
        let detail = format!("{principal} may not {permission}: that needs the role {needed}.");
        Self::new(StatusCode::FORBIDDEN, "not_permitted", "Not permitted", detail)
            .help("An admin can create a token with that role.")
    }

    /// The principal's acts are limited to policies.
    pub fn out_of_scope(why: &str) -> Self {
        let detail = format!("This login may act on the apps of some policies alone, and {why}.");
        Self::new(StatusCode::FORBIDDEN, "out_of_scope", "Out of scope", detail)
            .help("GET /api/v1/whoami names the policies.")
    }

    /// The header `Authorization` has another form.
    pub fn not_bearer() -> Self {
        let detail = "The header Authorization cannot be read.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_token", "Not logged in", detail)
            .help("Send one header `Authorization: Bearer TOKEN`.")
    }

    /// The form belongs to another session.
    pub fn foreign_form() -> Self {
        let detail = "This form is not of this session.";
        Self::new(StatusCode::FORBIDDEN, "form_expired", "The form is too old", detail)
            .help("Load the page again.")
    }

    /// The failure as RFC 9457.
    pub fn problem(&self) -> Response {
        let problem = Problem {
            kind: "about:blank",
            title: &self.title,
            status: self.status.as_u16(),
            code: &self.code,
            detail: &self.detail,
            help: self.help.as_deref(),
        };
        let mut answer = (self.status, Json(problem)).into_response();
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.complete(answer)
    }
}

impl Failure {
    /// Adds the headers of the status, and the code for the gate, which records what is refused.
    fn complete(&self, mut answer: Response) -> Response {
        let headers = answer.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(RETRY_AFTER, HeaderValue::from(WINDOW.as_secs()));
            }
            StatusCode::FORBIDDEN => drop(answer.extensions_mut().insert(Forbidden(self.code.clone()))),
            _ => {}
        }
        answer
    }
}

/// A text as a sentence.
pub fn sentence(text: &str) -> String {
    let mut sentence = format!("{text}.");
    if let Some(first) = sentence.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

/// The code of a failure, in the extensions of an answer 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden(pub Cow<'static, str>);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, code, title) = match error.kind() {
            ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid", "The request cannot be done"),
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found", "Not found"),
            ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict", "Nothing was done"),
            ErrorKind::Refused => (StatusCode::UNPROCESSABLE_ENTITY, "refused", "Refused"),
            ErrorKind::Broker => {
                (StatusCode::SERVICE_UNAVAILABLE, "broker_unavailable", "The broker did not answer")
            }
            ErrorKind::Azure => (StatusCode::BAD_GATEWAY, "azure_unavailable", "Azure did not answer"),
            ErrorKind::Store => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the console cannot read the store");
                return Self::store_away();
            }
        };
        let failure = Self::new(status, code, title, error.with_causes());
        Self { help: error.advice().map(ToOwned::to_owned), ..failure }
    }
}

/// A failure of the API.
#[derive(Debug)]
pub struct ApiFailure(pub Failure);

impl<E: Into<Failure>> From<E> for ApiFailure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiFailure {
    fn into_response(self) -> Response {
        self.0.problem()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let content = Content { failure: &self };
        let tab = if self.code == "forbidden" { Tab::Closed } else { Tab::None };
        let page = Page { title: self.title.clone(), tab, as_of: None, live: None, content };
        self.complete((self.status, page.document()).into_response())
    }
}
