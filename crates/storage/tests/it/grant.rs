//! Which SAS is granted, when it is tested, and when it is replaced.

use std::time::Duration;

use chrono::TimeDelta;
use holdfast_model::{RefreshReason, StorageName};
use holdfast_storage::{Error, ErrorKind, Need, SasSource, SasWarning, SecretRef, Storage};
use secrecy::ExposeSecret;

use crate::server::{
    Reply, Server, agree, clock, grant, hours, key_file, key_storage, need, sas, sas_file, sas_storage,
    start_of_test, storage, whole, write,
};

#[tokio::test]
async fn the_first_grant_tries_the_sas_by_a_write_and_a_deletion() {
    let (server, clock) = (Server::start().await, clock());
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    let granted = grant(&server.storage(&clock, source), &need(&clock)).await.unwrap();

    let refresh = granted.refresh.unwrap();
    assert_eq!((refresh.reason, refresh.old), (RefreshReason::First, None));
    assert_eq!((refresh.new, refresh.container), (granted.facts, server.container.to_string()));
    assert!(granted.url.expose_secret().starts_with(&format!("{}?sv=", server.container)));
    let asked = server.take_asked();
    assert_eq!(asked.iter().map(|asked| asked.method.as_str()).collect::<Vec<_>>(), ["PUT", "DELETE"]);
    assert_eq!(asked[0].path, asked[1].path);
    assert!(asked[0].path.starts_with("/acct/backups/.holdfast-probe-"));
    assert!(asked.iter().all(|asked| asked.query.contains("sig=Zmlyc3Q")));
}

#[tokio::test]
async fn a_sas_that_was_tried_is_tried_again_only_after_a_while() {
    let (server, clock, _file, storage) = sas_storage(&sas("Zmlyc3Q")).await;
    for _ in 0..3 {
        grant(&storage, &need(&clock)).await.unwrap();
        clock.advance(Duration::from_secs(299));
    }
    assert_eq!(server.take_methods().len(), 2, "one probe in ten minutes");
    let granted = grant(&storage, &need(&clock)).await.unwrap();
    assert_eq!(granted.refresh, None);
    assert_eq!(server.take_methods().len(), 2, "and one after them");
}

#[tokio::test]
async fn callers_at_the_same_moment_share_one_new_sas() {
    let (server, clock) = (Server::start().await, clock());
    let (_file, source) = key_file(hours(48));
    let (storage, need) = (server.storage(&clock, source), need(&clock));
    let grants = futures::future::join_all((0..20).map(|_| grant(&storage, &need))).await;
    let grants: Vec<_> = grants.into_iter().map(Result::unwrap).collect();
    assert_eq!(grants.iter().filter(|granted| granted.refresh.is_some()).count(), 1);
    assert!(grants.iter().all(|granted| granted.facts == grants[0].facts));
    assert_eq!(server.take_methods(), ["PUT", "DELETE"]);
}

#[tokio::test]
async fn a_minted_sas_is_replaced_before_it_could_expire_during_a_backup() {
    let (_server, clock, _file, storage) = key_storage(hours(6)).await;
    let first = grant(&storage, &need(&clock)).await.unwrap();
    assert!(first.facts.window.start.unwrap() <= start_of_test() - TimeDelta::minutes(5));
    assert!(first.facts.window.expiry.unwrap() >= start_of_test() + TimeDelta::hours(6));
    clock.advance(hours(1));
    assert_eq!(grant(&storage, &need(&clock)).await.unwrap().facts, first.facts);
    clock.advance(hours(1));
    let second = grant(&storage, &need(&clock)).await.unwrap();
    let refresh = second.refresh.unwrap();
    assert_eq!((refresh.reason, refresh.old), (RefreshReason::Expiring, Some(first.facts)));
}

#[tokio::test]
async fn a_minted_sas_that_storage_refused_gives_way_to_another_in_the_same_second() {
    let (_server, clock, _file, storage) = key_storage(hours(48)).await;
    let first = grant(&storage, &need(&clock)).await.unwrap();
    let replace = Need { replace: Some(first.facts.fingerprint.clone()), ..need(&clock) };
    let second = grant(&storage, &replace).await.unwrap();
    assert_ne!(second.facts.fingerprint, first.facts.fingerprint);
    assert_eq!(second.refresh.unwrap().reason, RefreshReason::Refused);
    let third = grant(&storage, &replace).await.unwrap();
    assert_eq!(
        (third.facts, third.refresh),
        (second.facts, None),
        "who asks later for the same gets the new one"
    );
}

