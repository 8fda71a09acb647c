//! API tokens: created, listed and revoked.

use std::time::Duration;

use holdfast_access::{ApiToken, Permission, Principal, Role, Scope, TokenRefusal, TokenText};
use holdfast_model::{Actor, AppId, OperatorAction, Timestamp};
use holdfast_store::Store;
use ring::rand::SecureRandom;

use crate::{Error, ErrorKind, operator_actions};

/// How long a token lasts unless told otherwise.
pub const USUAL_LIFE: Duration = Duration::from_hours(90 * 24);
/// The longest life of a token.
pub const LONGEST_LIFE: Duration = Duration::from_hours(366 * 24);
/// The shortest.
const SHORTEST_LIFE: Duration = Duration::from_mins(1);
/// The longest name.
const NAME_MAX: usize = 64;
/// Tokens that are not revoked, at most.
const TOKENS_MAX: usize = 1_000;

/// A request for a token.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Its name: letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The policies to whose apps its acts are limited.
    pub scope: Scope,
    /// How long it lasts.
    pub life: Duration,
    /// Who asks, for the audit.
    pub actor: Actor,
}

/// A token that was created. Its text is shown once.
#[derive(Debug)]
pub struct CreatedToken {
    /// The row.
    pub token: ApiToken,
    /// The text.
    pub text: TokenText,
}

/// The state of a token, in a word.
pub fn state(token: &ApiToken, now: Timestamp) -> &'static str {
    match token.current_principal(now) {
        Ok(_) => "in force",
        Err(TokenRefusal::Expired) => "expired",
        Err(TokenRefusal::Revoked | TokenRefusal::Unknown) => "revoked",
    }
}

/// 256 random bits for a token.
pub fn random_bits(random: &dyn SecureRandom) -> Result<[u8; 32], Error> {
    let mut bits = [0; 32];
    let failed =
        |_| Error::new(ErrorKind::Refused, "the system gives no randomness, so no token can be made");
    random.fill(&mut bits).map_err(failed)?;
    Ok(bits)
}

/// Creates a token with these random bits, and records it in the audit.
///
/// Its rights are at most those of `maker`; `None` is who has the store itself, and so every right.
pub async fn create(
    store: &dyn Store,
    request: TokenRequest,
    maker: Option<&Principal>,
    random: [u8; 32],
    rng: &mut fastrand::Rng,
) -> Result<CreatedToken, Error> {
    check(&request, maker)?;
    let now = store.now().await?;
    let live = store.tokens().await?.iter().filter(|token| token.current_principal(now).is_ok()).count();
    if live >= TOKENS_MAX {
        let what = format!("{live} tokens are in use, which is the most");
        return Err(Error::new(ErrorKind::Refused, what).help("revoke those that nobody needs"));
    }
    let TokenRequest { name, role, scope, life, actor } = request;
    let text = TokenText::of(random);
    let token = ApiToken {
        id: text.id(),
        name,
        hash: text.hash(),
        role,
        scope,
        created_by: actor.name.clone(),
        created_login: actor.login.clone(),
        created_at: now,
        expires_at: now + life,
        last_used_at: None,
        revoked_at: None,
    };
    let action = OperatorAction::TokenCreated {
        token: token.name.clone(),
        id: token.id.clone(),
        role: role.to_string(),
        policies: token.scope.policies().into_iter().flatten().cloned().collect(),
        expires_at: token.expires_at,
    };
    let record = operator_actions::about_app(&AppId::unknown(), (action, actor), now, rng);
    if !store.add_token(&token, &record).await? {
        let what = format!("there is a token {} already", token.name);
        return Err(
            Error::new(ErrorKind::Conflict, what).help("choose another name, or revoke that token first")
        );
    }
    Ok(CreatedToken { token, text })
}

/// Revokes the token with this name, and records it in the audit.
pub async fn revoke(
    store: &dyn Store,
    name: &str,
    actor: Actor,
    rng: &mut fastrand::Rng,
) -> Result<ApiToken, Error> {
    let is_it = |token: &ApiToken| token.name == name && token.revoked_at.is_none();
    let missing = || {
        let what = format!("there is no token {name} that is not revoked");
        Error::new(ErrorKind::NotFound, what).help("`holdfast tokens list` lists the tokens")
    };
    let token = store.tokens().await?.into_iter().find(is_it).ok_or_else(missing)?;
    let action = OperatorAction::TokenRevoked { token: token.name.clone(), id: token.id.clone() };
    let record = operator_actions::about_app(&AppId::unknown(), (action, actor), store.now().await?, rng);
    if store.revoke_token(&token.id, &record).await? { Ok(token) } else { Err(missing()) }
}

