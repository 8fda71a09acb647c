//! Whether a person is another than the one who asked. Pure.

use holdfast_access::LoginMethod;
use holdfast_model::Actor;
use holdfast_store::{ApiToken, Maker};

/// A person, with those who made its API token.
#[derive(Debug, Clone, Copy)]
pub struct Behind<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// Who made its token, and who made theirs.
    pub makers: &'a [Maker],
}

/// Why `confirmer` is no second person beside `asker`; `None` where it is one.
pub fn refusal(asker: Behind<'_>, confirmer: Behind<'_>) -> Option<String> {
    let name = &confirmer.actor.name;
    if confirmer.actor.login.is_none() {
        return Some("without a login, a name is a claim and proves nobody".to_owned());
    }
    let is = |maker: &Maker, other: &Actor| is_same_name(&maker.name, &other.name);
    if is_same_name(&asker.actor.name, name) {
        return Some(format!("{name} asked for it"));
    }
    if asker.makers.iter().any(|maker| is(maker, confirmer.actor)) {
        return Some(format!("{name} made the token {} that asked for it", asker.actor.name));
    }
    if confirmer.makers.iter().any(|maker| is(maker, asker.actor)) {
        return Some(format!("{}, who asked for it, made the token {name}", asker.actor.name));
    }
    // Who makes tokens on the command line has the store itself, and makes them for others.
    let logged_in = |maker: &&Maker| maker.login.is_some();
    let mut shared = asker.makers.iter().filter(logged_in);
    let shared = shared.find(|maker| {
        confirmer.makers.iter().filter(logged_in).any(|other| is_same_name(&maker.name, &other.name))
    });
    shared.map(|maker| format!("{} made both this token and the one that asked for it", maker.name))
}

/// Whether two names may be of one person: they differ in case alone, or one is the other without its domain.
fn is_same_name(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim().to_lowercase(), other.trim().to_lowercase());
    let local = |name: &str| name.split('@').next().unwrap_or_default().to_owned();
    one == other || (!one.contains('@') || !other.contains('@')) && local(&one) == local(&other)
}

/// Who made the API token of a person, and who made theirs; empty for another login.
pub fn makers(tokens: &[ApiToken], actor: &Actor) -> Vec<Maker> {
    let mut makers: Vec<Maker> = Vec::new();
    if actor.login.as_deref() != Some(LoginMethod::Token.as_str()) {
        return makers;
    }
    let mut names = vec![actor.name.clone()];
    while let Some(name) = names.pop() {
        for token in tokens.iter().filter(|token| token.name == name) {
            let maker = Maker { name: token.created_by.clone(), login: token.created_login.clone() };
            if !makers.contains(&maker) {
                let is_token = maker.login.as_deref() == Some(LoginMethod::Token.as_str());
                names.extend(is_token.then(|| maker.name.clone()));
                makers.push(maker);
            }
        }
    }
    makers
}

#[cfg(test)]
mod tests {
    use holdfast_access::{Role, Scope};
    use holdfast_model::Timestamp;

    use super::*;

    fn actor(name: &str, login: Option<&str>) -> Actor {
        Actor { login: login.map(str::to_owned), ..Actor::from(name) }
    }

    fn token(name: &str, by: &str, login: Option<&str>) -> ApiToken {
        ApiToken {
            id: name.into(),
            name: name.into(),
            hash: String::new(),
            role: Role::Admin,
            scope: Scope::ALL,
            created_by: by.into(),
            created_login: login.map(str::to_owned),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH,
            last_used_at: None,
            revoked_at: None,
        }
    }

    /// Why the second is no second person beside the first.
    fn refused(asker: &Actor, confirmer: &Actor) -> Option<String> {
        let tokens = [
            token("boss", "root", None),
            token("ann-ci", "ann@x.org", Some("oidc")),
            token("ann-ci-2", "ann-ci", Some("token")),
            token("ann-night", "ann@x.org", Some("oidc")),
            token("bob", "root", None),
        ];
        let [one, other] = [asker, confirmer].map(|actor| makers(&tokens, actor));
        let behind = |actor, makers| Behind { actor, makers };
        refusal(behind(asker, &one), behind(confirmer, &other))
    }

    #[test]
    fn another_login_is_a_second_person_and_the_same_name_by_another_login_is_not() {
        let ann = actor("ann@x.org", Some("oidc"));
        assert_eq!(refused(&ann, &actor("bob@x.org", Some("oidc"))), None);
        assert_eq!(refused(&ann, &actor("bob", Some("token"))), None);
        assert_eq!(refused(&ann, &actor("ann@y.org", Some("oidc"))), None, "another organisation");
        for same in [
            actor("ann@x.org", Some("oidc")),
            actor("Ann@X.org", Some("header")),
            actor("ann@x.org", Some("token")),
        ] {
            assert_eq!(refused(&ann, &same), Some(format!("{} asked for it", same.name)));
        }
    }

    #[test]
    fn a_claim_of_the_command_line_asks_and_does_not_confirm() {
        let claimed = actor("ann", None);
        assert!(refused(&claimed, &actor("ann@x.org", Some("oidc"))).is_some(), "without its domain");
        assert_eq!(refused(&claimed, &actor("bob@x.org", Some("oidc"))), None);
        assert!(refused(&claimed, &actor("bob", None)).is_some(), "a claim proves nobody");
    }

    #[test]
    fn a_token_and_its_maker_are_one_person_and_so_are_two_tokens_of_a_login() {
        let (ann, ci) = (actor("ann@x.org", Some("oidc")), actor("ann-ci", Some("token")));
        let second = actor("ann-ci-2", Some("token"));
        assert!(refused(&ann, &ci).is_some_and(|why| why.ends_with("made the token ann-ci")));
        assert!(refused(&ci, &ann).is_some_and(|why| why.contains("made the token ann-ci that asked")));
        assert!(refused(&ann, &second).is_some(), "a token made by a token");
        assert!(refused(&second, &actor("ann-night", Some("token"))).is_some_and(|why| why.contains("both")));
        assert_eq!(refused(&ci, &actor("bob", Some("token"))), None);
    }

    #[test]
    fn tokens_that_the_command_line_made_for_two_people_are_two_people() {
        let (boss, bob) = (actor("boss", Some("token")), actor("bob", Some("token")));
        assert_eq!(refused(&boss, &bob), None);
        assert!(refused(&actor("root", None), &bob).is_some(), "but not beside their maker");
    }
}
