//! The login of a person by Entra ID: away to Entra, and back.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use url::form_urlencoded;

use crate::caller::{Peer, Secure, Through};
use crate::cookie::Cookie;
use crate::entra_logins::{Begun, LoggedIn, Return};
use crate::failure::Failure;
use crate::logins::Client;
use crate::pages::login::{asked, local_path};
use crate::site::Site;

/// The longest path to which a login leads. A longer one leads to the first page.
const NEXT_MAX: usize = 2_000;

/// Sends the person to Entra.
pub async fn begin(
    State(site): State<Arc<Site>>,
    Extension(Secure(is_secure)): Extension<Secure>,
    peer: Option<Extension<Peer>>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(entra) = &site.entra else { return Failure::no_page().into_response() };
    let query = Query::read(query);
    let next = local_path(query.value("next").filter(|next| next.len() <= NEXT_MAX).unwrap_or("/"));
    match entra.begin(&site.logins, next, client(peer)).await {
        Ok(Begun { url, cookie }) => {
            let mut answer = Redirect::to(url.as_str()).into_response();
            answer.headers_mut().extend(Cookie::LOGIN.set(&cookie, is_secure).map(|line| (SET_COOKIE, line)));
            answer
        }
        Err(failure) => asked(next, Some(&failure), failure.status),
    }
}

/// Takes the person back from Entra. The address has a code: it leads on, and no page is shown at it after a login.
pub async fn end(
    State(site): State<Arc<Site>>,
    Extension(Secure(is_secure)): Extension<Secure>,
    peer: Option<Extension<Peer>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(entra) = &site.entra else { return Failure::no_page().into_response() };
    let query = Query::read(query);
    let value = |name| query.value(name).unwrap_or_default();
    let outcome = query.value("code").ok_or_else(|| (value("error"), value("error_description")));
    let cookie = Cookie::LOGIN.read(&headers, is_secure).unwrap_or_default();
    match entra.end(&site.logins, Return { cookie, state: value("state"), outcome }, client(peer)).await {
        Ok(LoggedIn { session, next }) => {
            let mut answer = Redirect::to(&next).into_response();
            let lines = [Cookie::SESSION.set(&session, is_secure), Cookie::LOGIN.clear(is_secure)];
            for line in lines.into_iter().flatten() {
                answer.headers_mut().append(SET_COOKIE, line);
            }
            answer
        }
        Err(failure) => asked("/", Some(&failure), failure.status),
    }
}

fn client(peer: Option<Extension<Peer>>) -> Client {
    Client { peer: peer.map(|Extension(peer)| peer), through: Through::Console }
}

/// The query of an address. It holds the code of a login, so it has no `Debug`.
struct Query(Vec<(String, String)>);

impl Query {
    fn read(query: Option<String>) -> Self {
        let query = query.unwrap_or_default();
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The value of a name that is there once.
    fn value(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(of, _)| of == name);
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }
}
