//! Who asked for something, as the asking process tells it.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A person who asked for a run or recorded an action.
///
/// The asking process reports all of it, so that it is a claim. The login that wrote the event stands beside it in a
/// database with logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Actor {
    /// The claimed name.
    #[serde(rename = "actor")]
    pub name: String,
    /// The number of the asking process's user.
    #[serde(rename = "actor_uid", default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The name of the machine that asked.
    #[serde(rename = "actor_host", default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// How a client of the console logged in, such as `token`.
    #[serde(rename = "actor_login", default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// Through what it asked: `console`, `api`, `watch` or `SIGHUP`; `None` for the command line.
    #[serde(rename = "actor_through", default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// The network address from which it asked.
    #[serde(rename = "actor_address", default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl Actor {
    /// The claim with everything that stands beside it, such as
    /// `claimed "ann" (uid 1000 on web-1, database role holdfast_app)`.
    pub fn describe(&self, database_role: &str) -> String {
        let Self { name, uid, host, login, through, address } = self;
        let role = (!database_role.is_empty()).then(|| format!("database role {database_role}"));
        let process = match (uid, host) {
            (Some(uid), Some(host)) => Some(format!("uid {uid} on {host}")),
            (Some(uid), None) => Some(format!("uid {uid}")),
            (None, Some(host)) => Some(format!("on {host}")),
            (None, None) => None,
        };
        let login = login.as_ref().map(|login| format!("login {login}"));
        let through = through.as_ref().map(|through| format!("through {through}"));
        let address = address.as_ref().map(|address| format!("from {address}"));
        let client: Vec<String> = login.into_iter().chain(through).chain(address).collect();
        let client = Some(client.join(" ")).filter(|client| !client.is_empty());
        // A quote inside the name is escaped, so that no name looks like the end of the claim.
        let mut text = format!("claimed {name:?}");
        let beside: Vec<String> = process.into_iter().chain(client).chain(role).collect();
        if !beside.is_empty() {
            let _ = write!(text, " ({})", beside.join(", "));
        }
        text
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe(""))
    }
}

impl From<&str> for Actor {
    fn from(name: &str) -> Self {
        Self::from(name.to_owned())
    }
}

impl From<String> for Actor {
    fn from(name: String) -> Self {
        Self { name, uid: None, host: None, login: None, through: None, address: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RunEvent, Task, Trigger};

    fn ann() -> Actor {
        Actor { uid: Some(1000), host: Some("web-1".into()), ..Actor::from("ann") }
    }

    fn ci() -> Actor {
        let text = |text: &str| Some(text.to_owned());
        let (login, through, address) = (text("token"), text("api"), text("10.0.0.4"));
        Actor { login, through, address, ..Actor::from("ci") }
    }

    #[test]
    fn a_name_is_marked_as_claimed_and_what_is_known_stands_beside_it() {
        assert_eq!(
            ann().describe("holdfast_app"),
            "claimed \"ann\" (uid 1000 on web-1, database role holdfast_app)"
        );
        assert_eq!(ann().to_string(), "claimed \"ann\" (uid 1000 on web-1)");
        assert_eq!(Actor::from("ann").to_string(), "claimed \"ann\"");
        assert_eq!(
            ci().describe("holdfast_app"),
            "claimed \"ci\" (login token through api from 10.0.0.4, database role holdfast_app)"
        );
    }

    #[test]
    fn no_name_looks_like_the_end_of_its_claim() {
        let forged = Actor::from("ann\" (uid 0 on prod)");
        assert_eq!(forged.to_string(), "claimed \"ann\\\" (uid 0 on prod)\"");
    }

    #[test]
    fn an_event_keeps_the_claim_beside_its_other_members_and_reads_back() {
        let planned =
            |actor| RunEvent::Planned { tick: None, trigger: Trigger::Manual, task: Task::default(), actor };
        for (actor, text) in [
            (
                Some(ann()),
                r#"{"event":"planned","tick":null,"trigger":"manual","actor":"ann","actor_uid":1000,"actor_host":"web-1"}"#,
            ),
            (
                Some(ci()),
                r#"{"event":"planned","tick":null,"trigger":"manual","actor":"ci","actor_login":"token","actor_through":"api","actor_address":"10.0.0.4"}"#,
            ),
            (None, r#"{"event":"planned","tick":null,"trigger":"manual"}"#),
        ] {
            let event = planned(actor);
            assert_eq!(serde_json::to_string(&event).unwrap(), text);
            assert_eq!(serde_json::from_str::<RunEvent>(text).unwrap(), event);
        }
    }
}
