//! Storages, and the secrets that they and the credentials are given.

use super::*;

/// As [`MISTAKES`], of storages and of secrets.
pub const MISTAKES_IN_STORAGES: &[(&str, &str, &str)] = &[
    (
        r#"secret = "env:AZURE_CLIENT_SECRET""#,
        r#"secret = "hunter2""#,
        r#"error: `azure.credential.secret`: expected a reference to a secret, `env:NAME`, `file:PATH` or `keyvault:https://VAULT.vault.azure.net/secrets/NAME`, and not the secret itself
 --> fleet.toml:3:92
  |
3 | credential  = { kind = "client_secret", tenant = …, client_id = …, secret = … }
  |                                                                             ^
"#,
    ),
    (
        r"https://acct.blob.core.windows.net/backups",
        r"https://acct.blob.core.windows.net/backups?sv=1&sig=hunter2",
        r"error: `storage.weu.container`: a container's URL holds no query and no user: the SAS is given under `sas`
 --> fleet.toml:7:13
  |
7 | container = …
  |             ^
",
    ),
    (
        r"https://acct.blob.core.windows.net/backups",
        r"https://acct.blob.core.windows.net/backupig=hunter2",
        r"error: `storage.weu.container`: a container's name is 3 to 63 lower-case letters, digits and hyphens
 --> fleet.toml:7:13
  |
7 | container = …
  |             ^
",
    ),
    (
        r"https://acct.blob.core.windows.net/backups",
        r"https://acct.blob.core.windows.net/",
        r#"error: `storage.weu.container`: a container's URL ends in the container's name and nothing more: https://ACCOUNT.blob.core.windows.net/CONTAINER
 --> fleet.toml:7:13
  |
7 | container = "https://acct.blob.core.windows.net/"
  |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"#,
    ),
    (
        r#"{ mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }"#,
        r#"{ mint = "user_delegated" }"#,
        r#"error: `storage.weu.sas.mint`: expected "account_key" or "user_delegation", or `url` with a reference to a SAS instead, found "user_delegated"; did you mean `user_delegation`?
 --> fleet.toml:8:16
  |
8 | sas = { mint = "user_delegated" }
  |                ^^^^^^^^^^^^^^^^
"#,
    ),
    (
        r#"{ mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }"#,
        r#"{ mint = "user_delegation", lifetime = "7d" }"#,
        r#"warning: `storage.weu.sas.mint`: it is not known whether App Service writes a backup with a user delegation SAS
 --> fleet.toml:8:16
  |
8 | sas = { mint = "user_delegation", lifetime = "7d" }
  |                ^^^^^^^^^^^^^^^^^
  = help: back up one app with it before the fleet depends on it
error: `storage.weu.sas.lifetime`: expected at most 6d 23h 40m
 --> fleet.toml:8:46
  |
8 | sas = { mint = "user_delegation", lifetime = "7d" }
  |                                              ^^^^
  = help: a user delegation key lasts 7 days, less an allowance for clock skew
"#,
    ),
    (
        r#"sas = { mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }"#,
        "sas = { url = \"env:STORAGE_SAS\" }\nazure = \"contoso\"",
        r#"error: `storage.weu.azure`: there is no section [azure.contoso]
 --> fleet.toml:9:9
  |
9 | azure = "contoso"
  |         ^^^^^^^^^
"#,
    ),
    (
        r#""env:AZURE_CLIENT_SECRET""#,
        r#""keyvault:https://acme.vault.azure.net/secrets/azure""#,
        r#"error: `azure.credential.secret`: this secret cannot be in a Key Vault, because it is what opens the Key Vault
 --> fleet.toml:3:92
  |
3 | credential  = { kind = "client_secret", tenant = …, client_id = …, secret = "keyvault:https://acme.vault.azure.net/secrets/azure" }
  |                                                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  = help: use `env:NAME` or `file:PATH`, or a managed or workload identity, which need no secret
"#,
    ),
    (
        r#""env:STORAGE_KEY""#,
        r#""keyvault:https://acme.vault.azure.net/keys/storage""#,
        r#"error: `storage.weu.sas.key`: expected a reference to a secret, `env:NAME`, `file:PATH` or `keyvault:https://VAULT.vault.azure.net/secrets/NAME`, and not the secret itself
 --> fleet.toml:8:37
  |
8 | sas = { mint = "account_key", key = …, lifetime = "48h" }
  |                                     ^
"#,
    ),
    (
        r#"{ mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }"#,
        r#"{ url = "https://acct.blob.core.windows.net/backups?sig=hunter2" }"#,
        r"error: `storage.weu.sas.url`: expected a reference to a secret, `env:NAME`, `file:PATH` or `keyvault:https://VAULT.vault.azure.net/secrets/NAME`, and not the secret itself
 --> fleet.toml:8:15
  |
8 | sas = { url = … }
  |               ^
",
    ),
];

