//! Where tokens may go.

use super::*;

const MINT: &str = r#"sas = { mint = "account_key", key = "env:STORAGE_KEY", lifetime = "48h" }"#;

/// The example with this `[azure]` section, and a storage that takes a token.
fn fleet(azure: &str, container: &str) -> String {
    let text = with(MINT, r#"sas = { mint = "user_delegation", lifetime = "48h" }"#);
    let text = text.replace("https://acct.blob.core.windows.net/backups", container);
    text.replace("api_version = \"2024-11-01\"", azure)
}

const CONTAINER: &str = "https://acct.blob.core.windows.net/backups";

#[test]
fn a_host_that_is_not_azures_receives_no_token_unless_it_is_listed() {
    for (azure, container, key, host) in [
        ("", "https://acct.blob.thief.example/backups", "storage.weu.container", "acct.blob.thief.example"),
        (
            "",
            "https://acct.blob.core.chinacloudapi.cn/backups",
            "storage.weu.container",
            "acct.blob.core.chinacloudapi.cn",
        ),
        (
            r#"endpoint = "https://management.thief.example""#,
            CONTAINER,
            "azure.endpoint",
            "management.thief.example",
        ),
        (r#"authority = "https://login.thief.example""#, CONTAINER, "azure.authority", "login.thief.example"),
        (
            r#"authority = "https://login.chinacloudapi.cn""#,
            CONTAINER,
            "azure.authority",
            "login.chinacloudapi.cn",
        ),
    ] {
        let text = fleet(azure, container);
        let found = errors(&text);
        assert!(
            found.iter().any(|error| error.contains(&format!("`{key}`: ")) && error.contains(host)),
            "{found:#?}"
        );
        assert!(look(&text).fleet.is_none());
        let listed = fleet(&format!("{azure}\ntrusted_hosts = [\"{host}\"]"), container);
        let left: Vec<String> = errors(&listed).into_iter().filter(|error| error.contains(key)).collect();
        assert_eq!(left, [] as [String; 0]);
    }
}

#[test]
fn the_hosts_of_each_cloud_and_of_this_machine_receive_tokens() {
    for (azure, container) in [
        ("", CONTAINER),
        ("", "https://acct.z12.blob.storage.azure.net/backups"),
        (
            "endpoint = \"https://management.usgovcloudapi.net\"\nauthority = \"https://login.microsoftonline.us\"",
            "https://acct.blob.core.usgovcloudapi.net/backups",
        ),
        (
            "endpoint = \"https://management.chinacloudapi.cn\"\nauthority = \"https://login.chinacloudapi.cn\"",
            "https://acct.blob.core.chinacloudapi.cn/backups",
        ),
        (
            "endpoint = \"http://127.0.0.1:1\"\nauthority = \"http://localhost:1\"",
            "http://127.0.0.1:1/acct/backups",
        ),
    ] {
        assert_eq!(errors(&fleet(azure, container)), [] as [String; 0], "{azure}");
    }
}

#[test]
fn a_key_vault_of_another_domain_receives_no_token() {
    let text = with("env:STORAGE_KEY", "keyvault:https://acme.vault.thief.example/secrets/key");
    let found = errors(&text);
    assert!(
        found.len() == 1
            && found[0].contains("a token for Key Vault would be sent to acme.vault.thief.example"),
        "{found:#?}"
    );
    assert_eq!(
        errors(&with("env:STORAGE_KEY", "keyvault:https://acme.vault.azure.net/secrets/key")),
        [] as [String; 0]
    );
}

#[test]
fn a_trusted_host_is_a_host_alone() {
    for host in ["https://a.example", "a.example:443", "a.example/x", "*.example", ""] {
        let found = errors(&fleet(&format!("trusted_hosts = [\"{host}\"]"), CONTAINER));
        assert!(found.iter().any(|error| error.contains("expected a host alone")), "{host}: {found:#?}");
    }
}
