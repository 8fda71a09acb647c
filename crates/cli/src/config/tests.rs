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

#[test]
fn print() {
    for (line, repl) in [("timezone = ", "timezon = "), ("\"Europe/Paris\"", "\"Paris\""), ("\"gold\" }", "\"gold\", x = 5 }"),
        ("deadline = \"4h\"","deadline = \"4d\""), ("secret = \"env:AZURE_CLIENT_SECRET\"", "secret = \"hunter2\""),
        ("secret = \"env:AZURE_CLIENT_SECRET\"", "sceret = \"hunter2\""), ("[[app]]", "[[app]"), ("policy = \"gold\"\n\n[[disc", "policy = \"gold\"\ndatabases = [{ type = \"SqlAzure\", name = \"shop\", connection_string = \"env:SHOP_DB\" }]\n[[disc")] {
        println!("{}\n==========", rendered(&with(line, repl)));
    }
}
