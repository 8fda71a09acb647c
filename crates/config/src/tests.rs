use std::fmt::Write as _;
use std::time::Duration;

use holdfast_arm::Credential;
use holdfast_model::{Clock as _, Overlap, PolicyName, Retention, Retry, StorageName, parse_timestamp};
use holdfast_storage::SasSource;
use proptest::prelude::*;

use super::*;
use crate::fleet_file::check_source;
use crate::source::Source;
use mistakes::MISTAKES;

mod checkpoints;
mod containers_of_apps;
mod databases;
mod drill;
mod formatting;
mod four_eyes;
mod inheritance;
mod mistakes;
mod native_schedule;
mod no_effect;
mod notify;
mod retention;
mod schedules;
mod schema;
mod secrets;
mod storages;
mod trusted_hosts;

/// The example of the documentation, with its blanks filled in. It names no secret that tests would have to set.
const EXAMPLE: &str = r#"
[azure]                             # or several, [azure.contoso], [azure.fabrikam]
credential  = { kind = "client_secret", tenant = "contoso.com", client_id = "11", secret = "env:AZURE_CLIENT_SECRET" }
api_version = "2024-11-01"

[storage.weu]
container = "https://acct.blob.core.windows.net/backups"
sas = { mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }

[policy.gold]
schedule = "0 2 * * *"
timezone = "Europe/Paris"
spread   = "2h"
catch_up = "6h"
deadline = "4h"
storage  = "weu"
recovery_point_objective = "26h"
retention       = { days = 30, keep_at_least = 1, dry_run = false }
retry.timed_out = { attempts = 3, first = "5m", max = "1h" }
retry.skipped   = { attempts = 4, first = "30m", max = "2h" }

[[app]]
id     = "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/shop"
policy = "gold"

[[discover]]                        # hundreds of apps are found, not listed
subscription = "0a0a"
tags   = { backup = "gold" }
policy = "gold"
"#;

fn checked(text: &str, secrets: Secrets) -> Checked {
    checked_at("2026-11-23T12:00:00Z", text, secrets)
}

fn checked_at(now: &str, text: &str, secrets: Secrets) -> Checked {
    let source = Source { name: "fleet.toml".into(), text: text.into() };
    check_source(&source, &ZoneData::bundled(), secrets, parse_timestamp(now).unwrap())
}

