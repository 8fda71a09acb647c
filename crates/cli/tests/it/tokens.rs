//! API tokens from the command line: shown once, listed without their texts, revoked.

use serde_json::json;

use crate::command::Place;

#[test]
fn a_token_is_printed_once_listed_without_its_text_and_revoked() {
    let place = Place::new();
    assert_eq!(place.run("migrate").code, 0);
    let created =
        place.run("tokens create --name ci --role operator --policy gold --expires-in 30d --actor ann");
    assert_eq!(created.code, 0, "{}", created.err);
    let token = created.out.trim();
    assert!(token.starts_with("hf_") && token.len() == 75, "{}", created.out);
    assert!(!created.err.contains(token), "{}", created.err);
    let list = place.run("tokens list");
    for shown in ["ci", "operator", "gold", "in force", "never", "ann"] {
        assert!(list.out.contains(shown), "{shown}: {}", list.out);
    }
    assert!(!list.out.contains(token), "{}", list.out);
    let twice = place.run("tokens create --name ci --role viewer");
    assert!(twice.code == 2 && twice.err.contains("there is a token ci already"), "{}", twice.err);
    for (line, said) in [
        ("tokens create --name a/b --role viewer", "1 to 64 letters"),
        ("tokens create --name b --role root", "expected one of viewer, operator, restorer, admin"),
        ("tokens create --name b --role viewer --expires-in 400d", "at most 366 days"),
        ("tokens revoke nobody", "there is no token nobody"),
    ] {
        let ended = place.run(line);
        assert!(ended.code == 2 && ended.err.contains(said), "{line}: {}", ended.err);
    }
    assert_eq!(place.run("tokens revoke ci").out.trim(), "token ci is revoked");
    assert_eq!(place.json("tokens list")[0]["policies"], json!(["gold"]));
    assert!(place.run("tokens list").out.contains("revoked"));
    let audit = place.run("audit export --output json").out;
    assert!(audit.contains("token_created") && audit.contains("token_revoked"), "{audit}");
    assert!(!audit.contains(&token[..30]), "{audit}");
}

#[test]
fn a_login_off_this_machine_needs_tls_and_a_certificate_that_can_be_read() {
    let place = Place::new();
    let _azure = crate::simulated::simulate(&place, "--apps 1 --seed 7");
    place.write("cert.pem", "no PEM");
    for (options, said) in [
        ("--listen 0.0.0.0:0 --require-login", "a login without TLS sends its token in the clear"),
        ("--listen 0.0.0.0:0", "and the port has no login"),
        ("--listen 127.0.0.1:0 --tls-cert cert.pem --tls-key cert.pem", "cert.pem cannot be used"),
        ("--listen 127.0.0.1:0 --tls-cert cert.pem", "--tls-key"),
    ] {
        let ended = place.run(&format!("run {options} --log error"));
        assert!(ended.code == 2 && ended.err.contains(said), "{options}: {}", ended.err);
    }
}

#[test]
fn a_half_login_by_entra_is_refused_and_its_secret_is_not_repeated() {
    let place = Place::new();
    let _azure = crate::simulated::simulate(&place, "--apps 1 --seed 7");
    let ids = "--entra-tenant 72f988bf-86f1-41af-91ab-2d7cd011db47 --entra-client-id 6e74172b-be56-4843-9ff4-e66a39bb12e3";
    let here = format!("{ids} --public-url http://localhost:9464");
    let login = format!("{here} --require-login");
    for (options, said) in [
        ("--entra-tenant t", "--entra-client-id"),
        (ids, "--public-url"),
        (&here, "need a console that demands logins"),
        (&format!("{ids} --require-login --public-url https://hf.example"), "served to this machine alone"),
        (&format!("{here} --behind-proxy"), "clients come by https"),
        (&format!("{here} --behind-proxy --container-apps-auth"), "cannot be used with"),
        (&login.replace("72f988bf-86f1-41af-91ab-2d7cd011db47", "contoso.com"), "must be its id"),
        (&login.replace(":9464", ":9464/console"), "without a path"),
        (&format!("{login} --entra-client-secret hunter2"), "expected a reference to a secret"),
        (&format!("{login} --entra-client-secret env:NOBODY_SETS_THIS"), "`env:NOBODY_SETS_THIS` is not set"),
    ] {
        let ended = place.run(&format!("run --listen 127.0.0.1:0 --log error {options}"));
        assert!(ended.code == 2 && ended.err.contains(said), "{options}: {}", ended.err);
        assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    }
}
