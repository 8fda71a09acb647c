//! The login page: a token in, a session out.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use url::{Url, form_urlencoded};

use crate::backup_request::SentForm;
use crate::caller::{Caller, Peer, Secure, Through};
use crate::cookie::Cookie;
use crate::failure::Failure;
use crate::layout::{Page, Tab};
use crate::logins::Client;
use crate::site::Site;

#[derive(Template)]
#[template(path = "login.html")]
struct Login {
    problem: Option<String>,
    next: String,
    /// Where the login by Entra ID begins, where there is one.
    entra: Option<String>,
}

tokio::task_local! {
    /// Where a login by Entra ID begins, in place of the request that this task answers; `None` without such logins.
    static ENTRA: Option<Url>;
}

/// Runs `work` as the answer of a listener whose logins by Entra ID begin at this address.
pub async fn offering<F: Future>(entra: Option<Url>, work: F) -> F::Output {
    ENTRA.scope(entra, work).await
}

/// Asks for a token.
pub async fn page(RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let next = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    asked(&next.map_or_else(|| "/".into(), |(_, next)| next), None, StatusCode::OK)
}

/// Begins a session with the token of the form, and leads to where the person was going.
pub async fn log_in(
    State(site): State<Arc<Site>>,
    Extension(Secure(is_secure)): Extension<Secure>,
    peer: Option<Extension<Peer>>,
    body: String,
) -> Response {
    let form = SentForm::read(&body);
    let next = local_path(form.value("next"));
    let client = Client { peer: peer.map(|Extension(peer)| peer), through: Through::Console };
    match site.logins.log_in(form.value("token"), client).await {
        Ok(value) => with_cookie(Redirect::to(next).into_response(), Cookie::SESSION.set(&value, is_secure)),
        Err(failure) => asked(next, Some(&failure), failure.status),
    }
}

/// Ends the session.
pub async fn log_out(
    State(site): State<Arc<Site>>,
    Extension(Secure(is_secure)): Extension<Secure>,
    caller: Caller,
    body: String,
) -> Result<Response, Failure> {
    if let Some(key) = &caller.session {
        if SentForm::read(&body).value("session") != caller.logout_token() {
            return Err(Failure::foreign_form());
        }
        site.logins.log_out(key);
        site.signal();
    }
    Ok(with_cookie(Redirect::to("/login").into_response(), Cookie::SESSION.clear(is_secure)))
}

/// The page, at the address that needs a login.
pub fn asked(next: &str, failure: Option<&Failure>, status: StatusCode) -> Response {
    let next = local_path(next);
    let entra = ENTRA.try_with(Clone::clone).ok().flatten().map(|mut url| {
        url.query_pairs_mut().append_pair("next", next);
        url.into()
    });
    let content =
        Login { problem: failure.map(|failure| failure.detail.clone()), next: next.to_owned(), entra };
    let page = Page { title: "Log in".into(), tab: Tab::Closed, as_of: None, live: None, content };
    (status, page.document()).into_response()
}

fn with_cookie(mut answer: Response, cookie: Option<axum::http::HeaderValue>) -> Response {
    answer.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    answer
}

/// A path of this console; `/` in place of an address that leads elsewhere.
pub fn local_path(path: &str) -> &str {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_local = path.starts_with('/') && !path.starts_with("//") && is_plain;
    if is_local && !path.starts_with("/login") && !path.starts_with("/logout") { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::local_path;

    #[test]
    fn a_login_leads_to_a_page_of_the_console_alone() {
        for path in ["/", "/fleet?q=a%20b", "/runs/018f"] {
            assert_eq!(local_path(path), path);
        }
        for path in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "evil", "/login"]
        {
            assert_eq!(local_path(path), "/", "{path:?}");
        }
    }
}