const KEY: &str = "{ mint = \"account_key\", key = \"env:STORAGE_KEY\", lifetime = \"48h\" }";

fn weu(text: &str) -> holdfast_storage::StorageTarget {
    look(text).fleet.unwrap().storages.remove(&StorageName::new("weu")).unwrap()
}

#[test]
fn a_sas_may_be_minted_with_a_user_delegation_key() {
    let target = weu(&with(KEY, "{ mint = \"user_delegation\" }"));
    assert_eq!(target.source, SasSource::UserDelegation { lifetime: Duration::from_hours(48) });
    let target = weu(&with(KEY, "{ mint = \"user_delegation\", lifetime = \"6d 23h 40m\" }"));
    assert_eq!(target.source.lifetime(), Some(holdfast_storage::DELEGATION_LIFETIME_MAX));
    let short = errors(&with(KEY, "{ mint = \"user_delegation\", lifetime = \"4h\" }"));
    assert!(short[0].contains("`policy.gold.deadline`: a backup may run for 4h"), "{short:?}");
}

#[test]
fn a_key_vault_secret_is_named_and_not_requested() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "a secret").unwrap();
    let vault = "keyvault:https://acme.vault.azure.net/secrets/storage-key";
    let text = EXAMPLE
        .replace("env:AZURE_CLIENT_SECRET", &format!("file:{}", path.display()))
        .replace("env:STORAGE_KEY", vault);
    let Checked { fleet, problems, .. } = checked(&text, Secrets::Read);
    assert!(problems.iter().all(|problem| problem.severity == Severity::Warning), "{problems:#?}");
    let source = &fleet.unwrap().storages[&StorageName::new("weu")].source;
    assert_eq!(source.secret().unwrap().to_string(), vault);
}

#[test]
fn a_storage_may_be_opened_by_a_credential_of_its_own() {
    let several = "[azure.contoso]\ncredential = { kind = \"azure_cli\" }\n\
                   [azure.fabrikam]\ncredential = { kind = \"managed_identity\" }\nsubscriptions = [\"0b0b\"]\n";
    let rest = &EXAMPLE[EXAMPLE.find("[storage.weu]").unwrap()..];
    assert_eq!(weu(&format!("{several}{rest}")).azure, None);
    let named = rest.replace("[storage.weu]", "[storage.weu]\nazure = \"fabrikam\"");
    assert_eq!(weu(&format!("{several}{named}")).azure.as_deref(), Some("fabrikam"));
    let misspelt = errors(&format!("{several}{}", named.replace("\"fabrikam\"", "\"fabricam\"")));
    assert!(
        misspelt[0].contains("there is no section [azure.fabricam]; did you mean `fabrikam`?"),
        "{misspelt:?}"
    );
}

#[test]
fn a_container_that_takes_no_backups_is_an_error_with_its_reason() {
    for (container, expected) in [
        ("https://acct.file.core.windows.net/backups", "this is the account's file service"),
        ("https://acct.dfs.core.windows.net/backups", "this is the account's dfs service"),
        ("https://acct-secondary.blob.core.windows.net/backups", "leave out `-secondary`"),
        ("https://acct.privatelink.blob.core.windows.net/backups", "leave out `privatelink.`"),
        ("https://my-acct.blob.core.windows.net/backups", "3 to 24 lower-case letters and digits"),
        (
            "https://backups.contoso.com/backups",
            "minted for the account's name, and backups.contoso.com does not show",
        ),
        ("https://acct.blob.core.windows.net/$web", "is a public website"),
        ("https://acct.blob.core.windows.net/$logs", "only storage itself writes"),
        ("https://acct.blob.core.windows.net/-backups", "begins and ends with a letter or a digit"),
        ("https://acct.blob.core.windows.net/back--ups", "no two hyphens in a row"),
        ("https://acct.blob.core.windows.net/Backups", "write it in lower case"),
        ("https://acct.blob.core.windows.net/ab", "3 to 63 lower-case letters"),
    ] {
        let found = errors(&with("https://acct.blob.core.windows.net/backups", container));
        assert!(found.len() == 1 && found[0].starts_with("7:13 `storage.weu.container`: "), "{found:#?}");
        assert!(found[0].contains(expected), "{container}: {found:#?}");
    }
}

#[test]
fn a_container_that_may_be_meant_is_a_warning() {
    let sas = with(KEY, "{ url = \"env:SAS\" }");
    for (container, expected) in [
        ("https://backups.contoso.com/backups", "backups.contoso.com is not an address of Azure's own"),
        ("https://acct.blob.core.windows.net/$root", "is the account's root container"),
    ] {
        let Checked { fleet, problems, .. } =
            look(&sas.replace("https://acct.blob.core.windows.net/backups", container));
        assert!(fleet.is_some() && problems.len() == 1, "{problems:#?}");
        assert!(problems[0].message.contains(expected) && problems[0].help.is_some(), "{problems:#?}");
    }
}
