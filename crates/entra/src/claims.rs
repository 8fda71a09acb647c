//! What the claims of a token give, after its signature was checked. Pure.
//!
//! Sources: Microsoft's pages "Access token claims reference" and "ID token claims reference".

use std::time::Duration;

use holdfast_access::{LoginMethod, Principal, Role, Scope};
use holdfast_model::Timestamp;

use crate::error::Error;
use crate::object::Object;
use crate::refusal::Refusal;
use crate::settings::Settings;

/// How far the clocks of Entra and of this machine may differ.
const LEEWAY: Duration = Duration::from_mins(5);
/// The longest name.
const NAME_MAX: usize = 200;
/// Claims that only id tokens have: they are issued to a browser's login, and are no right to call the API.
const OF_ID_TOKENS: [&str; 3] = ["nonce", "at_hash", "c_hash"];
/// Claims that name the application that got an access token: in format 2.0, and in 1.0.
const CALLERS: [&str; 2] = ["azp", "appid"];

/// The principal of an id token that was issued for the login with this nonce.
pub(crate) fn of_id_token(
    claims: &Object,
    settings: &Settings,
    nonce: &str,
    now: Timestamp,
) -> Result<Principal, Error> {
    let is_own = claims.text("iss") == Some(&settings.issuer());
    check(is_own, Refusal::Issuer)?;
    check(claims.text("aud") == Some(&settings.client_id), Refusal::Audience)?;
    is_current(claims, settings, now)?;
    check(claims.text("ver") == Some("2.0"), Refusal::Kind)?;
    check(claims.text("nonce") == Some(nonce), Refusal::Nonce)?;
    principal(claims, LoginMethod::Oidc)
}

/// The principal of an access token: a workload, or a person for whom a program calls.
pub(crate) fn of_access_token(
    claims: &Object,
    settings: &Settings,
    now: Timestamp,
) -> Result<Principal, Error> {
    let issuer = claims.text("iss").unwrap_or_default();
    let version = if issuer == settings.issuer() { "2.0" } else { "1.0" };
    check(settings.issuers().iter().any(|own| own == issuer), Refusal::Issuer)?;
    let audience = claims.text("aud").unwrap_or_default();
    check(settings.audiences().iter().any(|own| own == audience), Refusal::Audience)?;
    is_current(claims, settings, now)?;
    let is_for_calls = CALLERS.iter().any(|name| claims.text(name).is_some_and(|id| !id.is_empty()));
    let is_of_login = OF_ID_TOKENS.iter().any(|name| claims.has(name));
    check(is_for_calls && !is_of_login && claims.text("ver") == Some(version), Refusal::Kind)?;
    let is_kind_clear = match (claims.text("idtyp"), is_delegated(claims)) {
        (None, _) | (Some("app"), false) | (Some("user"), true) => true,
        (Some(_), _) => false,
    };
    check(is_kind_clear && claims.has("idtyp") == claims.text("idtyp").is_some(), Refusal::Kind)?;
    principal(claims, LoginMethod::Entra)
}

/// Whether a person is behind the token, and not a workload alone.
fn is_delegated(claims: &Object) -> bool {
    claims.text("scp").is_some_and(|scopes| !scopes.trim().is_empty())
}

/// Whether the token is of the tenant, and now is its time. It must say both ends.
fn is_current(claims: &Object, settings: &Settings, now: Timestamp) -> Result<(), Refusal> {
    check(claims.text("tid") == Some(&settings.tenant), Refusal::Tenant)?;
    let (leeway, now) = (i64::try_from(LEEWAY.as_secs()).unwrap_or_default(), now.timestamp());
    let end = claims.number("exp").ok_or(Refusal::Expired)?;
    check(now < end.saturating_add(leeway), Refusal::Expired)?;
    let begin = claims.number("nbf").ok_or(Refusal::NotYetValid)?;
    check(now >= begin.saturating_sub(leeway), Refusal::NotYetValid)
}

/// The principal, by the greatest of its app roles. Groups count for nothing.
fn principal(claims: &Object, login: LoginMethod) -> Result<Principal, Error> {
    let name = name(claims).ok_or(Refusal::Nameless)?;
    let Some(role) = Role::greatest(claims.texts("roles")) else { return Err(Error::NoRole(name)) };
    Ok(Principal { name, login, role, scope: Scope::ALL })
}

/// The name for pages and the audit. A display name is not unique and people may change it, so the id stands beside it.
fn name(claims: &Object) -> Option<String> {
    let of = |claim: &&str| claims.text(claim).map(str::trim).filter(|name| is_name(name));
    let find = |names: &[&str]| names.iter().find_map(of).map(ToOwned::to_owned);
    let id = || find(&["oid"]);
    let displayed = || find(&["name"]).zip(id()).map(|(name, id)| format!("{name} ({id})"));
    find(&["preferred_username", "upn", "unique_name"])
        .or_else(displayed)
        .or_else(|| find(&CALLERS))
        .or_else(id)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_MAX
}

fn check(is_good: bool, refusal: Refusal) -> Result<(), Refusal> {
    if is_good { Ok(()) } else { Err(refusal) }
}

#[cfg(test)]
mod tests;
