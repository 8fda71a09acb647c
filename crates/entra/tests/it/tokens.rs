//! Good tokens, and forged ones.

use holdfast_access::{LoginMethod, Role};
use holdfast_entra::{Error, Refusal};
use holdfast_model::Clock as _;
use serde_json::{Value, json};

use crate::fake_issuer::{AUTHORITY, World};
use crate::signer::{CLIENT, Signer, TENANT, id_token, unsigned};

async fn refusal(world: &World, token: &str) -> Refusal {
    match world.entra.bearer(token).await {
        Err(Error::Refused(why)) => why,
        other => panic!("{other:?}: {token}"),
    }
}

#[tokio::test]
async fn access_tokens_of_both_formats_log_in_by_the_keys_of_their_issuer() {
    let (world, signer) = (World::new(), Signer::first());
    let newer = world.entra.bearer(&signer.sign(&world.claims(&json!({})))).await.unwrap();
    assert_eq!(
        (newer.name.as_str(), newer.role, newer.login),
        ("workload-1", Role::Viewer, LoginMethod::Entra)
    );
    let issuer = format!("https://sts.windows.net/{TENANT}/");
    let audience = format!("api://{CLIENT}");
    let older = json!({ "iss": issuer, "ver": "1.0", "aud": audience, "appid": "workload-2", "azp": null });
    let older = world.entra.bearer(&signer.sign(&world.claims(&older))).await.unwrap();
    assert_eq!(older.name, "workload-2");
    let documents =
        ["v2.0/.well-known", ".well-known"].map(|at| format!("/{TENANT}/{at}/openid-configuration"));
    assert!(
        documents.iter().all(|document| world.issuer().asked.contains(document)),
        "{:?}",
        world.issuer().asked
    );
}

/// The header of a good token, with changes.
fn header(changes: &Value) -> Value {
    let mut header = json!({ "typ": "JWT", "alg": "RS256", "kid": Signer::first().key_id });
    header.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    header
}

#[tokio::test]
async fn a_token_whose_signature_is_not_of_the_issuers_key_is_refused() {
    let (world, own, other) = (World::new(), Signer::first(), Signer::second());
    let claims = world.claims(&json!({ "roles": ["admin"] }));
    let good = own.sign(&claims);
    let (body, signature) = good.rsplit_once('.').unwrap();
    let under = |body: &str, of: &str| format!("{body}.{}", of.rsplit_once('.').unwrap().1);
    let none = unsigned(&header(&json!({ "alg": "none" })), &claims);
    for (what, token, why) in [
        ("no signature", format!("{none}."), Refusal::Unsigned),
        ("none with a signature", under(&none, &good), Refusal::Unsigned),
        ("an empty signature", format!("{body}."), Refusal::Signature),
        ("HS256 with the public key", own.sign_with_public_key(&claims), Refusal::Algorithm),
        ("RS256 said, HS256 done", under(body, &own.sign_with_public_key(&claims)), Refusal::Signature),
        ("another key's", other.sign_under(&header(&json!({})), &claims), Refusal::Signature),
        ("of another token", under(body, &own.sign(&world.claims(&json!({})))), Refusal::Signature),
        ("a longer one", format!("{good}AA"), Refusal::Signature),
        ("one part less", body.to_owned(), Refusal::Malformed),
        ("one part more", format!("{good}.{signature}"), Refusal::Malformed),
    ] {
        assert_eq!(refusal(&world, &token).await, why, "{what}");
    }
    assert!(world.entra.bearer(&good).await.is_ok());
}

#[tokio::test]
async fn a_token_that_names_or_brings_a_key_of_its_own_is_refused() {
    let (world, own, other) = (World::new(), Signer::first(), Signer::second());
    let claims = world.claims(&json!({ "roles": ["admin"] }));
    for (signer, changes, why) in [
        (&other, json!({ "kid": "key-2" }), Refusal::UnknownKey),
        (&own, json!({ "kid": "../../../dev/null" }), Refusal::UnknownKey),
        (&own, json!({ "kid": "key-1' OR '1'='1" }), Refusal::UnknownKey),
        (&own, json!({ "kid": "https://evil.example/keys" }), Refusal::UnknownKey),
        (&other, json!({ "jwk": other.jwk() }), Refusal::OwnKey),
        (&other, json!({ "jku": "https://evil.example/keys" }), Refusal::OwnKey),
        (&other, json!({ "x5u": "https://evil.example/chain" }), Refusal::OwnKey),
        (&own, json!({ "crit": ["b64"], "b64": false }), Refusal::Critical),
    ] {
        let token = signer.sign_under(&header(&changes), &claims);
        assert_eq!(refusal(&world, &token).await, why, "{changes}");
    }
    let asked = world.issuer().asked.clone();
    let is_own = asked.iter().all(|path| path.starts_with(&format!("/{TENANT}/")));
    assert!(is_own, "nothing in a token decides where keys come from: {asked:?}");
}

#[tokio::test]
async fn a_token_for_another_place_or_time_is_refused() {
    let (world, own) = (World::new(), Signer::first());
    for (changes, why) in [
        (json!({ "iss": "https://evil.example" }), Refusal::Issuer),
        (json!({ "aud": TENANT }), Refusal::Audience),
        (json!({ "tid": CLIENT }), Refusal::Tenant),
        (json!({ "exp": 1 }), Refusal::Expired),
        (json!({ "nbf": 4_000_000_000_u32 }), Refusal::NotYetValid),
    ] {
        let token = own.sign(&world.claims(&changes));
        assert_eq!(refusal(&world, &token).await, why, "{changes}");
    }
    let id_token = own.sign(&id_token(AUTHORITY, world.clock.now().timestamp(), "n"));
    assert_eq!(refusal(&world, &id_token).await, Refusal::Kind);
}
