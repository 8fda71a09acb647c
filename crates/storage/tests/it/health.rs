//! The health of a SAS, checked before a backup needs it.

use std::time::Duration;

use holdfast_model::{RefreshReason, parse_timestamp};
use holdfast_storage::{ErrorKind, Need, Refusal, SasFault, SasHealth, SasWarning, Storage};

use crate::server::{
    Reply, Server, agree, clock, grant, hours, key_file, key_storage, need, sas, sas_file, sas_storage, weu,
    whole, write,
};

async fn health_of(server: &Server, source: holdfast_storage::SasSource) -> SasHealth {
    let clock = clock();
    server.storage(&clock, source).sas_health(&weu(), &need(&clock)).await.unwrap()
}

#[tokio::test]
async fn a_sas_that_will_do_is_said_to_with_the_storages_own_time() {
    let server = Server::start().await;
    server.answer_with(|asked| agree(asked).header("date", "Sun, 31 Jan 2027 12:07:00 GMT"));
    let (_file, source) = key_file(hours(48));
    let origin = source.origin();
    let health = health_of(&server, source).await;
    assert!(health.is_good());
    assert_eq!((health.origin, health.container.to_string()), (origin, server.container.to_string()));
    assert_eq!(health.server_time, parse_timestamp("2027-01-31T12:07:00Z").ok());
    assert_eq!((health.allows_key, health.probe), (Some(true), Ok(())));
    assert_eq!(server.take_methods(), ["PUT", "DELETE"]);
}

#[tokio::test]
async fn a_sas_with_faults_is_tried_all_the_same() {
    let server = Server::start().await;
    server.answer_with(|_| Reply::status(403));
    let (_file, source) = sas_file(&format!(
        "sv=2022-11-02&sr=c&sp=rwdl&se=2027-01-31T12:30:00%2B00:00&sig={}",
        whole("Zmlyc3Q")
    ));
    let health = health_of(&server, source).await;
    assert!(!health.is_good());
    assert!(matches!(health.faults[..], [SasFault::TooShort { .. }]), "{:?}", health.faults);
    assert_eq!(health.warnings, [SasWarning::Offset]);
    assert_eq!(health.probe, Err(Refusal::Forbidden { operation: "writing", status: 403 }));
    assert_eq!(health.allows_key, None, "a plain 403 does not tell");
    assert_eq!(server.take_methods(), ["PUT"]);
}

#[tokio::test]
async fn an_account_without_access_by_key_is_reported_with_both_cures() {
    let server = Server::start().await;
    server
        .answer_with(|_| Reply::status(403).header("x-ms-error-code", "KeyBasedAuthenticationNotPermitted"));
    let (_file, source) = key_file(hours(48));
    let health = health_of(&server, source).await;
    assert_eq!(health.allows_key, Some(false));
    let refusal = health.probe.unwrap_err();
    assert_eq!(
        (refusal.kind(), &refusal),
        (ErrorKind::Unusable, &Refusal::NoKeyAccess { operation: "writing" })
    );
    let text = refusal.to_string();
    assert!(text.contains("storage account key access") && text.contains("user_delegation"), "{text}");
}

#[tokio::test]
async fn a_user_delegation_sas_does_not_show_whether_keys_are_allowed() {
    let server = Server::start().await;
    let (_file, source) = sas_file(&format!("skoid=00000000-0000-0000-0000-000000000001&{}", sas("Zmlyc3Q")));
    assert_eq!(health_of(&server, source).await.allows_key, None);
}

#[tokio::test]
async fn a_check_leaves_the_sas_in_use_as_it_is() {
    let (_server, clock, file, storage) = sas_storage(&sas("Zmlyc3Q")).await;
    let first = grant(&storage, &need(&clock)).await.unwrap();
    write(file.path(), &sas("c2Vjb25k"));
    let health = storage.sas_health(&weu(), &need(&clock)).await.unwrap();
    assert_ne!(health.facts, first.facts, "it is read anew");
    let second = grant(&storage, &need(&clock)).await.unwrap();
    assert_eq!((second.facts, second.refresh), (first.facts, None));
}

#[tokio::test]
async fn a_new_sas_is_minted_for_a_request_with_a_reason() {
    let (_server, clock, _file, storage) = key_storage(hours(48)).await;
    let first = grant(&storage, &need(&clock)).await.unwrap();
    clock.advance(Duration::from_mins(1));
    let asked = Need { reason: Some(RefreshReason::Asked), ..need(&clock) };
    let second = grant(&storage, &asked).await.unwrap();
    let refresh = second.refresh.unwrap();
    assert_eq!((refresh.reason, refresh.old), (RefreshReason::Asked, Some(first.facts)));
    assert_eq!(grant(&storage, &need(&clock)).await.unwrap().facts, second.facts, "and it stays in use");
}

#[tokio::test]
async fn a_source_that_has_no_newer_sas_replaces_none_whatever_the_reason() {
    let (_server, clock, file, storage) = sas_storage(&sas("Zmlyc3Q")).await;
    let asked = Need { reason: Some(RefreshReason::Asked), ..need(&clock) };
    let first = grant(&storage, &asked).await.unwrap();
    assert_eq!(first.refresh.unwrap().reason, RefreshReason::Asked);
    let second = grant(&storage, &asked).await.unwrap();
    assert_eq!((&second.facts, second.refresh), (&first.facts, None));
    write(file.path(), &sas("c2Vjb25k"));
    let third = grant(&storage, &asked).await.unwrap();
    assert_eq!(third.refresh.unwrap().old, Some(first.facts));
}

#[tokio::test]
async fn a_container_is_shown_without_asking_for_a_sas() {
    let server = Server::start().await;
    let (_file, source) = sas_file("not a SAS");
    let storage = server.storage(&clock(), source);
    assert_eq!(storage.container(&weu()).unwrap(), server.container);
}