#[tokio::test]
async fn a_written_sas_that_storage_refused_is_not_handed_out_until_another_is_written() {
    let (_server, clock, file, storage) = sas_storage(&sas("Zmlyc3Q")).await;
    let first = grant(&storage, &need(&clock)).await.unwrap();
    let replace = Need { replace: Some(first.facts.fingerprint.clone()), ..need(&clock) };
    let error = grant(&storage, &replace).await.unwrap_err();
    assert!(
        matches!(&error, Error::ReplaceSas { fingerprint, .. } if *fingerprint == first.facts.fingerprint)
    );
    assert_eq!(error.kind(), ErrorKind::Unusable);
    write(file.path(), &sas("c2Vjb25k"));
    let second = grant(&storage, &replace).await.unwrap();
    let refresh = second.refresh.unwrap();
    assert_eq!((refresh.reason, refresh.old), (RefreshReason::Refused, Some(first.facts)));
    assert!(second.url.expose_secret().contains("sig=c2Vjb25k"));
}

#[tokio::test]
async fn a_sas_refused_by_a_backup_is_tested_again_for_the_next_request() {
    let (server, clock, _file, storage) = sas_storage(&sas("Zmlyc3Q")).await;
    let first = grant(&storage, &need(&clock)).await.unwrap();
    let replace = Need { replace: Some(first.facts.fingerprint), ..need(&clock) };
    grant(&storage, &replace).await.unwrap_err();
    server.take_methods();
    assert_eq!(grant(&storage, &need(&clock)).await.unwrap().refresh, None);
    assert_eq!(server.take_methods(), ["PUT", "DELETE"]);
}

