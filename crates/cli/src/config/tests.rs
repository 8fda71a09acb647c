use std::fmt::Write as _;
use std::time::Duration;

use holdfast_arm::Credential;
use holdfast_model::{Overlap, PolicyName, Retry, StorageName, parse_timestamp};
use holdfast_storage::SasSource;
use proptest::prelude::*;

use super::*;

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
retention       = { days = 30, keep_at_least = 1 }
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

const DATABASES: &str =
    "databases = [{ type = \"SqlAzure\", name = \"shop\", connection_string = \"env:SHOP_DB\" }]";

fn checked(text: &str, secrets: Secrets) -> Checked {
    let source = Source { name: "fleet.toml".into(), text: text.into() };
    check_source(&source, secrets, parse_timestamp("2026-11-23T12:00:00Z").unwrap())
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

/// Messages of errors, without those warnings that the example has.
fn errors(text: &str) -> Vec<String> {
    let problems = look(text).problems.into_iter().filter(|problem| problem.severity == Severity::Error);
    problems.map(|problem| format!("{}:{} {}", problem.line, problem.column, problem.message)).collect()
}


/// What one slip in the example is answered with, warnings of the example left out.
fn after_slip(line: &str, replacement: &str) -> String {
    let problems = look(&with(line, replacement)).problems.into_iter();
    let problems = problems.filter(|problem| !problem.message.contains("no backup is deleted yet"));
    problems.map(|problem| problem.to_string()).collect()
}

#[test]
fn the_documented_example_is_read_whole() {
    let Checked { fleet, problems } = look(EXAMPLE);
    let fleet = fleet.unwrap();
    let messages: Vec<_> = problems.iter().map(|p| (p.severity, p.key.as_str())).collect();
    assert_eq!(messages, [(Severity::Warning, "policy.gold.retention")], "retention is not carried out yet");
    assert!(matches!(&fleet.clouds[0].credential, Credential::ClientSecret { secret, .. } if secret.to_string() == "env:AZURE_CLIENT_SECRET"));
    assert_eq!(fleet.clouds[0].endpoint.as_str(), "https://management.azure.com/");
    let storage = &fleet.storages[&StorageName::new("weu")];
    assert_eq!(storage.container.account(), "acct");
    assert!(matches!(&storage.source, SasSource::AccountKey { lifetime, .. } if *lifetime == Duration::from_hours(48)));
    let gold = &fleet.policies[&PolicyName::new("gold")];
    assert_eq!(gold.schedule.fingerprint(), "0 2 * * * Europe/Paris 7200s");
    assert_eq!((gold.catch_up, gold.terms.deadline), (Duration::from_hours(6), Duration::from_hours(4)));
    assert_eq!(gold.recovery_point_objective, Some(Duration::from_hours(26)));
    assert_eq!(gold.retention.map(|kept| (kept.days, kept.keep_at_least)), Some((30, 1)));
    assert_eq!(gold.terms.retries.timed_out, Retry::seconds(3, 300, 3_600));
    assert_eq!(gold.terms.retries.skipped, Retry::seconds(4, 1_800, 7_200));
    assert_eq!((gold.terms.account.as_str(), gold.overlap), ("acct", Overlap::Skip));
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
retry.failed = { max = "1m" }"#;
    let fleet = look(&with("storage  = \"weu\"", more)).fleet.unwrap();
    let gold = &fleet.policies[&PolicyName::new("gold")];
    let terms = &gold.terms;
    assert_eq!((gold.overlap, terms.shrink_tolerance_percent), (Overlap::Queue, 35));
    assert_eq!((terms.partial_is_good, terms.verify), (true, false));
    assert_eq!((terms.poll.first, terms.poll.max), (Duration::from_millis(250), Duration::from_secs(10)));
    assert_eq!(terms.retries.partial, Retry::seconds(2, 900, 3_600));
    assert_eq!(terms.retries.failed, Retry::seconds(3, 60, 60), "a longest pause below the first takes it along");
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
    let names: Vec<_> = fleet.clouds.iter().map(|cloud| (cloud.name.as_str(), cloud.subscriptions.len())).collect();
    assert_eq!(names, [("contoso", 1), ("fabrikam", 0)]);
    let closed = several.replace("[azure.fabrikam]", "[azure.fabrikam]\nsubscriptions = [\"0b0b\"]");
    let unserved = format!("{}{rest}", closed.replace("0A0A", "0c0c"));
    assert!(errors(&unserved).iter().any(|e| e.contains("no [azure] section serves the subscription 0a0a")));
    let twice = format!("{}{rest}", closed.replace("0b0b", "0a0a"));
    assert!(errors(&twice).iter().any(|e| e.contains("[azure.contoso] and [azure.fabrikam] both serve 0a0a")));
    let open = format!("{}{rest}", several.replace("subscriptions = [\"0A0A\"]", ""));
    assert!(errors(&open).iter().any(|e| e.contains("both serve every subscription")));
}

#[test]
fn one_slip_is_one_error_that_says_what_was_expected() {
    for (line, replacement, expected) in SLIPS {
        println!("{}@@@", after_slip(line, replacement)); let _ = expected;
    }
}

const SLIPS: &[(&str, &str, &str)] = &[
    (r#"timezone = "Europe/Paris""#, r#"timezon = "Europe/Paris""#, ""),
    (r#"timezone = "Europe/Paris""#, r#"timezone = "Paris""#, ""),
    (r#"timezone = "Europe/Paris""#, r#"timezone = "Europe/Pariss""#, ""),
    (r#""0 2 * * *""#, r#""0 2 * *""#, ""),
    (r#""0 2 * * *""#, r#""61 2 * * *""#, ""),
    (r#""0 2 * * *""#, r#"5"#, ""),
    (r#""0 2 * * *""#, r#""*/30 * * * *""#, ""),
    (r#"spread   = "2h""#, r#"spread = "2 hours and a bit""#, ""),
    (r#"spread   = "2h""#, r#"spread = 7200"#, ""),
    (r#"spread   = "2h""#, r#"spread = "25h""#, ""),
    (r#"deadline = "4h""#, r#"deadline = "48h""#, ""),
    (r#"catch_up = "6h""#, r#"catch_up = "900d""#, ""),
    (r#"storage  = "weu""#, r#"storage = "weuu""#, ""),
    (r#"storage  = "weu""#, r#"storge = "weu""#, ""),
    (r#"recovery_point_objective = "26h""#, r#"recovery_point_objective = "20h""#, ""),
    (r#"{ attempts = 3, first = "5m", max = "1h" }"#, r#"{ attempts = 0, first = "5m" }"#, ""),
    (r#"{ attempts = 3, first = "5m", max = "1h" }"#, r#"{ first = "2h", max = "1h" }"#, ""),
    (r#"retry.skipped "#, r#"retry.skiped "#, ""),
    (r#"days = 30, "#, r#""#, ""),
    (r#"policy = "gold"

[[disc"#, r#"policy = "golden"

[[disc"#, ""),
    (r#"policy = "gold"

[[disc"#, r#"policy = "silver"

[[disc"#, ""),
    (r#"sites/shop""#, r#"sites/""#, ""),
    (r#""/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/shop""#, r#""shop""#, ""),
    (r#"subscription = "0a0a""#, r#"subscription = "/subscriptions/0a0a""#, ""),
    (r#"tags   = { backup = "gold" }"#, r#"tags = ["gold"]"#, ""),
    (r#""client_secret""#, r#""client_secrets""#, ""),
    (r#"secret = "env:AZURE_CLIENT_SECRET""#, r#"secret = "hunter2""#, ""),
    (r#"secret = "env:AZURE_CLIENT_SECRET""#, r#"sceret = "hunter2""#, ""),
    (r#""2024-11-01""#, r#""november""#, ""),
    (r#""2024-11-01""#, r#""2016-08-01""#, ""),
    (r#"api_version ="#, r#"endpoint = "http://management.example.com"
api_version ="#, ""),
    (r#"https://acct.blob.core.windows.net/backups"#, r#"https://acct.blob.core.windows.net/backups?sv=1&sig=hunter2"#, ""),
    (r#"https://acct.blob.core.windows.net/backups"#, r#"https://acct.blob.core.windows.net/"#, ""),
    (r#"{ mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }"#, r#"{ mint = "user_delegation" }"#, ""),
    (r#"{ mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }"#, r#"{ url = "https://acct.blob.core.windows.net/backups?sig=hunter2" }"#, ""),
    (r#"[storage.weu]"#, r#"[storages.weu]"#, ""),
    (r#"[[app]]"#, r#"[app]"#, ""),
];
