//! The gate: who a request comes from, or why it is refused.

use axum::http::request::Parts;
use holdfast_access::{LoginMethod, Principal, Role, Scope};
use holdfast_model::Actor;

use crate::caller::{Caller, Peer, Through};
use crate::failure::Failure;
use crate::local_mode::Access;
use crate::refused::Refused;

/// The role of everybody on this machine, without a login. Deletions and tokens need the command line or a login.
const LOCAL_ROLE: Role = Role::Restorer;

/// Lets requests in.
pub struct Gate {
    access: Access,
    /// The user who runs the process.
    person: Actor,
}

impl Gate {
    /// The gate of a listener.
    pub fn new(access: Access, person: Actor) -> Self {
        Self { access, person }
    }

    /// The caller of a request; `None` where it has not logged in.
    pub async fn caller(&self, request: &Parts) -> Result<Option<Caller>, Refused> {
        if let Some(why) = self.access.refusal(&request.method, &request.headers) {
            return Err(Failure::forbidden(why).into());
        }
        let principal = Principal {
            name: self.person.name.clone(),
            login: LoginMethod::Local,
            role: LOCAL_ROLE,
            scope: Scope::ALL,
        };
        let peer = request.extensions.get::<Peer>().copied();
        Ok(Some(Caller::new(principal, self.person.clone(), Through::of(&request.uri), peer)))
    }
}