/// Writes a file that other users may not read.
fn write_private(path: &std::path::Path, bytes: impl AsRef<[u8]>) {
    std::fs::write(path, bytes).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn look(text: &str) -> Checked {
    checked(text, Secrets::Leave)
}

fn rendered(text: &str) -> String {
    let problems = look(text).problems;
    problems.iter().fold(String::new(), |mut all, problem| {
        write!(all, "{problem}").unwrap();
        all
    })
}

/// The example with one line replaced.
fn with(line: &str, replacement: &str) -> String {
    assert!(EXAMPLE.contains(line), "{line}");
    EXAMPLE.replace(line, replacement)
}

/// Messages of errors, without warnings.
fn errors(text: &str) -> Vec<String> {
    let problems = look(text).problems.into_iter().filter(|problem| problem.severity == Severity::Error);
    problems.map(|problem| format!("{}:{} {}", problem.line, problem.column, problem.message)).collect()
}

/// What one slip in the example is answered with.
fn after_mistake(line: &str, replacement: &str) -> String {
    rendered(&with(line, replacement))
}

#[test]
fn the_documented_example_is_read_whole() {
    let Checked { fleet, problems, .. } = look(EXAMPLE);
    let fleet = fleet.unwrap();
    assert_eq!(problems, [], "not even a warning");
    assert!(
        matches!(&fleet.clouds[0].credential, Credential::ClientSecret { secret, .. } if secret.to_string() == "env:AZURE_CLIENT_SECRET")
    );
    assert_eq!(fleet.clouds[0].endpoint.as_str(), "https://management.azure.com/");
    let storage = &fleet.storages[&StorageName::new("weu")];
    assert_eq!(storage.container.account(), "acct");
    assert!(
        matches!(&storage.source, SasSource::AccountKey { lifetime, .. } if *lifetime == Duration::from_hours(48))
    );
    let gold = &fleet.policies[&PolicyName::new("gold")];
    assert_eq!(gold.schedule.fingerprint(), "0 2 * * * Europe/Paris 7200s");
    assert_eq!(
        (gold.catch_up, gold.policy_snapshot.deadline),
        (Duration::from_hours(6), Duration::from_hours(4))
    );
    assert_eq!(gold.recovery_point_objective, Some(Duration::from_hours(26)));
    assert_eq!(gold.retention, Some(Retention { dry_run: false, ..Retention::new(30, 1) }));
    assert_eq!(gold.policy_snapshot.retries.timed_out, Retry::seconds(3, 300, 3_600));
    assert_eq!(gold.policy_snapshot.retries.skipped, Retry::seconds(4, 1_800, 7_200));
    assert_eq!((gold.policy_snapshot.account.as_str(), gold.overlap), ("acct", Overlap::Skip));
    assert_eq!(fleet.apps[0].id.short_name(), "shop");
    assert_eq!(fleet.discover[0].tags["backup"], "gold");
}

#[test]
fn every_key_of_a_policy_arrives() {
    let more = r#"storage = "weu"
overlap = "queue"
shrink_tolerance = "35%"
partial_is_good = true
verify = false
poll = { first = "250ms", max = "10s" }
retry.partial = { attempts = 2 }
retry.transient = { max = "1m" }"#;
    let fleet = look(&with("storage  = \"weu\"", more)).fleet.unwrap();
    let gold = &fleet.policies[&PolicyName::new("gold")];
    let policy_snapshot = &gold.policy_snapshot;
    assert_eq!((gold.overlap, policy_snapshot.shrink_tolerance_percent), (Overlap::Queue, 35));
    assert_eq!((policy_snapshot.partial_is_good, policy_snapshot.verify), (true, false));
    assert_eq!(
        (policy_snapshot.poll.first, policy_snapshot.poll.max),
        (Duration::from_millis(250), Duration::from_secs(10))
    );
    assert_eq!(policy_snapshot.retries.partial, Retry::seconds(2, 900, 3_600));
    assert_eq!(
        policy_snapshot.retries.transient,
        Retry::seconds(3, 60, 60),
        "a longest pause below the first takes it along"
    );
}

#[test]
fn limits_and_engine_arrive() {
    let more = r#"
[limits]
reads = { capacity = 10, per_second = 0.5 }
per_plan = 2
[engine]
lease = "20s"
call_timeout = "3s"
settle = "3s"
concurrency = 7
"#;
    let fleet = look(&format!("{EXAMPLE}{more}")).fleet.unwrap();
    assert_eq!((fleet.limits.reads.capacity, fleet.limits.reads.per_second), (10.0, 0.5));
    assert_eq!((fleet.limits.per_plan, fleet.limits.writes.capacity), (2, 200.0));
    assert_eq!((fleet.engine.lease, fleet.engine.concurrency), (Duration::from_secs(20), 7));
}

#[test]
fn each_credential_belongs_to_its_subscriptions() {
    let several = "[azure.contoso]\ncredential = { kind = \"azure_cli\" }\nsubscriptions = [\"0A0A\"]\n\
                   [azure.fabrikam]\ncredential = { kind = \"managed_identity\" }\n";
    let rest = &EXAMPLE[EXAMPLE.find("[storage.weu]").unwrap()..];
    let fleet = look(&format!("{several}{rest}")).fleet.unwrap();
    let names: Vec<_> =
        fleet.clouds.iter().map(|cloud| (cloud.name.as_str(), cloud.subscriptions.len())).collect();
    assert_eq!(names, [("contoso", 1), ("fabrikam", 0)]);
    let closed = several.replace("[azure.fabrikam]", "[azure.fabrikam]\nsubscriptions = [\"0b0b\"]");
    let unserved = format!("{}{rest}", closed.replace("0A0A", "0c0c"));
    assert!(errors(&unserved).iter().any(|e| e.contains("no [azure] section serves the subscription 0a0a")));
    let twice = format!("{}{rest}", closed.replace("0b0b", "0a0a"));
    assert!(
        errors(&twice).iter().any(|e| e.contains("[azure.contoso] and [azure.fabrikam] both serve 0a0a"))
    );
    let open = format!("{}{rest}", several.replace("subscriptions = [\"0A0A\"]", ""));
    assert!(errors(&open).iter().any(|e| e.contains("both serve every subscription")));
}

#[test]
fn one_mistake_is_one_error_with_the_expected_value() {
    for (line, replacement, expected) in MISTAKES.iter().chain(storages::MISTAKES_IN_STORAGES) {
        assert_eq!(after_mistake(line, replacement), *expected, "{replacement}");
    }
}

#[test]
fn all_errors_are_reported_together() {
    let text = EXAMPLE.replace("timezone", "timezon").replace("\"2h\"", "\"2x\"").replace("mint", "mnit");
    let found = errors(&text);
    for expected in ["`timezon`", "`policy.gold.spread`", "`policy.gold.retry.skipped.max`", "missing `mint`"]
    {
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:#?}");
    }
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(look(&text).fleet.is_none());
}

#[test]
fn two_spellings_of_one_app_are_a_duplicate() {
    let twice =
        "[[app]]\nid = \"/SUBSCRIPTIONS/0A0A/resourcegroups/SHOPS/providers/Microsoft.Web/sites/Shop\"\n";
    let found = errors(&format!("{EXAMPLE}{twice}"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`app[1].id`: shop is listed already, as `app[0].id`"), "{found:?}");
}

#[test]
fn an_unreadable_secret_is_an_error_unless_secrets_are_skipped() {
    let text = EXAMPLE
        .replace("env:AZURE_CLIENT_SECRET", "env:HOLDFAST_NOBODY_SETS_THIS")
        .replace("env:STORAGE_KEY", "file:/nowhere/key");
    let found: Vec<_> = checked(&text, Secrets::Read).problems.into_iter().map(|p| p.message).collect();
    assert!(found.iter().any(|m| m.contains("`env:HOLDFAST_NOBODY_SETS_THIS` is not set")), "{found:#?}");
    assert!(found.iter().any(|m| m.contains("`file:/nowhere/key` could not be read")), "{found:#?}");
    assert!(look(&text).fleet.is_some());
}

#[test]
fn an_invalid_secret_is_an_error_that_does_not_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    write_private(&path, "hunter2isnokey!");
    let reference = format!("file:{}", path.display());
    let key = EXAMPLE.replace("env:AZURE_CLIENT_SECRET", &reference).replace("env:STORAGE_KEY", &reference);
    let sas = with(
        "{ mint = \"account_key\", key = \"env:STORAGE_KEY\", lifetime = \"48h\" }",
        &format!("{{ url = \"{reference}\" }}"),
    );
    let sas = sas.replace("env:AZURE_CLIENT_SECRET", &reference);
    for (text, expected) in [(key, "is unusable: it is not base64"), (sas, "is unusable: it has")] {
        let problems = checked(&text, Secrets::Judge).problems;
        let told: String = problems.iter().map(ToString::to_string).collect();
        assert!(!told.contains("hunter2"), "{told}");
        assert!(
            problems.iter().any(|p| p.severity == Severity::Error && p.message.contains(expected)),
            "{told}"
        );
    }
}

#[test]
fn invalid_toml_is_reported_with_its_position_and_without_the_rest_of_the_line() {
    let told = after_mistake("secret = \"env:AZURE_CLIENT_SECRET\"", "secret = hunter2");
    assert!(told.contains("this is not TOML") && told.contains("fleet.toml:3:92"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    let told = after_mistake("[[app]]", "[[app]");
    assert!(
        told.starts_with(
            "error: this is not TOML: unclosed array table, expected `]`\n  --> fleet.toml:22:7\n"
        ),
        "{told}"
    );
    let both = errors(&with("[[app]]", "[[app]").replace("timezone", "timezon"));
    assert_eq!(both.len(), 2, "what can be read is checked all the same: {both:#?}");
}

#[test]
fn a_file_that_is_no_text_is_answered_with_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("empty"), " \n").unwrap();
    std::fs::write(path("latin"), b"a = 1\nb = \"\xe9\"\n").unwrap();
    std::fs::write(path("huge"), vec![b'#'; 10 << 20]).unwrap();
    std::fs::write(path("wide"), b"\xff\xfea\0=\x001\0").unwrap();
    let now = parse_timestamp("2026-11-23T12:00:00Z").unwrap();
    let told = |name: &str| check(&path(name), Secrets::Leave, now).unwrap_err().to_string();
    for (name, expected) in [
        ("missing", "does not exist"),
        ("empty", "is empty"),
        ("latin", "is not UTF-8 text (line 2)"),
        ("huge", "is larger than 8 MiB"),
        ("wide", "is UTF-16 text"),
    ] {
        let told = told(name);
        assert!(told.starts_with("the fleet file ") && told.ends_with(expected), "{told}");
        assert_eq!(told.lines().count(), 1);
    }
}

#[test]
fn a_byte_order_mark_before_the_file_is_no_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.toml");
    std::fs::write(&path, format!("\u{feff}{}", EXAMPLE.trim_start())).unwrap();
    let now = parse_timestamp("2026-11-23T12:00:00Z").unwrap();
    assert_eq!(check(&path, Secrets::Leave, now).unwrap().problems, []);
}

#[test]
fn a_key_cannot_move_the_terminals_cursor() {
    let told = rendered(&format!("{EXAMPLE}\n\"\\u001b[2J\" = 1\n"));
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

/// Each unknown key was compared with all known ones, and its line was looked for from the start of the file.
#[test]
fn a_file_of_many_mistakes_is_answered_at_once_with_some_of_them() {
    let many = |key: &str, separator: &str| {
        (0..30_000).fold(String::new(), |mut text, number| {
            let _ = write!(text, "{key}{number} = 1{separator}");
            text
        })
    };
    let clock = holdfast_model::SystemClock::default();
    let began = clock.elapsed();
    for text in [
        format!("{}{EXAMPLE}", many("schedul", "\n")),
        format!("{EXAMPLE}\n[policy]\nx = {{ {} y = 1 }}\n", many("schedul", ", ")),
        EXAMPLE.replace("tags   = { backup = \"gold\" }", &format!("tags = {{ {} y = 1 }}", many("t", ", "))),
    ] {
        let Checked { fleet, problems, .. } = look(&text);
        assert!(fleet.is_none() && (1..=200).contains(&problems.len()), "{}", problems.len());
    }
    // It took over a minute.
    let took = clock.elapsed().saturating_sub(began);
    assert!(took < Duration::from_secs(15), "{took:?}");
}

const MARKER: &str = "hunter2hunter2";

#[test]
fn a_forgotten_quote_does_not_show_the_secret_that_it_joins_to_a_word() {
    let joined = |what: &str, of: &str| rendered(&EXAMPLE.replace(what, of));
    for told in [
        joined("\"account_key\", key = \"env:STORAGE_KEY\"", &format!("\"account_key{MARKER}\"")),
        joined("\"client_secret\", tenant", &format!("\"client_secret{MARKER}\", tenant")),
        joined("\"11\", secret = \"env:AZURE_CLIENT_SECRET\"", &format!("\"11{MARKER}\"")),
        joined("lifetime = \"48h\"", &format!("lifetime = \"48h{MARKER}\"")),
    ] {
        assert!(told.contains("error: `") && !told.contains(MARKER), "{told}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_check_panic(text in "[\\[\\]a-z.=\"'{}#\n ,0-9\\\\é-]{0,200}") {
        let told = rendered(&text);
        prop_assert!(!told.is_empty(), "a fleet without [azure] is never good");
    }

    #[test]
    fn no_damage_to_the_example_makes_the_check_panic_or_shows_a_secret(
        cuts in proptest::collection::vec((0_usize..1_500, 0_usize..12, "[\\[\\]a-z.=\"'{}#\n ,0-9-]{0,6}"), 0..6),
    ) {
        let mut text = EXAMPLE
            .replace("env:AZURE_CLIENT_SECRET", MARKER)
            .replace("env:STORAGE_KEY", MARKER)
            .replace("net/backups", &format!("net/backups?sig={MARKER}"))
            .replace("[[discover]] ", &format!("[[discover]] # sas was {MARKER}"));
        for (at, length, put) in cuts {
            let at = text.floor_char_boundary(at.min(text.len()));
            let end = text.floor_char_boundary((at + length).min(text.len()));
            // What is torn apart is no secret any more; the rest must stay whole to be found.
            if !text[at..end].contains('h') {
                text.replace_range(at..end, &put);
            }
        }
        let problems = look(&text).problems;
        let json = serde_json::to_string(&problems).unwrap();
        for problem in &problems {
            prop_assert!(!problem.to_string().contains(MARKER), "{problem}\n{text}");
        }
        prop_assert!(!json.contains(MARKER));
    }
}
