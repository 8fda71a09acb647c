//! One small Azure, requests to it, and a SAS that the test signs.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use holdfast_model::{AppId, Site, Timestamp, parse_timestamp};
use holdfast_simulator::{Azure, Config, Fleet, FleetSite, Method, Pace, Request, Response, StorageAccount};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::Sha256;

pub const SUBSCRIPTION: &str = "0a0a0a0a-0000-4000-8000-000000000001";

pub fn start() -> Timestamp {
    parse_timestamp("2026-06-01T12:00:00Z").unwrap()
}

pub fn after(seconds: u64) -> Timestamp {
    start() + Duration::from_secs(seconds)
}

pub fn app(name: &str) -> AppId {
    AppId::new(SUBSCRIPTION, "rg-shops", name, None)
}

pub fn site(name: &str, slot: Option<&str>, tier: &str) -> FleetSite {
    let plan = format!(
        "/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-shops/providers/microsoft.web/serverfarms/p1"
    );
    let site = Site {
        id: AppId::new(SUBSCRIPTION, "rg-shops", name, slot),
        location: "West Europe".to_owned(),
        plan: Some(plan),
        kind: Some("app".to_owned()),
        state: Some("Running".to_owned()),
        tier: Some(tier.to_owned()),
        operation: None,
        hosts: Vec::new(),
        tags: BTreeMap::from([("backup".to_owned(), "gold".to_owned())]),
    };
    FleetSite { site, size_bytes: 4_000 }
}

/// Sites `shop`, `api` and `shop/staging`, and the account `acct` with the container `backups`.
pub fn config() -> Config {
    let sites = vec![
        site("shop", None, "Standard"),
        site("api", None, "Standard"),
        site("shop", Some("staging"), "Standard"),
    ];
    let accounts = vec![StorageAccount::generate("acct", "backups", 5)];
    let pace = Pace { backup_median: Duration::from_mins(1), ..Pace::default() };
    Config { pace, ..Config::new(Fleet { sites, accounts }) }
}

pub fn azure() -> Azure {
    Azure::new(config(), 1).unwrap()
}

/// A SAS for the container and both protocols.
pub fn sas(account: &StorageAccount, permissions: &str, start: &str, expiry: &str) -> String {
    sas_over("https,http", account, permissions, start, expiry)
}

/// A SAS for the container, signed with the account's key line by line as the public layout has it.
pub fn sas_over(
    protocols: &str,
    account: &StorageAccount,
    permissions: &str,
    start: &str,
    expiry: &str,
) -> String {
    let container = &account.containers[0];
    let text = format!(
        "{permissions}\n{start}\n{expiry}\n/blob/{}/{container}\n\n\n{protocols}\n2022-11-02\nc\n\n\n\n\n\n\n",
        account.name
    );
    let key = BASE64.decode(account.key.expose_secret()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(text.as_bytes());
    let signature = BASE64.encode(mac.finalize().into_bytes()).replace('+', "%2B").replace('=', "%3D");
    format!("sv=2022-11-02&st={start}&se={expiry}&sr=c&sp={permissions}&spr={protocols}&sig={signature}")
}

pub fn good_sas() -> String {
    sas(&StorageAccount::generate("acct", "backups", 5), "rwdl", "2026-06-01", "2026-07-01")
}

pub fn good_url() -> String {
    format!("https://acct.blob.core.windows.net/backups?{}", good_sas())
}

/// A token, had from the token endpoint.
pub fn token(azure: &mut Azure, now: Timestamp) -> String {
    let client = config().client;
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fmanagement.azure.com%2F.default",
        client.id,
        client.secret.expose_secret()
    );
    let request =
        Request::new(Method::Post, &format!("/{}/oauth2/v2.0/token", client.tenant)).with_body(form);
    let answer = azure.handle(now, &request);
    body(&answer)["access_token"].as_str().unwrap().to_owned()
}

/// A call with a fresh token.
pub fn call(azure: &mut Azure, now: Timestamp, request: Request) -> Response {
    let token = token(azure, now);
    azure.handle(now, &request.with_header("authorization", format!("Bearer {token}")))
}

pub fn post_backup(app: &AppId, name: &str, url: &str) -> Request {
    let body = json!({"properties": {"backupName": name, "storageAccountUrl": url}});
    Request::new(Method::Post, &format!("{app}/backup?api-version=2024-11-01")).with_body(body.to_string())
}

pub fn get(path: &str) -> Request {
    Request::new(Method::Get, &format!("{path}?api-version=2024-11-01"))
}

pub fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// Starts a backup with a good SAS; its id.
pub fn started(azure: &mut Azure, now: Timestamp, app: &AppId, name: &str) -> i64 {
    let answer = call(azure, now, post_backup(app, name, &good_url()));
    assert_eq!(answer.status, 200);
    body(&answer)["properties"]["id"].as_i64().unwrap()
}

/// The `properties` of a backup.
pub fn shown(azure: &mut Azure, now: Timestamp, app: &AppId, id: i64) -> Value {
    let answer = call(azure, now, get(&format!("{app}/backups/{id}")));
    assert_eq!(answer.status, 200);
    body(&answer)["properties"].clone()
}

pub fn request(method: Method, path: &str) -> Request {
    Request::new(method, &format!("{path}?api-version=2024-11-01"))
}

/// Starts a backup that is over by `after(3_000)`, and waits for that.
pub fn ended(azure: &mut Azure, app: &AppId, name: &str) -> i64 {
    let id = started(azure, start(), app, name);
    assert_eq!(shown(azure, after(3_000), app, id)["status"], "Succeeded");
    id
}

/// The length of a blob in the one container, if it is there.
pub fn blob(azure: &mut Azure, now: Timestamp, name: &str) -> Option<u64> {
    azure.blob(now, "https://acct.blob.core.windows.net/backups", name).map(|facts| facts.length)
}
