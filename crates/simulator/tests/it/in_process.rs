//! The in-process skin, as a worker meets it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_arm::{
    Arm, ArmClient, BackupBody, Database, ErrorKind, PUBLIC_ENDPOINT, Settings, ThrottleScope,
};
use holdfast_model::{AppId, BackupId, BackupName, BackupStatus, Clock, DatabaseKind, ManualClock};
use holdfast_simulator::{Azure, BucketSize, CallFault, Fleet, InProcess};

use crate::support::*;

/// The product's own client over the in-process transport.
struct Running {
    clock: Arc<ManualClock>,
    transport: InProcess,
    arm: ArmClient,
}

fn in_process(azure: Azure) -> Running {
    in_process_with(azure, |transport| transport)
}

fn in_process_with(azure: Azure, set: impl FnOnce(InProcess) -> InProcess) -> Running {
    let clock = Arc::new(ManualClock::new(start()));
    let transport = set(InProcess::new(Arc::new(Mutex::new(azure)), clock.clone()));
    let arm = transport.client(Settings::new(PUBLIC_ENDPOINT.parse().unwrap()));
    Running { clock, transport, arm }
}

fn request(name: &str) -> BackupBody {
    BackupBody { name: BackupName::new(name), storage_url: good_url().into(), databases: Vec::new() }
}

#[tokio::test]
async fn a_backup_is_started_watched_and_found_in_storage() {
    let Running { clock, transport, arm } = in_process(azure());
    let shop = app("shop");
    let database = Database {
        kind: DatabaseKind::SqlAzure,
        name: "shop".into(),
        connection_string_name: None,
        connection_string: Some("Password=hush".into()),
    };
    let begun =
        arm.backup(&shop, &BackupBody { databases: vec![database], ..request("hf-1") }).await.unwrap();
    assert_eq!((begun.status, begun.correlation_id), (BackupStatus::Created, begun.request_id));
    clock.advance(Duration::from_mins(50));
    let ended = arm.get_backup(&shop, begun.id).await.unwrap();
    assert_eq!((ended.status, ended.blob_name.as_deref()), (BackupStatus::Succeeded, Some("hf-1.zip")));
    assert!(ended.finished.unwrap() > ended.created.unwrap());
    let container = "https://acct.blob.core.windows.net/backups?sig=ignored";
    let length = transport.blob(container, "hf-1.zip").map(|facts| i64::try_from(facts.length).unwrap());
    assert_eq!(length, ended.size_bytes);
    assert_eq!(arm.list_backups(&shop).await.unwrap().len(), 1);
    assert_eq!(arm.site(&shop).await.unwrap().tier.as_deref(), Some("Standard"));
    assert_eq!(arm.get_backup(&shop, BackupId(7)).await.unwrap_err().kind(), &ErrorKind::NotFound);
}

#[tokio::test]
async fn lists_are_followed_to_their_end() {
    let mut config = config();
    config.fleet = Fleet::generate(60, 2);
    config.page_size = 8;
    let fleet = config.fleet.clone();
    let Running { arm, .. } = in_process(Azure::new(config, 1).unwrap());
    let mut listed = Vec::new();
    for subscription in fleet.subscriptions() {
        listed.extend(arm.sites(&subscription).await.unwrap().sites);
    }
    let mut expected: Vec<_> = fleet.sites.into_iter().map(|s| s.site).collect();
    for sites in [&mut listed, &mut expected] {
        sites.sort_by_key(|site| site.id.clone());
    }
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn slots_are_listed_with_their_site_and_with_no_other() {
    let mut config = config();
    config.fleet = Fleet::generate(60, 2).with_slots(3);
    let fleet = config.fleet.clone();
    let Running { arm, .. } = in_process(Azure::new(config, 1).unwrap());
    let (mut slots, sites): (Vec<_>, Vec<_>) =
        fleet.sites.into_iter().map(|s| s.site).partition(|site| site.id.slot().is_some());
    let mut listed = Vec::new();
    for site in sites {
        listed.extend(arm.slots(&site.id).await.unwrap().sites);
    }
    assert!(!slots.is_empty());
    for sites in [&mut listed, &mut slots] {
        sites.sort_by_key(|site| site.id.clone());
    }
    assert_eq!(listed, slots);
    let strangers = arm.slots(&AppId::new("s", "g", "nobody", None)).await.unwrap_err();
    assert_eq!(strangers.kind(), &ErrorKind::NotFound);
}

#[tokio::test]
async fn each_call_fault_has_the_kind_of_error_that_it_has_over_http() {
    for (call_fault, kind) in [
        (CallFault::AnswerLost, ErrorKind::Ambiguous),
        (CallFault::ServerErrorAfter, ErrorKind::Ambiguous),
        (CallFault::ServerErrorBefore, ErrorKind::Ambiguous),
        (CallFault::GarbageAfter, ErrorKind::Ambiguous),
        (CallFault::GarbageBefore, ErrorKind::Ambiguous),
        (CallFault::Refused, ErrorKind::Ambiguous),
        (CallFault::Conflict, ErrorKind::Conflict { retry_after: None }),
    ] {
        let Running { transport, arm, .. } = in_process(azure());
        transport.azure().next(&app("shop"), call_fault);
        let error = arm.backup(&app("shop"), &request("hf-1")).await.unwrap_err();
        assert_eq!(error.kind(), &kind, "{call_fault:?}");
        assert!(!format!("{error} {error:?}").contains("sig="));
    }
    let Running { transport, arm, .. } = in_process(azure());
    transport.azure().next(&app("shop"), CallFault::Throttle);
    let error = arm.backup(&app("shop"), &request("hf-1")).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Throttled { scope: ThrottleScope::Provider, .. }), "{error}");
}