#[tokio::test]
async fn a_sas_that_storage_no_longer_takes_is_read_again_from_its_file() {
    let (server, clock, file, storage) = sas_storage(&sas("Zmlyc3Q")).await;
    grant(&storage, &need(&clock)).await.unwrap();
    server.answer_with(
        |asked| {
            if asked.query.contains("sig=Zmlyc3Q") { Reply::status(403) } else { agree(asked) }
        },
    );
    clock.advance(Duration::from_mins(10));
    let error = grant(&storage, &need(&clock)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    write(file.path(), &sas("c2Vjb25k"));
    let granted = grant(&storage, &need(&clock)).await.unwrap();
    assert_eq!(granted.refresh.unwrap().reason, RefreshReason::Refused);
}

#[tokio::test]
async fn each_refusal_of_a_test_write_says_who_must_act() {
    for (reply, kind) in [
        (Reply::status(401), ErrorKind::Unusable),
        (Reply::status(403), ErrorKind::Unusable),
        (Reply::status(404), ErrorKind::Unusable),
        (Reply::status(400), ErrorKind::Unusable),
        (Reply::status(301), ErrorKind::Unusable),
        (Reply::status(429), ErrorKind::Unreachable),
        (Reply::status(500), ErrorKind::Unreachable),
        (Reply::status(503), ErrorKind::Unreachable),
    ] {
        let (server, clock) = (Server::start().await, clock());
        let (_file, source) = sas_file(&sas("Zmlyc3Q"));
        let described = format!("{reply:?}");
        server.answer_with(move |_| reply.clone());
        let error = grant(&server.storage(&clock, source), &need(&clock)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{described}: {error}");
        assert!(error.to_string().contains("storage `weu`"), "{error}");
        assert_eq!(server.take_methods(), ["PUT"], "nothing was written that needs deleting");
    }
}

#[tokio::test]
async fn a_storage_out_of_reach_is_not_tried_but_its_sas_is_checked() {
    let (server, clock) = (Server::start().await, clock());
    server.answer_with(|_| Reply::status(403));
    let (file, source) = sas_file(&sas("Zmlyc3Q"));
    let storage = server.storage(&clock, source);
    let need = Need { probe: false, ..need(&clock) };
    let first = grant(&storage, &need).await.unwrap();
    assert_eq!(first.refresh.unwrap().reason, RefreshReason::First);
    assert_eq!(grant(&storage, &need).await.unwrap().facts, first.facts, "the one at hand");
    let tried = Need { probe: true, ..need.clone() };
    assert_eq!(grant(&storage, &tried).await.unwrap_err().kind(), ErrorKind::Unusable);
    assert_eq!(server.take_methods(), ["PUT"], "only whoever can reach it tries");

    write(
        file.path(),
        &format!("sv=2022-11-02&sr=c&sp=rl&se=2027-02-02T00:00:00Z&sig={}", whole("c2Vjb25k")),
    );
    let replace = Need { replace: Some(first.facts.fingerprint), ..need };
    let error = grant(&storage, &replace).await.unwrap_err();
    assert!(error.to_string().contains("lacks write and delete permission"), "{error}");
}

#[tokio::test]
async fn a_storage_out_of_reach_need_not_be_there() {
    let clock = clock();
    let (_file, source) = key_file(hours(48));
    let storage = storage("http://127.0.0.1:1/acct/backups".parse().unwrap(), &clock, source);
    assert_eq!(grant(&storage, &need(&clock)).await.unwrap_err().kind(), ErrorKind::Unreachable);
    let granted = grant(&storage, &Need { probe: false, ..need(&clock) }).await.unwrap();
    assert_eq!(granted.refresh.unwrap().reason, RefreshReason::First);
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_sas() {
    let (server, clock) = (Server::start().await, clock());
    server.answer_with(|_| Reply::status(307).header("location", "/acct/elsewhere"));
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    grant(&server.storage(&clock, source), &need(&clock)).await.unwrap_err();
    assert_eq!(server.take_methods(), ["PUT"]);
}

#[tokio::test]
async fn a_sas_that_may_write_but_not_delete_is_unusable() {
    let (server, clock) = (Server::start().await, clock());
    server.answer_with(|asked| if asked.method == "DELETE" { Reply::status(403) } else { agree(asked) });
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    let error = grant(&server.storage(&clock, source), &need(&clock)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    assert!(error.to_string().contains("deleting was answered 403"), "{error}");
}

#[tokio::test]
async fn a_container_that_keeps_every_blob_takes_backups() {
    let (server, clock) = (Server::start().await, clock());
    server.answer_with(|asked| if asked.method == "DELETE" { Reply::status(409) } else { agree(asked) });
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    grant(&server.storage(&clock, source), &need(&clock)).await.unwrap();
}

#[tokio::test]
async fn a_storage_in_trouble_is_asked_once_for_a_whole_fleet_and_again_later() {
    let (server, clock) = (Server::start().await, clock());
    server.answer_with(|_| Reply::status(503));
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    let (storage, first_need) = (server.storage(&clock, source), need(&clock));
    let grants = futures::future::join_all((0..20).map(|_| grant(&storage, &first_need))).await;
    assert!(
        grants
            .iter()
            .all(|result| result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unreachable))
    );
    assert_eq!(server.take_methods().len(), 1);
    server.answer_with(agree);
    clock.advance(Duration::from_secs(30));
    assert_eq!(grant(&storage, &need(&clock)).await.unwrap().refresh.unwrap().reason, RefreshReason::First);
}

#[tokio::test]
async fn a_storage_that_shuts_everybody_out_is_not_asked_by_each_of_a_fleet() {
    let (server, clock, _file, storage) = key_storage(hours(48)).await;
    grant(&storage, &need(&clock)).await.unwrap();
    server.take_methods();
    server.answer_with(|_| Reply::status(403));
    clock.advance(Duration::from_mins(10));
    for _ in 0..20 {
        let error = grant(&storage, &need(&clock)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unusable);
    }
    assert_eq!(server.take_methods(), ["PUT", "PUT"], "the SAS at hand and a new one, once each");
}

#[tokio::test]
async fn a_sas_that_will_not_do_is_refused_before_anything_is_sent() {
    let (server, clock) = (Server::start().await, clock());
    let (_file, source) =
        sas_file(&format!("sv=2022-11-02&sr=b&sp=rl&se=2027-01-31T15:00:00Z&sig={}", whole("Zmlyc3Q")));
    let reference = source.origin();
    let error = grant(&server.storage(&clock, source), &need(&clock)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
    assert_eq!(
        error.to_string(),
        format!(
            "the SAS for storage `weu` from `{reference}` is for a single blob and must be for the container (sr=c), \
             and lacks write and delete permission: sp is `rl`, it needs `rwdl`, and ends at 2027-01-31T15:00:00Z, \
             too early for a backup that may run until 2027-01-31T16:00:30Z; put a new SAS there"
        )
    );
    assert_eq!(server.take_methods(), Vec::<String>::new());
}

#[tokio::test]
async fn a_lifetime_shorter_than_the_deadline_is_named_as_the_cause() {
    let (server, clock) = (Server::start().await, clock());
    let (_file, source) = key_file(hours(1));
    let error = grant(&server.storage(&clock, source), &need(&clock)).await.unwrap_err();
    assert!(
        error.to_string().ends_with("raise the storage's `lifetime` above the policy's deadline"),
        "{error}"
    );
}

#[tokio::test]
async fn a_sas_with_an_offset_is_granted_with_a_warning() {
    let (server, clock) = (Server::start().await, clock());
    let (_file, source) = sas_file(&format!(
        "sv=2022-11-02&sr=c&sp=rwdl&se=2027-02-02T00:00:00%2B12:00&sig={}",
        whole("Zmlyc3Q")
    ));
    let granted = grant(&server.storage(&clock, source), &need(&clock)).await.unwrap();
    assert_eq!(granted.warnings, [SasWarning::Offset]);
}

#[tokio::test]
async fn a_reference_that_leads_nowhere_is_named() {
    let (server, clock) = (Server::start().await, clock());
    let source = SasSource::Url(SecretRef::Env("HOLDFAST_NOBODY_SETS_THIS".to_owned()));
    let error = grant(&server.storage(&clock, source), &need(&clock)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SecretMissing);
    assert!(error.to_string().contains("env:HOLDFAST_NOBODY_SETS_THIS"), "{error}");
}

#[tokio::test]
async fn an_undefined_storage_is_named() {
    let (server, clock) = (Server::start().await, clock());
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    let name = StorageName::new("nowhere");
    let error = server.storage(&clock, source).grant(&name, &need(&clock)).await.unwrap_err();
    assert!(matches!(error, Error::FindStorage { storage } if storage == name));
}
