//! The secrets that passed by are kept for tests, where that is asked for.

use holdfast_simulator::{Azure, Config, Method};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::support::{app, call, config, good_sas, good_url, request, start};

/// A backup with a database, and a look at a blob.
fn seen_by(mut azure: Azure) -> Vec<String> {
    let properties = json!({
        "storageAccountUrl": good_url(), "backupName": "hf-1",
        "databases": [{"databaseType": "SqlAzure", "name": "shop", "connectionString": "Server=x;Password=hush"}],
    });
    let post = request(Method::Post, &format!("{}/backup", app("shop")));
    let answer = call(&mut azure, start(), post.with_body(json!({ "properties": properties }).to_string()));
    assert_eq!(answer.status, 200);
    let other = format!("/acct/backups/hf-1.zip?{}", good_sas().replace("sig=", "sig=another"));
    azure.handle(start(), &holdfast_simulator::Request::new(Method::Get, &other));
    assert!(!format!("{azure:?}").contains("hush"));
    azure.secrets_seen().iter().map(|secret| secret.expose_secret().to_owned()).collect()
}

#[test]
fn signatures_tokens_and_connection_strings_are_kept_only_for_who_asks() {
    let seen = seen_by(Azure::new(Config { remembers_secrets: true, ..config() }, 1).unwrap());
    let encoded = good_sas().split("sig=").nth(1).unwrap().to_owned();
    let signature = encoded.replace("%2B", "+").replace("%3D", "=");
    for secret in [signature.clone(), format!("another{signature}"), "Server=x;Password=hush".to_owned()] {
        assert!(seen.contains(&secret), "{seen:?}");
    }
    assert_eq!(seen.iter().filter(|secret| secret.starts_with("simulated.")).count(), 1, "{seen:?}");
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert!(seen_by(Azure::new(config(), 1).unwrap()).is_empty());
}
