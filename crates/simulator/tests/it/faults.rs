//! Every fault that a test can inject.

use std::time::Duration;

use holdfast_simulator::{Azure, CallFault, Counters, Delivery, End, Faults};
use serde_json::json;

use crate::support::*;

const LATER: u64 = 3_000;

#[test]
fn each_end_shows_its_status_and_its_log_and_leaves_blobs_only_when_it_should() {
    for (end, status, log, blobs) in [
        (End::Succeeded, "Succeeded", "", true),
        (End::Partial, "PartiallySucceeded", "Some files", true),
        (End::TimedOut, "TimedOut", "too long", false),
        (End::Skipped, "Skipped", "Too many", false),
        (End::FailedStorage, "Failed", "(403) Forbidden", false),
        (End::FailedOther, "Failed", "reason", false),
        (End::TooLarge, "Failed", "exceeds the 10 GB limit for backups", false),
        (End::UnknownWord, "Succeeded", "", true),
        (End::UnknownWordForEver, "Compacting", "", false),
    ] {
        let mut azure = azure();
        azure.next(&app("shop"), end);
        let id = started(&mut azure, start(), &app("shop"), "hf-1");
        let properties = shown(&mut azure, after(LATER), &app("shop"), id);
        assert_eq!(properties["status"], status, "{end:?}");
        assert!(properties["log"].as_str().unwrap().contains(log), "{end:?}");
        let container = "https://acct.blob.core.windows.net/backups";
        let length =
            |azure: &mut Azure, blob| azure.blob(after(LATER), container, blob).map(|facts| facts.length);
        let (archive, manifest) = (length(&mut azure, "hf-1.zip"), length(&mut azure, "hf-1.xml"));
        assert_eq!((archive.is_some(), manifest.is_some()), (blobs, blobs), "{end:?}");
        assert_eq!(properties["sizeInBytes"], json!(archive.unwrap_or(0)), "{end:?}");
        assert_eq!(azure.counters().ends.get(end.as_str()), Some(&1));
        assert_eq!(azure.under_way(after(LATER)), 0);
    }
}

#[test]
fn a_gateway_answers_a_post_with_its_own_4xx_whether_it_was_taken_or_not() {
    for (call_fault, effect) in [(CallFault::GatewayBefore, 0), (CallFault::GatewayAfter, 1)] {
        let mut azure = azure();
        azure.next(&app("shop"), call_fault);
        let answer = call(&mut azure, start(), post_backup(&app("shop"), "hf-1", &good_url()));
        assert!((400..500).contains(&answer.status), "{call_fault:?} {}", answer.status);
        assert_eq!(answer.headers.keys().collect::<Vec<_>>(), [&"content-type"]);
        assert!(answer.body.starts_with(b"<html>"));
        let counters = azure.counters();
        assert_eq!((counters.accepted_posts, counters.lost_answers), (effect, effect));
        assert_eq!(counters.call_faults.get(call_fault.as_str()), Some(&1));
    }
}

#[test]
fn one_poll_may_be_refused_by_azure_and_one_list_unreadable_while_nothing_is_wrong() {
    let mut azure = azure();
    let id = started(&mut azure, start(), &app("shop"), "hf-1");
    let poll = || get(&format!("{}/backups/{id}", app("shop")));
    for (call_fault, status, code) in [
        (CallFault::OddForbidden, 403, "AuthorizationFailed"),
        (CallFault::OddNotFound, 404, "ResourceNotFound"),
    ] {
        azure.next_read(&app("shop"), call_fault);
        let answer = call(&mut azure, after(LATER), poll());
        assert_eq!((answer.status, &body(&answer)["error"]["code"]), (status, &json!(code)));
        assert!(answer.headers.contains_key("x-ms-request-id"));
        assert_eq!(call(&mut azure, after(LATER), poll()).status, 200);
    }
    let mut forms = std::collections::BTreeSet::new();
    for _ in 0..40 {
        azure.next_read(&app("shop"), CallFault::UnreadableList);
        let list = call(&mut azure, after(LATER), get(&format!("{}/backups", app("shop"))));
        let list = body(&list);
        let properties = &list["value"][0]["properties"];
        forms.insert((list["value"].is_null(), properties["id"].is_null(), properties["blobName"].is_null()));
    }
    assert_eq!(forms.len(), 3, "{forms:?}");
}

