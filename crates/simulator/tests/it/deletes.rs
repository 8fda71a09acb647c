//! DELETE of a backup, and the SAS that it uses.

use holdfast_simulator::{Azure, CallFault, DeleteEnd, Delivery, Method, Response, StorageAccount};
use serde_json::json;

use crate::support::*;

fn delete(azure: &mut Azure, at: u64, id: i64) -> Response {
    call(azure, after(at), request(Method::Delete, &format!("{}/backups/{id}", app("shop"))))
}

fn get_status(azure: &mut Azure, at: u64, id: i64) -> u16 {
    call(azure, after(at), get(&format!("{}/backups/{id}", app("shop")))).status
}

/// A URL whose SAS is good until this hour of the day on which tests begin.
fn url_until(hour: u32) -> String {
    let account = StorageAccount::generate("acct", "backups", 5);
    let sas = sas(&account, "rwdl", "2026-06-01", &format!("2026-06-01T{hour:02}:00Z"));
    format!("https://acct.blob.core.windows.net/backups?{sas}")
}

#[test]
fn a_delete_returns_the_sas_and_then_removes_the_backup_and_its_blobs() {
    let mut azure = azure();
    let id = ended(&mut azure, &app("shop"), "hf-1");
    let answer = delete(&mut azure, 3_000, id);
    let properties = body(&answer)["properties"].clone();
    assert_eq!((answer.status, &properties["status"]), (200, &json!("DeleteInProgress")));
    assert_eq!(properties["storageAccountUrl"], good_url());
    assert!(!properties["created"].as_str().unwrap().ends_with('Z'));
    assert_eq!(body(&answer)["id"], app("shop").to_string());
    assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-deletes"), Some("199"));
    assert!(blob(&mut azure, after(3_000), "hf-1.zip").is_some());
    assert_eq!(get_status(&mut azure, 3_010, id), 404);
    let list = call(&mut azure, after(3_010), get(&format!("{}/backups", app("shop"))));
    assert_eq!(body(&list)["value"], json!([]));
    for name in ["hf-1.zip", "hf-1.xml"] {
        assert_eq!(blob(&mut azure, after(3_010), name), None);
    }
    assert_eq!(delete(&mut azure, 3_010, id).status, 404);
    assert_eq!((azure.counters().deletes, azure.counters().duplicate_deletes), (1, 0));
    assert_eq!(azure.accepted_deletes()[0].name, "hf-1");
}

#[test]
fn a_second_delete_of_the_same_backup_does_no_harm_and_is_counted_apart() {
    let mut azure = azure();
    let id = ended(&mut azure, &app("shop"), "hf-1");
    for _ in 0..2 {
        assert_eq!(delete(&mut azure, 3_000, id).status, 200);
    }
    assert_eq!((azure.counters().deletes, azure.counters().duplicate_deletes), (1, 1));
}

#[test]
fn a_delete_with_a_lapsed_sas_fails_until_the_stored_one_is_replaced() {
    let mut azure = azure();
    let shop = app("shop");
    let answer = call(&mut azure, start(), post_backup(&shop, "hf-1", &url_until(13)));
    let id = body(&answer)["properties"]["id"].as_i64().unwrap();
    assert_eq!(shown(&mut azure, after(3_000), &shop, id)["status"], "Succeeded");
    delete(&mut azure, 4_000, id);
    let failed = shown(&mut azure, after(4_100), &shop, id);
    assert_eq!(failed["status"], "DeleteFailed");
    assert!(failed["log"].as_str().unwrap().contains("(403) Forbidden"), "{failed}");
    assert!(blob(&mut azure, after(4_100), "hf-1.zip").is_some());

    let secrets = |azure: &mut Azure, properties| {
        let post = request(Method::Post, &format!("{}/backups/{id}/list", app("shop")));
        call(azure, after(4_200), post.with_body(json!({ "properties": properties }).to_string()))
    };
    let answer = secrets(&mut azure, json!({}));
    assert_eq!(body(&answer)["properties"]["storageAccountUrl"], url_until(13));
    assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-resource-requests"), Some("199"));
    let answer = secrets(&mut azure, json!({"storageAccountUrl": good_url()}));
    assert_eq!(body(&answer)["properties"]["storageAccountUrl"], good_url());
    delete(&mut azure, 4_300, id);
    assert_eq!(get_status(&mut azure, 4_400, id), 404);
    assert_eq!(blob(&mut azure, after(4_400), "hf-1.zip"), None);
    let counters = azure.counters();
    assert_eq!((counters.delete_failures, counters.sas_replaced, counters.deletes), (1, 1, 2));
}

