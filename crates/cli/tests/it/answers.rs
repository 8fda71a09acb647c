//! What the program answers: exit codes, texts for people, documents for programs.

use serde_json::Value;

use crate::command::{FLEET, Place};

/// The rest of the policy, and apps of which two have the same name.
const REST: &str = r#"spread   = "1h"

[[app]]
id = "/subscriptions/s/resourceGroups/g1/providers/Microsoft.Web/sites/shop"
policy = "gold"

[[app]]
id = "/subscriptions/s/resourceGroups/g1/providers/Microsoft.Web/sites/wiki"

[[app]]
id = "/subscriptions/s/resourceGroups/g2/providers/Microsoft.Web/sites/wiki"
"#;

fn fleet() -> String {
    format!("{FLEET}{REST}")
}

fn place() -> Place {
    let place = Place::new();
    place.write("fleet.toml", &fleet());
    place
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn each_way_to_end_has_its_exit_code() {
    let place = place();
    place.write("broken.toml", "[azure\n");
    for (line, code) in [
        ("--version", 0),
        ("config check --no-secrets", 0),
        ("schedule preview", 0),
        ("migrate", 0),
        ("status", 0),
        ("frobnicate", 2),
        ("", 2),
        ("status --output xml", 2),
        ("config check", 2),
        ("config check --fleet broken.toml", 2),
        ("config check --fleet missing.toml", 2),
        ("run --fleet broken.toml", 2),
        ("history nobody", 2),
        ("runs show 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10", 2),
        ("schedule preview --policy silver", 2),
        ("status --store missing.sqlite", 3),
        ("status --store fleet.toml", 3),
        ("migrate --store no/such/folder/x.sqlite", 3),
    ] {
        let ended = place.run(line);
        assert_eq!(ended.code, code, "holdfast {line}\n{}{}", ended.out, ended.err);
    }
}

#[test]
fn an_error_says_what_happened_and_what_to_do_next() {
    let place = place();
    let ended = place.run("schedule preview --fleet missing.toml");
    assert_eq!(
        ended.err,
        "error: the fleet file missing.toml does not exist\nhelp: name another with --fleet PATH, or try `holdfast demo`\n"
    );
    assert_eq!(ended.out, "");
    let ended = place.run("schedule preview --app wiki");
    assert!(ended.err.starts_with("error: 2 apps are called `wiki`:\n  /subscriptions/s/"), "{}", ended.err);
    assert!(ended.err.ends_with("help: name one of them by its ARM id\n"), "{}", ended.err);
}

#[test]
fn the_check_is_one_document_for_programs() {
    let place = place();
    place.write("bad.toml", &fleet().replace("spread", "sprad"));
    let bad = place.json("config check --no-secrets --fleet bad.toml");
    assert_eq!(keys(&bad), ["contents", "errors", "file", "problems", "valid", "warnings"]);
    assert_eq!((&bad["valid"], &bad["errors"], &bad["file"]), (&false.into(), &1.into(), &"bad.toml".into()));
    let problem = &bad["problems"][0];
    assert_eq!(keys(problem), ["column", "file", "help", "key", "line", "message", "severity", "text"]);
    assert_eq!((&problem["line"], &problem["column"]), (&12.into(), &1.into()));
    assert_eq!(problem["key"], "policy.gold.sprad");
    let good = place.json("config check --no-secrets");
    assert_eq!((&good["valid"], good["problems"].as_array().unwrap().len()), (&true.into(), 0));
}

#[test]
fn a_secret_that_is_missing_is_named() {
    let place = place();
    let ended = place.run("config check");
    assert_eq!(ended.code, 2);
    assert!(ended.out.contains("`env:HOLDFAST_NOBODY_SETS_THIS` is not set"), "{}", ended.out);
    assert!(ended.out.ends_with("fleet.toml cannot be used (1 error)\n"), "{}", ended.out);
}

#[test]
fn the_preview_shows_the_apps_own_place_and_the_change_of_the_clocks() {
    let place = place();
    let policy = place.json("schedule preview --policy gold --from 2027-03-27T12:00:00Z --count 2");
    let ticks = &policy["schedules"][0]["ticks"];
    assert_eq!(
        ticks[0]["at"], "2027-03-28T01:00:00Z",
        "02:30 is skipped that night: the first instant after the gap"
    );
    assert_eq!(
        (&ticks[0]["local"], &ticks[0]["clocks_changed"]),
        (&"2027-03-28 03:00:00 +02:00".into(), &true.into())
    );
    assert_eq!(ticks[1]["local"], "2027-03-29 02:30:00 +02:00");
    let app = place.json("schedule preview --app shop --from 2027-01-01T12:00:00Z --count 1");
    let preview = &app["schedules"][0];
    assert_eq!(keys(preview), ["app", "policy", "spread_seconds", "ticks", "timezone"]);
    let spread = preview["spread_seconds"].as_u64().unwrap();
    assert!(spread < 3_600 && spread > 0);
    let ended = place.run("schedule preview --app shop --from 2027-01-01T12:00:00Z --count 1");
    assert!(ended.out.contains("into the spread"), "{}", ended.out);
}

#[test]
fn an_empty_store_has_its_documents_too() {
    let place = place();
    assert_eq!(place.run("migrate").out, "the store holdfast.sqlite is ready\n");
    assert_eq!(
        keys(&place.json("status")),
        [
            "apps",
            "breakers",
            "channels",
            "checkpoints",
            "is_empty",
            "now",
            "processes",
            "revision",
            "subscriptions"
        ]
    );
    for line in ["status", "status --problems"] {
        assert_eq!(place.run(line).out, "no apps yet: `holdfast run` adds the apps of the fleet\n");
    }
}

#[test]
fn a_check_that_finds_nothing_out_is_unknown_on_stdout() {
    let place = place();
    for (line, why) in [
        ("check", "the store has no app of the fleet"),
        ("check --policy silver", "no app of the fleet has the policy `silver`"),
        ("check wiki", "no app is known here yet, and so none called `wiki`"),
        ("check --store missing.sqlite", "failed to open the store missing.sqlite"),
    ] {
        place.run("migrate");
        let ended = place.run(line);
        assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
        assert!(ended.out.starts_with(&format!("HOLDFAST UNKNOWN - {why}")), "{}", ended.out);
    }
    let ended = place.run("check --open-metrics");
    assert_eq!((ended.code, ended.out.as_str()), (3, ""), "no metrics rather than false ones");
}

#[test]
fn the_values_of_a_policy_are_shown_with_their_lines() {
    let place = place();
    let shown = place.json("config show --effective shop");
    assert_eq!(shown[0]["policy"], "gold");
    let values = shown[0]["values"].as_array().unwrap();
    let spread = values.iter().find(|value| value["key"] == "spread").unwrap();
    assert_eq!((&spread["value"], &spread["section"]), (&"\"1h\"".into(), &"policy.gold".into()));
    assert_eq!(spread["line"], 12);
    assert!(place.run("config show").out.contains("built in"));
}

#[test]
fn a_closed_stdout_is_no_error() {
    let place = place();
    for line in [
        "schedule preview --count 1000",
        "schedule preview --count 1000 --output json",
        "--help",
        "run --help",
    ] {
        let ended = place.run_unread(line);
        assert!(!ended.err.contains("panicked"), "{line}: {}", ended.err);
        assert_eq!(ended.code, 0, "{line}: {}", ended.err);
    }
}

#[test]
fn colours_are_only_where_they_were_requested() {
    let place = place();
    assert!(!place.run("schedule preview").out.contains('\u{1b}'));
    assert!(place.run("schedule preview --color always").out.contains('\u{1b}'));
}

#[test]
fn a_store_that_another_process_owns_is_refused() {
    let place = place();
    let _held = holdfast_store::OneProcess::lock(&place.path("holdfast.sqlite")).unwrap();
    let ended = place.run("migrate");
    assert_eq!(ended.code, 3);
    assert!(
        ended.err.starts_with("error: another holdfast process is using holdfast.sqlite;"),
        "{}",
        ended.err
    );
}

#[test]
fn an_unreachable_azure_is_reported_without_the_secret() {
    let place = place();
    place.write("secret", "hunter2");
    let credential = "{ kind = \"client_secret\", tenant = \"t\", client_id = \"c\", secret = \"file:secret\" }\n\
                      endpoint = \"http://127.0.0.1:1\"\nauthority = \"http://127.0.0.1:1\"";
    let fleet = format!("{}\n[engine]\ncall_timeout = \"1s\"\n", fleet());
    let fleet = fleet.replace("{ kind = \"azure_cli\" }", credential);
    place.write(
        "fleet.toml",
        &fleet
            .replace("mint = \"account_key\", key = \"env:HOLDFAST_NOBODY_SETS_THIS\"", "url = \"file:sas\""),
    );
    place.write("sas", "https://acct.blob.core.windows.net/backups?sv=2022-11-02&sr=c&sp=rwdl&se=2999-01-01T00:00:00Z&sig=hunter2");
    let ended = place.run("apps discover --log trace");
    assert_eq!(ended.code, 4, "{}{}", ended.out, ended.err);
    assert!(
        ended
            .err
            .contains("error: failed to discover the apps\n  because: list the sites of subscription s: "),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("help: check the network and the credential"), "{}", ended.err);
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
}

#[test]
fn a_document_says_that_the_audit_does_not_hold_and_a_text_that_is_no_hash_is_refused() {
    let place = Place::new();
    let nowhere = place.run("migrate --store nowhere/x.sqlite");
    assert!(
        nowhere.code == 3 && nowhere.err.contains("the folder nowhere does not exist; make it first"),
        "{}",
        nowhere.err
    );
    let made = place.json("migrate");
    assert_eq!(made["store"], "holdfast.sqlite", "{made}");
    assert_eq!(place.json("audit verify")["holds"], true);
    let unknown = "ab".repeat(32);
    let ended = place.run(&format!("audit verify --since {unknown} --output json"));
    let document: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((ended.code, &document["holds"]), (1, &false.into()), "{document}");
    assert!(ended.err.contains("events are missing at its end"), "{}", ended.err);
    let ended = place.run("audit verify --since abc");
    assert!(ended.code == 2 && ended.err.contains("is not the hash of an event\nhelp: "), "{}", ended.err);
}