#[test]
fn an_unknown_status_may_precede_a_success() {
    let mut azure = azure();
    azure.next(&app("shop"), End::UnknownWord);
    let id = started(&mut azure, start(), &app("shop"), "hf-1");
    let words: std::collections::BTreeSet<String> = (0..LATER)
        .step_by(2)
        .map(|at| shown(&mut azure, after(at), &app("shop"), id)["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(words.into_iter().collect::<Vec<_>>(), ["Compacting", "Created", "Succeeded"]);
}

#[test]
fn each_call_fault_of_a_post_answers_as_it_should_and_has_its_effect_or_none() {
    for (call_fault, status, delivery, effect) in [
        (CallFault::AnswerLost, None, Delivery::LostAfterAccept, true),
        (CallFault::ServerErrorAfter, Some(500..=504), Delivery::Normal, true),
        (CallFault::GarbageAfter, Some(200..=200), Delivery::Garbage, true),
        (CallFault::Slow, Some(200..=200), Delivery::Delayed(Duration::from_secs(20)), true),
        (CallFault::ServerErrorBefore, Some(500..=504), Delivery::Normal, false),
        (CallFault::GarbageBefore, Some(200..=200), Delivery::Garbage, false),
        (CallFault::Refused, None, Delivery::DroppedBefore, false),
        (CallFault::Throttle, Some(429..=429), Delivery::Normal, false),
        (CallFault::Conflict, Some(409..=409), Delivery::Normal, false),
    ] {
        let mut azure = azure();
        azure.next(&app("shop"), call_fault);
        let answer = call(&mut azure, start(), post_backup(&app("shop"), "hf-1", &good_url()));
        assert_eq!(answer.delivery, delivery, "{call_fault:?}");
        assert!(
            status.is_none_or(|range| range.contains(&answer.status)),
            "{call_fault:?}: {}",
            answer.status
        );
        assert_eq!(azure.accepted_posts().len(), usize::from(effect), "{call_fault:?}");
        assert_eq!(azure.counters().call_faults.get(call_fault.as_str()), Some(&1));
        let is_garbage = answer.delivery == Delivery::Garbage;
        assert_eq!(answer.body.starts_with(b"<html>"), is_garbage, "{call_fault:?}");
        // What was set befalls one call only.
        let again = call(&mut azure, after(LATER), post_backup(&app("shop"), "hf-2", &good_url()));
        assert_eq!((again.status, again.delivery), (200, Delivery::Normal), "{call_fault:?}");
    }
}

#[test]
fn a_call_fault_of_a_read_befalls_the_next_read_of_that_app_alone() {
    let mut azure = azure();
    azure.next_read(&app("shop"), CallFault::Refused);
    let read = |azure: &mut Azure, name| call(azure, start(), get(&app(name).to_string())).delivery;
    assert_eq!(read(&mut azure, "api"), Delivery::Normal);
    assert_eq!(read(&mut azure, "shop"), Delivery::DroppedBefore);
    assert_eq!(read(&mut azure, "shop"), Delivery::Normal);
}

#[test]
fn the_providers_429_comes_with_plenty_left_and_sometimes_without_a_usable_wait() {
    let mut azure = azure();
    azure.set_faults(Faults { throttle: 1.0, ..Faults::none() });
    let mut waits = std::collections::BTreeSet::new();
    for _ in 0..60 {
        let answer = call(&mut azure, start(), post_backup(&app("shop"), "hf-1", &good_url()));
        assert_eq!((answer.status, answer.header("server")), (429, Some("Microsoft-IIS/10.0")));
        let left: u32 =
            answer.header("x-ms-ratelimit-remaining-subscription-reads").unwrap().parse().unwrap();
        assert!(left > 1_000);
        waits.insert(answer.header("retry-after").map(str::to_owned));
    }
    assert_eq!(waits.into_iter().collect::<Vec<_>>(), [None, Some("0".into()), Some("5".into())]);
    assert_eq!(azure.counters().throttled_by_provider, 60);
}

#[test]
fn a_lost_answers_backup_is_found_by_its_name_in_the_list() {
    let mut azure = azure();
    azure.next(&app("shop"), CallFault::AnswerLost);
    call(&mut azure, start(), post_backup(&app("shop"), "hf-1", &good_url()));
    let list = body(&call(&mut azure, after(10), get(&format!("{}/backups", app("shop")))));
    assert_eq!(list["value"][0]["properties"]["backupName"], "hf-1");
    assert_eq!(azure.counters().lost_answers, 1);
}

#[test]
fn a_post_repeated_with_the_same_name_is_counted_and_overwrites_the_blob() {
    let mut azure = azure();
    started(&mut azure, start(), &app("shop"), "hf-1");
    started(&mut azure, after(LATER), &app("shop"), "hf-1");
    started(&mut azure, after(LATER), &app("api"), "hf-1");
    azure.advance(after(2 * LATER));
    let counters = azure.counters();
    assert_eq!((counters.accepted_posts, counters.duplicate_posts), (3, 1));
    assert_eq!((counters.blobs_written, counters.blobs_overwritten), (6, 4));
    let names: Vec<&str> = azure.accepted_posts().iter().map(|post| post.name.as_str()).collect();
    assert_eq!(names, ["hf-1"; 3]);
}

/// Whatever the rates were, when they stop every app gets its backup.
#[test]
fn when_faults_stop_everything_ends_well() {
    let mut azure = azure();
    let all = Faults {
        timed_out: 0.1,
        skipped: 0.1,
        partial: 0.1,
        failed_storage: 0.1,
        failed_other: 0.1,
        unknown_word: 0.1,
        lost_post_answer: 0.2,
        server_error_before: 0.1,
        server_error_after_accept: 0.1,
        throttle: 0.1,
        conflict: 0.1,
        garbage: 0.1,
        refused: 0.1,
        ..Faults::none()
    };
    azure.set_faults(all);
    let mut at = 0;
    for attempt in 0..60 {
        call(&mut azure, after(at), post_backup(&app("shop"), &format!("hf-{attempt}"), &good_url()));
        at += LATER;
    }
    let ends = azure.counters().ends.clone();
    assert!(ends.len() >= 4 && azure.counters().call_faults.len() >= 5, "{ends:?}");
    azure.set_faults(Faults::none());
    for attempt in 60..80 {
        started(&mut azure, after(at), &app("shop"), &format!("hf-{attempt}"));
        at += LATER;
    }
    azure.advance(after(at));
    let succeeded = |of: &std::collections::BTreeMap<String, u64>| of.get("succeeded").copied().unwrap_or(0);
    assert!(succeeded(&azure.counters().ends) >= succeeded(&ends) + 20);
}

#[test]
fn counters_come_back_from_json_as_they_went() {
    let mut azure = azure();
    started(&mut azure, start(), &app("shop"), "hf-1");
    let text = serde_json::to_string(azure.counters()).unwrap();
    assert!(text.contains("\"backup\":1"), "{text}");
    assert_eq!(&serde_json::from_str::<Counters>(&text).unwrap(), azure.counters());
}
