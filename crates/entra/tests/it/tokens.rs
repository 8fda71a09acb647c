//! Good tokens, and forged ones.

use holdfast_access::{LoginMethod, Role};
use holdfast_entra::{Error, Refusal};
use holdfast_model::Clock as _;
use serde_json::json;

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

#[tokio::test]
async fn a_forged_token_is_refused() {
    let (world, signer, other) = (World::new(), Signer::first(), Signer::second());
    let claims = world.claims(&json!({ "roles": ["admin"] }));
    let good = signer.sign(&claims);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let header = |more: serde_json::Value| {
        let mut header = json!({ "typ": "JWT", "alg": "RS256", "kid": signer.key_id });
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        header
    };
    let viewer = signer.sign(&world.claims(&json!({})));
    let viewers_signature = viewer.rsplit_once('.').unwrap().1;
    for (what, token, why) in [
        (
            "no signature",
            format!("{}.", unsigned(&header(json!({ "alg": "none" })), &claims)),
            Refusal::Unsigned,
        ),
        ("an empty signature", format!("{signed}."), Refusal::Signature),
        ("HS256 with the public key", signer.sign_with_public_key(&claims), Refusal::Algorithm),
        (
            "RS256 said, HS256 done",
            {
                let hmac = signer.sign_with_public_key(&claims);
                format!("{signed}.{}", hmac.rsplit_once('.').unwrap().1)
            },
            Refusal::Signature,
        ),
        ("another key under this name", other.sign_under(&header(json!({})), &claims), Refusal::Signature),
        ("an unknown key", other.sign(&claims), Refusal::UnknownKey),
        (
            "a path as the name",
            signer.sign_under(&header(json!({ "kid": "../../../dev/null" })), &claims),
            Refusal::UnknownKey,
        ),
        (
            "a query as the name",
            signer.sign_under(&header(json!({ "kid": "key-1' OR '1'='1" })), &claims),
            Refusal::UnknownKey,
        ),
        (
            "a key of its own",
            other.sign_under(&header(json!({ "jwk": other.jwk() })), &claims),
            Refusal::OwnKey,
        ),
        (
            "keys elsewhere",
            other.sign_under(&header(json!({ "jku": "https://evil.example" })), &claims),
            Refusal::OwnKey,
        ),
        (
            "a demanded extension",
            signer.sign_under(&header(json!({ "crit": ["b64"], "b64": false })), &claims),
            Refusal::Critical,
        ),
        ("the signature of another token", format!("{signed}.{viewers_signature}"), Refusal::Signature),
        ("one part less", signed.to_owned(), Refusal::Malformed),
        ("one part more", format!("{good}.{signature}"), Refusal::Malformed),
        ("a longer signature", format!("{good}AA"), Refusal::Signature),
        (
            "another issuer",
            signer.sign(&world.claims(&json!({ "iss": "https://evil.example" }))),
            Refusal::Issuer,
        ),
        ("another application", signer.sign(&world.claims(&json!({ "aud": TENANT }))), Refusal::Audience),
        ("an id token", signer.sign(&id_token(AUTHORITY, world.clock.now().timestamp(), "n")), Refusal::Kind),
        ("an old one", signer.sign(&world.claims(&json!({ "exp": 1 }))), Refusal::Expired),
        (
            "an early one",
            signer.sign(&world.claims(&json!({ "nbf": 4_000_000_000_u32 }))),
            Refusal::NotYetValid,
        ),
    ] {
        assert_eq!(refusal(&world, &token).await, why, "{what}");
    }
    assert!(world.entra.bearer(&good).await.is_ok());
    let unsent = world.issuer().asked.iter().all(|path| path.starts_with(&format!("/{TENANT}/")));
    assert!(unsent, "nothing in a token decides where keys come from");
}