#[tokio::test]
async fn an_empty_bucket_is_arms_throttle() {
    let mut config = config();
    config.buckets.reads = BucketSize { capacity: 0, refill_per_second: 1 };
    let Running { arm, .. } = in_process(Azure::new(config, 1).unwrap());
    let error = arm.site(&app("shop")).await.unwrap_err();
    let second = Some(Duration::from_secs(1));
    assert_eq!(error.kind(), &ErrorKind::Throttled { retry_after: second, scope: ThrottleScope::Arm });
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_waited_for_only_when_asked_and_only_so_long() {
    for (limit, waited, arrives) in [(None, 0, true), (Some(60), 20, true), (Some(5), 5, false)] {
        let waiting = |transport: InProcess| match limit {
            Some(limit) => transport.waiting(Duration::from_secs(limit)),
            None => transport,
        };
        let Running { transport, arm, .. } = in_process_with(azure(), waiting);
        transport.azure().next(&app("shop"), CallFault::Slow);
        let before = tokio::time::Instant::now();
        let answer = arm.backup(&app("shop"), &request("hf-1")).await;
        assert_eq!(before.elapsed().as_secs(), waited, "{limit:?}");
        assert_eq!(answer.is_ok(), arrives, "{limit:?}");
        assert_eq!(transport.azure().accepted_posts().len(), 1);
    }
}

/// A caller that dies between the effect and the answer has started a backup all the same.
#[tokio::test]
async fn a_call_can_be_dropped_before_its_effect_and_after_it() {
    for (polls, accepted) in [(1, 0), (2, 1)] {
        let Running { transport, arm, .. } = in_process(azure());
        let (shop, request) = (app("shop"), request("hf-1"));
        let mut call = arm.backup(&shop, &request);
        let waker = std::task::Waker::noop();
        for _ in 0..polls {
            assert!(call.as_mut().poll(&mut std::task::Context::from_waker(waker)).is_pending());
        }
        drop(call);
        assert_eq!(transport.azure().accepted_posts().len(), accepted);
    }
}

#[test]
fn its_clock_is_the_one_given() {
    let Running { clock, transport, .. } = in_process(azure());
    clock.advance(Duration::from_secs(5));
    assert!(format!("{transport:?}").starts_with("InProcess"));
    assert_eq!(clock.now(), after(5));
}

#[tokio::test]
async fn every_operation_is_done_in_process() {
    let Running { clock, arm, .. } = in_process(azure());
    crate::skins::life_of_a_backup(&arm, &clock, &good_url()).await;
    crate::skins::life_of_a_schedule(&arm, &clock, &good_url(), clock.now()).await;
}

#[tokio::test]
async fn a_list_that_links_to_another_host_is_refused_in_process() {
    let Running { arm, .. } = in_process(Azure::new(crate::skins::config_with_foreign_links(), 1).unwrap());
    crate::skins::a_list_that_links_to_another_host(&arm).await;
}
