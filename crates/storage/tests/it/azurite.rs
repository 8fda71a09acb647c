//! Minted SAS, checked by Azurite, a blob server that others wrote.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{SecondsFormat, TimeDelta};
use hmac::{Hmac, KeyInit, Mac};
use holdfast_model::{AppId, Clock, SystemClock, Timestamp};
use holdfast_storage::{
    BlobFacts, Container, Error, ErrorKind, Grant, LiveStorage, Need, Refusal, SasSource, Storage,
    StorageTarget, Tokens, mint,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use sha2::Sha256;

use crate::bridge::{Bridge, User};
use crate::server::{Nobody, grant, hours, key_file_with, sas_file, storage_of, storage_with, weu};

/// Azurite's key is the same everywhere, and public.
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const REFUSED: Result<(), Refusal> = Err(Refusal::Forbidden { operation: "writing", status: 403 });

fn now() -> Timestamp {
    SystemClock::default().now()
}

fn need(now: Timestamp) -> Need {
    Need { now, until: now + TimeDelta::hours(4), replace: None, reason: None, probe: true }
}

fn storage(container: &Container, source: SasSource, tokens: Arc<dyn Tokens>) -> LiveStorage {
    storage_with(container.clone(), &(Arc::new(SystemClock::default()) as _), source, tokens)
}

/// A new container in the account at this URL, created with an account SAS that no code under test signed.
async fn new_container(account: &str) -> Container {
    let name = format!("test-{}-{}", std::process::id(), now().timestamp_micros());
    let expiry = (now() + TimeDelta::hours(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let (_, account_name) = account.rsplit_once('/').unwrap();
    let text = format!("{account_name}\nc\nb\nc\n\n{expiry}\n\nhttps,http\n2022-11-02\n\n");
    let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(KEY).unwrap()).unwrap();
    mac.update(text.as_bytes());
    let signature = BASE64.encode(mac.finalize().into_bytes());
    let [expiry, signature] = [expiry, signature].map(|value| encode(&value));
    let sas = format!("sv=2022-11-02&ss=b&srt=c&sp=c&se={expiry}&spr=https,http&sig={signature}");
    let url = format!("{account}/{name}");
    assert_eq!(send("PUT", &format!("{url}?restype=container&{sas}"), "").await.0, 201);
    url.parse().unwrap()
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

async fn send(method: &str, url: &str, body: &'static str) -> (u16, String) {
    let client = reqwest::Client::builder().build().unwrap();
    let request = client.request(method.parse().unwrap(), url).header("x-ms-blob-type", "BlockBlob");
    let answer = request.body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// What App Service does with a SAS, and what Holdfast does with its own.
async fn writes_reads_lists_and_deletes(storage: &LiveStorage, granted: &Grant) {
    let (container, sas) = granted.url.expose_secret().split_once('?').unwrap();
    let blob = format!("{container}/shop-1.zip?{sas}");
    assert_eq!(send("PUT", &blob, "backup").await.0, 201);
    assert_eq!(send("GET", &blob, "").await, (200, "backup".to_owned()));
    let (status, list) = send("GET", &format!("{container}?restype=container&comp=list&{sas}"), "").await;
    assert!(status == 200 && list.contains("<Name>shop-1.zip</Name>"), "{status} {list}");
    let seen = storage.blob(&weu(), "shop-1.zip", now()).await.unwrap();
    assert_eq!(seen, Some(BlobFacts { size_bytes: 6 }));
    assert_eq!(send("DELETE", &blob, "").await.0, 202);
    assert_eq!(storage.blob(&weu(), "shop-1.zip", now()).await.unwrap(), None);
}

/// A configured SAS is refused for both reading and writing.
async fn is_refused(container: &Container, sas: &str) {
    let (_file, source) = sas_file(sas);
    let storage = storage(container, source, Arc::new(Nobody));
    assert_eq!(storage.sas_health(&weu(), &need(now())).await.unwrap().probe, REFUSED);
    let error = storage.blob(&weu(), "shop-1.zip", now()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    assert!(
        matches!(error, Error::ReadBlob { cause: Refusal::Forbidden { status: 403, .. }, .. }),
        "{error}"
    );
}

/// A SAS that may only read is refused for writing alone.
async fn may_only_read(container: &Container, sas: &str) {
    let (_file, source) = sas_file(sas);
    let storage = storage(container, source, Arc::new(Nobody));
    let health = storage.sas_health(&weu(), &need(now())).await.unwrap();
    assert!(!health.is_good() && health.probe == REFUSED, "{health:?}");
    assert_eq!(storage.blob(&weu(), "shop-1.zip", now()).await.unwrap(), None);
}

#[tokio::test]
async fn a_sas_minted_with_the_accounts_key_allows_what_a_backup_needs_while_it_holds() {
    let Some(account) = holdfast_tests::service("HOLDFAST_TEST_AZURITE_URL") else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let container = new_container(&account).await;
    let (_file, source) = key_file_with(KEY, hours(48));
    let storage = storage(&container, source, Arc::new(Nobody));
    let granted = grant(&storage, &need(now())).await.unwrap();
    writes_reads_lists_and_deletes(&storage, &granted).await;

    let health = storage.sas_health(&weu(), &need(now())).await.unwrap();
    assert!(health.is_good(), "{health:?}");
    assert_eq!(health.allows_key, Some(true));
    let skew = (health.server_time.unwrap() - now()).abs();
    assert!(skew < TimeDelta::minutes(1), "on one machine: {skew}");

    let minted = |permissions: &str, start: TimeDelta, expiry: TimeDelta| {
        let sas = mint(&KEY.into(), &container, permissions, now() + start, now() + expiry).unwrap();
        sas.expose_secret().to_owned()
    };
    let hours = TimeDelta::hours;
    is_refused(&container, &minted("rwdl", hours(-2), hours(-1))).await;
    is_refused(&container, &minted("rwdl", hours(1), hours(2))).await;
    let good = minted("rwdl", hours(-1), hours(1));
    is_refused(&container, &good.replace("sp=rwdl", "sp=racwdl")).await;
    may_only_read(&container, &minted("r", hours(-1), hours(1))).await;
}

#[tokio::test]
async fn each_app_has_a_container_which_is_created_on_first_use() {
    let Some(account) = holdfast_tests::service("HOLDFAST_TEST_AZURITE_URL") else { return };
    let unique = format!("{}-{}", std::process::id(), now().timestamp_micros());
    let (_file, source) = key_file_with(KEY, hours(48));
    let sample: Container = format!("{account}/bk-{unique}-app").parse().unwrap();
    let pattern = Some(format!("bk-{unique}-{{app}}"));
    let target = |creates| StorageTarget {
        pattern: pattern.clone(),
        creates,
        ..StorageTarget::new(sample.clone(), source.clone())
    };
    let of_policy = weu().with_container(pattern.as_deref().unwrap());
    let [shop, wiki] = ["shop", "wiki"].map(|site| of_policy.for_app(&AppId::new("0a0a", "g", site, None)));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());

    let storage = storage_of(target(false), &clock, Arc::new(Nobody));
    let error = storage.grant(&shop, &need(now())).await.unwrap_err();
    assert!(matches!(error, Error::ProbeContainer { cause: Refusal::NoContainer { .. }, .. }), "{error}");
    let error = storage.grant(&weu(), &need(now())).await.unwrap_err();
    assert!(error.to_string().contains("as in `weu/shop`"), "{error}");

    // Two processes create it, and the second finds it.
    for _ in 0..2 {
        let storage = storage_of(target(true), &clock, Arc::new(Nobody));
        let granted = storage.grant(&shop, &need(now())).await.unwrap();
        let (container, sas) = granted.url.expose_secret().split_once('?').unwrap();
        assert_eq!(container, format!("{account}/bk-{unique}-shop"));
        assert_eq!(send("PUT", &format!("{container}/shop-1.zip?{sas}"), "backup").await.0, 201);
        assert_eq!(
            storage.blob(&shop, "shop-1.zip", now()).await.unwrap().map(|blob| blob.size_bytes),
            Some(6)
        );
        assert!(storage.sas_health(&wiki, &need(now())).await.unwrap().is_good());
        assert_eq!(storage.blob(&wiki, "shop-1.zip", now()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn no_token_goes_to_a_storage_with_an_untrusted_certificate() {
    let Some(bridge) = Bridge::start().await else { return };
    let container = format!("{}/devstoreaccount1/backups", bridge.base).parse().unwrap();
    let storage = storage(&container, SasSource::UserDelegation { lifetime: hours(24) }, Arc::new(User));
    let error = grant(&storage, &need(now())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(
        matches!(error, Error::DelegateKey { .. }) && error.to_string().contains("certificate"),
        "{error}"
    );
}

#[tokio::test]
async fn a_sas_minted_with_a_user_delegation_key_allows_what_a_backup_needs_while_it_holds() {
    let Some(bridge) = Bridge::start().await else { return };
    let container = new_container(&bridge.url).await;
    let storage = storage(&container, SasSource::UserDelegation { lifetime: hours(24) }, Arc::new(User));
    let granted = grant(&storage, &need(now())).await.unwrap();
    assert!(granted.url.expose_secret().contains("&skoid=11111111-"), "it is signed for the user");
    writes_reads_lists_and_deletes(&storage, &granted).await;
    // The SAS of that look may only read.
    let look = bridge.latest_look();
    assert!(look.contains("&sp=r&"), "{look}");
    may_only_read(&container, &look).await;

    let health = storage.sas_health(&weu(), &need(now())).await.unwrap();
    assert!(health.is_good() && health.allows_key.is_none(), "{health:?}");
    for (minted, what) in [(TimeDelta::days(-2), "expired"), (TimeDelta::days(2), "not begun")] {
        let health = storage.sas_health(&weu(), &need(now() + minted)).await.unwrap();
        assert_eq!(health.probe, REFUSED, "{what}: {health:?}");
    }
}
