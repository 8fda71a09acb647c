//! Fleets for the tests of revisions.

use holdfast_config::{Fleet, FleetText, Secrets};
use holdfast_model::{AppId, PolicyName, Timestamp};

/// A credential, a storage and the policies `gold` and `silver`.
pub const HEAD: &str = r#"[azure]
credential = { kind = "azure_cli" }

[storage.weu]
container = "https://acct.blob.core.windows.net/backups"
sas = { url = "env:HOLDFAST_NO_SUCH_SAS" }

[policy.gold]
schedule = "0 2 * * *"
storage = "weu"

[policy.silver]
schedule = "30 5 * * *"
storage = "weu"

"#;

/// A fleet file with these apps and rules.
pub fn text(apps: &str) -> FleetText {
    FleetText { name: "fleet.toml".into(), text: format!("{HEAD}{apps}") }
}

/// The fleet of [`text`].
pub fn fleet(apps: &str) -> Fleet {
    read(&text(apps))
}

/// The fleet of a text.
pub fn read(text: &FleetText) -> Fleet {
    let checked = text.check(Secrets::Leave, Timestamp::UNIX_EPOCH);
    checked.fleet.unwrap_or_else(|| panic!("{:#?}", checked.problems))
}

/// An entry of an app.
pub fn entry(name: &str, policy: &str) -> String {
    format!("[[app]]\nid = \"{}\"\npolicy = \"{policy}\"\n", app(name))
}

/// The id of an app.
pub fn app(name: &str) -> AppId {
    AppId::new("s", "g", name, None)
}

/// A policy.
pub fn policy(name: &str) -> PolicyName {
    PolicyName::new(name)
}
