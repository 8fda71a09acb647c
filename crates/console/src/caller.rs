//! The caller of a request: the principal, and from where and through what it asks.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use holdfast_access::{LoginMethod, Permission, Principal};
use holdfast_model::Actor;

use crate::failure::Failure;

tokio::task_local! {
    /// The caller of the request that this task answers, for the frame of its page.
    static CURRENT: Option<Caller>;
}

/// The network address of the client, as the listener saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Through what a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// A page.
    Console,
    /// The API.
    Api,
}

/// Who asks, from where and through what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who asks.
    pub principal: Principal,
    /// The same for the audit.
    pub actor: Actor,
    /// What its forms are bound to: the session, or the login.
    pub binding: String,
    /// Whether a session can be ended.
    pub has_session: bool,
}

impl Through {
    /// What a request with this address comes through.
    pub fn of(uri: &Uri) -> Self {
        if uri.path().starts_with("/api/") { Self::Api } else { Self::Console }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Api => "api",
        }
    }
}

impl Caller {
    /// A caller without a session.
    pub fn new(principal: Principal, person: Actor, through: Through, peer: Option<Peer>) -> Self {
        let is_local = principal.login == LoginMethod::Local;
        let actor = Actor {
            login: (!is_local).then(|| principal.login.as_str().to_owned()),
            through: Some(through.as_str().to_owned()),
            address: peer.map(|Peer(address)| address.to_canonical().to_string()),
            ..person
        };
        let binding = format!("{} {}", principal.login.as_str(), principal.name);
        Self { principal, actor, binding, has_session: false }
    }

    /// Runs `work` as the answer to the caller.
    pub async fn answering<F: Future>(caller: Option<Self>, work: F) -> F::Output {
        CURRENT.scope(caller, work).await
    }
}

/// The caller of the request that this task answers.
pub fn current() -> Option<Caller> {
    CURRENT.try_with(Clone::clone).ok().flatten()
}

/// Whether the caller has a permission: pages leave out what it may not do.
pub fn may(permission: Permission) -> bool {
    current().is_some_and(|caller| caller.principal.may(permission))
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Failure::login_demanded)
    }
}
