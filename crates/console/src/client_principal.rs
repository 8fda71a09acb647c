//! The login that authentication of Container Apps or App Service puts before a request, in `X-MS-CLIENT-PRINCIPAL`.
//!
//! Source: Microsoft's page "Work with user identities in App Service authentication": Base64 of JSON with `auth_typ`,
//! `name_typ`, `role_typ` and `claims`. The platform removes the header from requests of clients. It is believed only
//! with `--container-apps-auth`.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_access::{LoginMethod, Principal, Role, Scope};
use serde::Deserialize;

/// The name of the header.
pub const HEADER: &str = "x-ms-client-principal";
/// The identity provider whose app roles count: Entra ID.
const ENTRA: &str = "aad";
/// The claim of app roles in a token of Entra ID; the platform may map it to the type in `role_typ`.
const ROLES: &str = "roles";
/// Claims that name a person or a workload, the best first; before them comes the type in `name_typ`.
const NAMES: [&str; 4] =
    ["preferred_username", "name", "http://schemas.microsoft.com/identity/claims/objectidentifier", "appid"];
/// The longest name.
const NAME_MAX: usize = 200;

/// Why the header gives no login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPrincipal {
    /// It cannot be read.
    #[error("the header X-MS-CLIENT-PRINCIPAL cannot be read")]
    Unreadable,
    /// The login is not of Entra ID.
    #[error("the login is not of Entra ID, and only its app roles count")]
    OtherProvider,
    /// It has no name.
    #[error("the login has no claim with a name")]
    Nameless,
    /// It has no role of Holdfast.
    #[error("the login has none of the app roles viewer, operator, restorer, admin")]
    NoRole,
}

#[derive(Deserialize)]
struct ClientPrincipal {
    auth_typ: String,
    #[serde(default)]
    name_typ: String,
    #[serde(default)]
    role_typ: String,
    claims: Vec<Claim>,
}

#[derive(Deserialize)]
struct Claim {
    typ: String,
    val: String,
}

/// The principal of the header; `None` where a request has none.
pub fn client_principal(headers: &HeaderMap) -> Option<Result<Principal, NoPrincipal>> {
    let mut values = headers.get_all(HEADER).iter();
    let value = values.next()?;
    Some(if values.next().is_some() { Err(NoPrincipal::Unreadable) } else { read(value.as_bytes()) })
}

fn read(value: &[u8]) -> Result<Principal, NoPrincipal> {
    let json = STANDARD.decode(value).map_err(|_| NoPrincipal::Unreadable)?;
    let found: ClientPrincipal = serde_json::from_slice(&json).map_err(|_| NoPrincipal::Unreadable)?;
    if found.auth_typ != ENTRA {
        return Err(NoPrincipal::OtherProvider);
    }
    let value_of = |typ: &str| {
        let claims = found.claims.iter().filter(|claim| claim.typ == typ);
        claims.map(|claim| claim.val.trim()).find(|value| !value.is_empty() && value.len() <= NAME_MAX)
    };
    let name = [found.name_typ.as_str()].into_iter().chain(NAMES).find_map(value_of);
    let is_role = |claim: &&Claim| claim.typ == ROLES || claim.typ == found.role_typ;
    let roles = found.claims.iter().filter(is_role).map(|claim| claim.val.as_str());
    let role = Role::greatest(roles).ok_or(NoPrincipal::NoRole)?;
    let name = name.ok_or(NoPrincipal::Nameless)?.to_owned();
    Ok(Principal { name, login: LoginMethod::Header, role, scope: Scope::ALL })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(document: &Value) -> Result<Principal, NoPrincipal> {
        read(STANDARD.encode(document.to_string()).as_bytes())
    }

    fn claims(provider: &str, claims: &[(&str, &str)]) -> Value {
        let claims: Vec<Value> = claims.iter().map(|(typ, val)| json!({ "typ": typ, "val": val })).collect();
        json!({ "auth_typ": provider, "name_typ": "upn", "role_typ": "role", "claims": claims })
    }

    #[test]
    fn the_greatest_app_role_counts_and_the_name_is_the_best_there_is() {
        let both =
            claims("aad", &[("roles", "viewer"), ("role", "restorer"), ("upn", "ann@x"), ("name", "Ann")]);
        let principal = of(&both).unwrap();
        assert_eq!((principal.name.as_str(), principal.role), ("ann@x", Role::Restorer));
        assert_eq!(principal.login, LoginMethod::Header);
        let named = of(&claims("aad", &[("roles", "admin"), ("name", "Ann")])).unwrap();
        assert_eq!((named.name.as_str(), named.role), ("Ann", Role::Admin));
    }

    #[test]
    fn what_is_no_login_of_entra_with_a_role_is_refused() {
        let (role, name) = (("roles", "admin"), ("name", "Ann"));
        for (document, why) in [
            (claims("github", &[role, name]), NoPrincipal::OtherProvider),
            (claims("aad", &[name]), NoPrincipal::NoRole),
            (claims("aad", &[("roles", "Admin"), ("groups", "admin"), name]), NoPrincipal::NoRole),
            (claims("aad", &[role]), NoPrincipal::Nameless),
            (claims("aad", &[role, ("name", " ")]), NoPrincipal::Nameless),
            (json!({ "claims": [] }), NoPrincipal::Unreadable),
            (json!([]), NoPrincipal::Unreadable),
        ] {
            assert_eq!(of(&document), Err(why), "{document}");
        }
        for text in ["", "%%%", "e30", "bm8ganNvbg=="] {
            assert_eq!(read(text.as_bytes()), Err(NoPrincipal::Unreadable), "{text}");
        }
    }
}
