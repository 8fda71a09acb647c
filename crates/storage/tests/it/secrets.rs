//! Whatever happens, nothing that is shown holds a signature or a key.

use std::fmt::Debug;

use holdfast_storage::{ErrorKind, Storage};
use secrecy::ExposeSecret;

use crate::server::{
    Reply, Server, clock, container_that_hangs_up, grant, hours, key_storage, need, sas, sas_file,
    start_of_test, storage, weu,
};

const SIGNATURE: &str = "c2lnbmF0dXJlOTg3NjU0MzIxMA";

fn show(parts: &[&dyn Debug]) -> String {
    format!("{parts:#?}")
}

#[tokio::test]
async fn an_answer_that_repeats_the_signature_is_not_shown() {
    for status in [400, 403, 404, 500] {
        let (server, clock) = (Server::start().await, clock());
        let body = format!(
            "<AuthenticationErrorDetail>Signature did not match: {SIGNATURE}</AuthenticationErrorDetail>"
        );
        server.answer_with(move |_| Reply::status(status).header("x-ms-echo", SIGNATURE).body(&body));
        let (_file, source) = sas_file(&sas(SIGNATURE));
        let storage = server.storage(&clock, source);
        let refused = grant(&storage, &need(&clock)).await.unwrap_err();
        let shown = format!("{refused} {} {storage:?}", show(&[&refused]));
        assert!(!shown.contains(SIGNATURE), "{shown}");
        assert!(server.take_asked()[0].query.contains(SIGNATURE), "it was sent all the same");
    }
}

#[tokio::test]
async fn a_broken_connection_is_reported_without_the_url() {
    let clock = clock();
    let (_file, source) = sas_file(&sas(SIGNATURE));
    let storage = storage(container_that_hangs_up().await, &clock, source);
    let refused = grant(&storage, &need(&clock)).await.unwrap_err();
    let missing = storage.blob(&weu(), "shop-1.zip", start_of_test()).await.unwrap_err();
    for error in [refused, missing] {
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        let shown = format!("{error} {}", show(&[&error]));
        assert!(!shown.contains(SIGNATURE) && !shown.contains("sig="), "{shown}");
    }
}

#[tokio::test]
async fn a_grant_shows_neither_signature_nor_key() {
    let (_server, clock, file, storage) = key_storage(hours(48)).await;
    let granted = grant(&storage, &need(&clock)).await.unwrap();
    let shown = show(&[&granted, &storage]);
    let key = std::fs::read_to_string(file.path()).unwrap();
    let signature = granted.url.expose_secret().split("sig=").nth(1).unwrap();
    assert!(!shown.contains(signature) && !shown.contains(key.trim()), "{shown}");
}

#[tokio::test]
async fn a_secret_of_the_wrong_kind_is_not_repeated() {
    for text in [
        format!("AccountKey={SIGNATURE}"),
        format!("https://acct.blob.core.windows.net/c1s/{SIGNATURE}?sv=1&sig={SIGNATURE}"),
        format!("https://acct.blob.core.windows.net/backups?sv=1&se={SIGNATURE}&sig={SIGNATURE}"),
        format!("https://other.blob.core.windows.net/backups?sv=1&sig={SIGNATURE}"),
        format!("{SIGNATURE} and more"),
    ] {
        let (server, clock) = (Server::start().await, clock());
        let (_file, source) = sas_file(&text);
        let error = grant(&server.storage(&clock, source), &need(&clock)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unusable);
        let shown = format!("{error} {}", show(&[&error]));
        assert!(!shown.contains(SIGNATURE), "{shown}");
    }
}