fn check(request: &TokenRequest, maker: Option<&Principal>) -> Result<(), Error> {
    let TokenRequest { name, role, scope, life, .. } = request;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(is_plain) {
        let what = "the name of a token has 1 to 64 letters, digits, `.`, `_` and `-`";
        return Err(Error::new(ErrorKind::Invalid, what));
    }
    if *life < SHORTEST_LIFE || *life > LONGEST_LIFE {
        return Err(Error::new(ErrorKind::Invalid, "a token lasts at least a minute and at most 366 days"));
    }
    let Some(maker) = maker else { return Ok(()) };
    if !maker.may(Permission::ManageTokens) || *role > maker.role {
        let what = format!("{maker} may not create a token with the role {role}");
        return Err(Error::new(ErrorKind::Refused, what));
    }
    if !maker.scope.includes(scope) {
        let what =
            format!("{maker} may act on the apps of some policies alone, and the token could on others");
        return Err(Error::new(ErrorKind::Refused, what).help("name policies of its own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use holdfast_access::LoginMethod;
    use holdfast_model::{ManualClock, PolicyName};
    use holdfast_store::MemoryStore;

    use super::*;

    fn request(name: &str, role: Role) -> TokenRequest {
        let (name, actor) = (name.to_owned(), Actor::from("ann"));
        TokenRequest { name, role, scope: Scope::ALL, life: USUAL_LIFE, actor }
    }

    fn maker(role: Role, policies: &[&str]) -> Principal {
        let scope = Scope::of(policies.iter().map(|name| PolicyName::new(*name)));
        Principal { name: "boss".into(), login: LoginMethod::Token, role, scope }
    }

    #[tokio::test]
    async fn a_token_is_created_recorded_and_revoked_and_the_audit_has_no_secret() {
        let store = MemoryStore::new(Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)));
        let mut rng = fastrand::Rng::with_seed(1);
        let created = create(&store, request("ci", Role::Operator), None, [7; 32], &mut rng).await.unwrap();
        assert_eq!(created.token.principal(&created.text, Timestamp::UNIX_EPOCH).unwrap().name, "ci");
        let twice = create(&store, request("ci", Role::Viewer), None, [8; 32], &mut rng).await.unwrap_err();
        assert_eq!(twice.kind(), ErrorKind::Conflict);
        assert_eq!(
            revoke(&store, "nobody", "ann".into(), &mut rng).await.unwrap_err().kind(),
            ErrorKind::NotFound
        );
        revoke(&store, "ci", "ann".into(), &mut rng).await.unwrap();
        assert_eq!(
            revoke(&store, "ci", "ann".into(), &mut rng).await.unwrap_err().kind(),
            ErrorKind::NotFound
        );
        let audit = serde_json::to_string(
            &store.audit(0, 9).await.unwrap().iter().map(|e| &e.event).collect::<Vec<_>>(),
        )
        .unwrap();
        assert_eq!(audit.matches("token_created").count(), 1);
        assert_eq!(audit.matches("token_revoked").count(), 1);
        assert!(!audit.contains(created.text.expose()) && !audit.contains(&created.token.hash), "{audit}");
    }

    #[test]
    fn a_token_has_no_right_that_its_maker_has_not() {
        let (admin, limited) = (maker(Role::Admin, &[]), maker(Role::Admin, &["gold"]));
        assert!(check(&request("ci", Role::Admin), None).is_ok());
        assert!(check(&request("ci", Role::Admin), Some(&admin)).is_ok());
        for role in [Role::Viewer, Role::Operator, Role::Restorer] {
            assert!(check(&request("ci", Role::Viewer), Some(&maker(role, &[]))).is_err(), "{role}");
        }
        assert!(check(&request("ci", Role::Viewer), Some(&limited)).is_err());
        let gold =
            TokenRequest { scope: Scope::of([PolicyName::new("gold")]), ..request("ci", Role::Viewer) };
        assert!(check(&gold, Some(&limited)).is_ok());
    }

    #[test]
    fn names_and_lives_have_limits() {
        for name in ["", "a b", "a\u{202e}", "a/b", &"a".repeat(65)] {
            assert!(check(&request(name, Role::Viewer), None).is_err(), "{name}");
        }
        for life in [Duration::ZERO, Duration::from_secs(59), LONGEST_LIFE + Duration::from_secs(1)] {
            assert!(check(&TokenRequest { life, ..request("ci", Role::Viewer) }, None).is_err(), "{life:?}");
        }
    }
}
