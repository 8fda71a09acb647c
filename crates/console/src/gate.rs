//! The gate: who a request comes from, or why it is refused.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use holdfast_access::{LoginMethod, Principal, Role, Scope};
use holdfast_model::Actor;

use crate::caller::{Caller, Peer, Through};
use crate::client_principal::client_principal;
use crate::cookie::Cookie;
use crate::entry::Entry;
use crate::failure::Failure;
use crate::local_mode::{Access, Reach};
use crate::logins::Client;
use crate::site::Site;

/// The role of everybody on this machine, without a login. Deletions and tokens need the command line or a login.
const LOCAL_ROLE: Role = Role::Restorer;

/// Lets requests in.
pub struct Gate {
    access: Access,
    /// Whether the header of authentication of Container Apps is believed.
    trusts_header: bool,
    site: Arc<Site>,
}

impl Gate {
    /// The gate of a listener.
    pub fn new(access: Access, entry: &Entry, site: Arc<Site>) -> Self {
        let trusts_header = entry.container_apps_auth && access == Access::Login(Reach::Proxy);
        Self { access, trusts_header, site }
    }

    /// Whether clients come by TLS.
    pub fn is_secure(&self) -> bool {
        self.access.is_secure()
    }

    /// The caller of a request; `None` where it has not logged in.
    pub async fn caller(&self, request: &Parts) -> Result<Option<Caller>, Failure> {
        if let Some(why) = self.access.refusal(&request.method, &request.headers) {
            return Err(Failure::forbidden(why));
        }
        let peer = request.extensions.get::<Peer>().copied();
        let client = Client { peer, through: Through::of(&request.uri) };
        // The platform looked at the header Authorization already, and leaves it in the request.
        if self.trusts_header
            && let Some(found) = client_principal(&request.headers)
        {
            return match found {
                Ok(principal) => Ok(Some(proved(principal, client))),
                Err(why) => Err(self.site.logins.without_role(&why.to_string(), client).await),
            };
        }
        if request.headers.contains_key(AUTHORIZATION) {
            let text = bearer(&request.headers).ok_or_else(Failure::not_bearer)?;
            return Ok(Some(proved(self.bearer(text, client).await?, client)));
        }
        if let Some(cookie) = Cookie::SESSION.read(&request.headers, self.is_secure()) {
            // The page's script refreshes it without a person.
            let is_use = !request.headers.contains_key("x-fragment");
            if let Some(session) = self.site.logins.session(cookie, is_use).await {
                let caller = proved(session.principal, client);
                return Ok(Some(Caller {
                    binding: session.key.clone(),
                    session: Some(session.key),
                    ..caller
                }));
            }
        }
        Ok((self.access == Access::Local).then(|| self.local(client)))
    }

    /// The principal of an API token, or of an access token of Entra ID, which opens the API alone.
    async fn bearer(&self, text: &str, client: Client) -> Result<Principal, Failure> {
        let Site { logins, entra, .. } = &*self.site;
        let entra = entra.as_ref().filter(|_| client.through == Through::Api && is_jwt(text));
        match entra {
            Some(entra) => entra.bearer(logins, text, client).await,
            None => Ok(logins.token(text, client).await?.1),
        }
    }

    /// Records that a caller was refused.
    pub async fn refused(&self, actor: Actor, what: &str, code: &str) {
        self.site.logins.refused(actor, what, code).await;
    }

    /// The user who runs the process: on this machine alone, without a login.
    fn local(&self, client: Client) -> Caller {
        let person = self.site.person();
        let (name, login) = (person.name.clone(), LoginMethod::Local);
        let principal = Principal { name, login, role: LOCAL_ROLE, scope: Scope::ALL };
        Caller::new(principal, client.unnamed(person.clone()))
    }
}

fn proved(principal: Principal, client: Client) -> Caller {
    let actor = client.actor(&principal.name, principal.login);
    Caller::new(principal, actor)
}

/// Whether a token has the form of a signed JWT, which no API token has.
fn is_jwt(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// The token of a request that has one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    let is_one = values.next().is_none() && scheme.eq_ignore_ascii_case("bearer");
    is_one.then(|| token.trim())
}
