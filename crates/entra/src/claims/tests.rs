use holdfast_model::parse_timestamp;
use serde_json::{Value, json};

use super::*;

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const CLIENT: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
const NOW: i64 = 1_800_000_000;

fn settings() -> Settings {
    let authority = "https://login.microsoftonline.com";
    Settings::new(authority, (TENANT, CLIENT), "https://hf.example".parse().unwrap(), None).unwrap()
}

fn now() -> Timestamp {
    let epoch = parse_timestamp("1970-01-01T00:00:00.000Z").unwrap();
    epoch + Duration::from_secs(NOW.try_into().unwrap())
}

/// The claims of a good token, with changes: `null` takes a claim away.
fn changed(base: &Value, changes: &Value) -> Object {
    let mut claims = base.clone();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    Object::read(claims.to_string().as_bytes()).unwrap()
}

fn id_token() -> Value {
    json!({
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "aud": CLIENT, "tid": TENANT, "ver": "2.0",
        "nbf": NOW - 60, "exp": NOW + 3_600, "nonce": "n1", "oid": "o1", "name": "Ann", "preferred_username": "ann@x.example",
        "roles": ["viewer", "operator"],
    })
}

fn workload() -> Value {
    json!({
        "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": format!("api://{CLIENT}"), "tid": TENANT, "ver": "1.0",
        "nbf": NOW - 60, "exp": NOW + 3_600, "appid": "a1", "oid": "o2", "roles": ["restorer"], "idtyp": "app",
    })
}

fn login(changes: &Value) -> Result<Principal, Error> {
    of_id_token(&changed(&id_token(), changes), &settings(), "n1", now())
}

fn call(changes: &Value) -> Result<Principal, Error> {
    of_access_token(&changed(&workload(), changes), &settings(), now())
}

#[test]
fn a_person_logs_in_by_the_greatest_app_role() {
    let ann = login(&json!({})).unwrap();
    assert_eq!(
        (ann.name.as_str(), ann.role, ann.login),
        ("ann@x.example", Role::Operator, LoginMethod::Oidc)
    );
    let displayed = login(&json!({ "preferred_username": null })).unwrap();
    assert_eq!(displayed.name, "Ann (o1)", "another Ann may exist");
    let long = login(&json!({ "preferred_username": "x".repeat(201), "name": " " })).unwrap();
    assert_eq!(long.name, "o1");
}

#[test]
fn an_id_token_of_another_login_time_or_place_is_refused() {
    let other = "00000000-0000-0000-0000-000000000000";
    for (changes, why) in [
        (json!({ "iss": format!("https://sts.windows.net/{TENANT}/") }), Refusal::Issuer),
        (json!({ "iss": format!("https://login.microsoftonline.com/{other}/v2.0") }), Refusal::Issuer),
        (json!({ "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0/") }), Refusal::Issuer),
        (json!({ "iss": null }), Refusal::Issuer),
        (json!({ "aud": other }), Refusal::Audience),
        (json!({ "aud": format!("api://{CLIENT}") }), Refusal::Audience),
        (json!({ "aud": [CLIENT] }), Refusal::Audience),
        (json!({ "tid": other }), Refusal::Tenant),
        (json!({ "tid": null }), Refusal::Tenant),
        (json!({ "exp": NOW - 300 }), Refusal::Expired),
        (json!({ "exp": null }), Refusal::Expired),
        (json!({ "exp": "4000000000" }), Refusal::Expired),
        (json!({ "exp": 4e9 }), Refusal::Expired),
        (json!({ "exp": i64::MIN }), Refusal::Expired),
        (json!({ "nbf": NOW + 301 }), Refusal::NotYetValid),
        (json!({ "nbf": null }), Refusal::NotYetValid),
        (json!({ "nonce": "n2" }), Refusal::Nonce),
        (json!({ "nonce": null }), Refusal::Nonce),
        (json!({ "ver": "1.0" }), Refusal::Kind),
        (json!({ "preferred_username": null, "name": null, "oid": null }), Refusal::Nameless),
    ] {
        assert_eq!(login(&changes).unwrap_err(), Error::Refused(why), "{changes}");
    }
    for within in [json!({ "exp": NOW - 299 }), json!({ "nbf": NOW + 300 }), json!({ "exp": i64::MAX })] {
        assert!(login(&within).is_ok(), "{within}");
    }
}

#[test]
fn a_login_without_an_app_role_of_holdfast_is_named_and_refused() {
    for roles in [json!(null), json!([]), json!(["Admin"]), json!("admin"), json!([["admin"]])] {
        let claims = json!({ "roles": roles, "groups": ["admin"], "wids": ["admin"], "scp": null });
        assert_eq!(login(&claims).unwrap_err(), Error::NoRole("ann@x.example".into()), "{claims}");
        assert_eq!(call(&claims).unwrap_err(), Error::NoRole("a1".into()), "{claims}");
    }
}

#[test]
fn a_workload_and_a_program_that_calls_for_a_person_log_in_to_the_api() {
    let workload = call(&json!({})).unwrap();
    assert_eq!((workload.name.as_str(), workload.role), ("a1", Role::Restorer));
    assert_eq!(workload.login, LoginMethod::Entra);
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let newer =
        json!({ "iss": issuer, "ver": "2.0", "aud": CLIENT, "azp": "a2", "appid": null, "idtyp": null });
    assert_eq!(call(&newer).unwrap().name, "a2");
    let person = json!({ "scp": "access_as_user", "idtyp": "user", "upn": "ann@x.example" });
    assert_eq!(call(&person).unwrap().name, "ann@x.example");
}

#[test]
fn a_token_that_is_no_access_token_for_this_application_opens_no_api() {
    let own = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    for (changes, why) in [
        (json!({ "iss": "https://sts.windows.net/" }), Refusal::Issuer),
        (json!({ "iss": own }), Refusal::Kind),
        (json!({ "aud": "https://management.azure.com/" }), Refusal::Audience),
        (json!({ "aud": format!("api://{CLIENT}/x") }), Refusal::Audience),
        (json!({ "appid": null }), Refusal::Kind),
        (json!({ "appid": "" }), Refusal::Kind),
        (json!({ "nonce": "n1" }), Refusal::Kind),
        (json!({ "at_hash": "h" }), Refusal::Kind),
        (json!({ "idtyp": "app", "scp": "access_as_user" }), Refusal::Kind),
        (json!({ "idtyp": "user" }), Refusal::Kind),
        (json!({ "idtyp": "device" }), Refusal::Kind),
        (json!({ "idtyp": 7 }), Refusal::Kind),
        (json!({ "ver": "2.0" }), Refusal::Kind),
        (json!({ "exp": NOW - 301 }), Refusal::Expired),
    ] {
        assert_eq!(call(&changes).unwrap_err(), Error::Refused(why), "{changes}");
    }
    let id_token = changed(&id_token(), &json!({}));
    assert_eq!(of_access_token(&id_token, &settings(), now()).unwrap_err(), Error::Refused(Refusal::Kind));
}
