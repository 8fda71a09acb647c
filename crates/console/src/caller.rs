//! The caller of a request: the principal, and from where and through what it asks.

use std::net::IpAddr;

use axum::http::Uri;
use holdfast_access::{Permission, Principal};
use holdfast_model::Actor;
use holdfast_store::sha256_hex;

tokio::task_local! {
    /// The caller of the request that this task answers, for the frame of its page.
    static CURRENT: Option<Caller>;
}

/// The network address of the client, as the listener saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Whether clients come by TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secure(pub bool);

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
    /// The key of the session, where a browser has one.
    pub session: Option<String>,
}

impl Through {
    /// What a request with this address comes through.
    pub fn of(uri: &Uri) -> Self {
        if uri.path().starts_with("/api/") { Self::Api } else { Self::Console }
    }

    /// Its name in the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Api => "api",
        }
    }
}

impl Caller {
    /// A caller without a session.
    pub fn new(principal: Principal, actor: Actor) -> Self {
        let caller = Self { principal, actor, binding: String::new(), session: None };
        Self { binding: caller.identity(), ..caller }
    }

    /// The login method and the name: the same for each session and request of a principal.
    pub fn identity(&self) -> String {
        format!("{} {}", self.principal.login.as_str(), self.principal.name)
    }

    /// What the form that ends the session has; empty without a session.
    pub fn logout_token(&self) -> String {
        let key = self.session.as_ref();
        key.map_or_else(String::new, |key| sha256_hex(format!("log out {key}").as_bytes()))
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