#[test]
fn a_sas_without_the_letter_d_deletes_nothing() {
    let mut azure = azure();
    let id = ended(&mut azure, &app("shop"), "hf-1");
    let account = StorageAccount::generate("acct", "backups", 5);
    let url = format!(
        "https://acct.blob.core.windows.net/backups?{}",
        sas(&account, "rwl", "2026-06-01", "2026-07-01")
    );
    let post = request(Method::Post, &format!("{}/backups/{id}/list", app("shop")));
    let replaced = json!({"properties": {"storageAccountUrl": url}}).to_string();
    assert_eq!(call(&mut azure, after(3_000), post.with_body(replaced)).status, 200);
    delete(&mut azure, 3_000, id);
    assert_eq!(shown(&mut azure, after(3_100), &app("shop"), id)["status"], "DeleteFailed");
}

#[test]
fn a_deleted_backup_may_stay_listed_for_a_while_and_a_deletion_may_fail_for_no_reason() {
    let mut azure = azure();
    let shop = app("shop");
    let id = ended(&mut azure, &shop, "hf-1");
    azure.next(&shop, DeleteEnd::Failed);
    azure.next(&shop, DeleteEnd::Lingers);
    delete(&mut azure, 3_000, id);
    assert_eq!(shown(&mut azure, after(3_010), &shop, id)["status"], "DeleteFailed");
    delete(&mut azure, 3_010, id);
    assert_eq!(shown(&mut azure, after(3_020), &shop, id)["status"], "Deleted");
    assert_eq!(blob(&mut azure, after(3_020), "hf-1.zip"), None);
    assert_eq!(get_status(&mut azure, 3_060, id), 404);
}

#[test]
fn a_backup_may_be_deleted_while_it_is_made_and_leaves_no_blob() {
    let mut azure = azure();
    let shop = app("shop");
    let first = ended(&mut azure, &shop, "hf-1");
    let second = started(&mut azure, after(3_000), &shop, "hf-2");
    assert_eq!(delete(&mut azure, 3_001, first).status, 200);
    assert_eq!(delete(&mut azure, 3_001, second).status, 200);
    assert_eq!(azure.under_way(after(3_001)), 0);
    let third = started(&mut azure, after(3_002), &shop, "hf-3");
    assert_eq!(get_status(&mut azure, 6_000, second), 404);
    assert_eq!(shown(&mut azure, after(6_000), &shop, third)["status"], "Succeeded");
    assert_eq!(blob(&mut azure, after(6_000), "hf-2.zip"), None);
    assert_eq!(azure.counters().most_at_once_per_app, 1);
}

#[test]
fn a_deletes_answer_may_be_lost_after_its_effect_and_a_refused_one_has_none() {
    for (call_fault, gone) in
        [(CallFault::AnswerLost, true), (CallFault::ServerErrorAfter, true), (CallFault::Conflict, false)]
    {
        let mut azure = azure();
        let id = ended(&mut azure, &app("shop"), "hf-1");
        azure.next(&app("shop"), call_fault);
        let answer = delete(&mut azure, 3_000, id);
        let lost = answer.delivery == Delivery::LostAfterAccept;
        assert!(
            lost == (call_fault == CallFault::AnswerLost) && (lost || answer.status >= 400),
            "{call_fault:?}"
        );
        assert_eq!(get_status(&mut azure, 3_100, id) == 404, gone, "{call_fault:?}");
        assert_eq!(azure.counters().deletes, u64::from(gone));
    }
}
