//! Restores: their checks, when these happen, and the responses for an operation.

use holdfast_model::AppId;
use holdfast_simulator::{Azure, Method, Request, Response, RestoreEnd};
use serde_json::{Value, json};

use crate::support::*;

/// A restore of `hf-1.zip`, with `changed` in its properties.
fn restore_of(app: &AppId, changed: &Value) -> Request {
    let mut properties = json!({"storageAccountUrl": good_url(), "blobName": "hf-1.zip", "overwrite": true});
    for (key, value) in changed.as_object().unwrap() {
        properties[key] = value.clone();
    }
    let post = request(Method::Post, &format!("{app}/backups/0/restore"));
    post.with_body(json!({ "properties": properties }).to_string())
}

/// An Azure with the backup `hf-1` of `shop`, which has a database when `database` says so.
fn with_backup(database: bool) -> (Azure, i64) {
    let mut azure = azure();
    let databases = if database { json!([{"databaseType": "SqlAzure", "name": "Shop"}]) } else { json!([]) };
    let properties = json!({"backupName": "hf-1", "storageAccountUrl": good_url(), "databases": databases});
    let post = request(Method::Post, &format!("{}/backup", app("shop")));
    let answer = call(&mut azure, start(), post.with_body(json!({ "properties": properties }).to_string()));
    let id = body(&answer)["properties"]["id"].as_i64().unwrap();
    assert_eq!(shown(&mut azure, after(3_000), &app("shop"), id)["status"], "Succeeded");
    (azure, id)
}

fn follow(azure: &mut Azure, at: u64, accepted: &Response) -> Response {
    let link = accepted.header("location").unwrap().strip_prefix("https://management.azure.com").unwrap();
    call(azure, after(at), Request::new(Method::Get, link))
}

/// What becomes of a restore: the message of its failure, if it fails.
fn outcome(azure: &mut Azure, request: Request) -> Result<(), String> {
    let accepted = call(azure, after(3_000), request);
    assert_eq!(accepted.status, 202);
    let end = follow(azure, 4_000, &accepted);
    let body = body(&end);
    if body["status"] == "Failed" {
        assert_eq!((end.status, azure.counters().restore_failures), (200, 1));
        return Err(body["error"]["details"][0]["message"].as_str().unwrap().to_owned());
    }
    Ok(())
}

#[test]
fn a_restore_is_accepted_followed_by_its_link_and_ends_with_the_whole_site() {
    let (mut azure, id) = with_backup(false);
    let shop = app("shop");
    let accepted = call(&mut azure, after(3_000), restore_of(&shop, &json!({"siteName": "shop"})));
    assert_eq!((accepted.status, accepted.body.len()), (202, 0));
    assert!(accepted.header("retry-after").is_none() && accepted.header("azure-asyncoperation").is_none());
    let link = accepted.header("location").unwrap().to_owned();
    assert!(link.starts_with(&format!("https://management.azure.com{shop}/operationresults/")), "{link}");
    assert!(link.ends_with("?api-version=2024-11-01"));

    let waiting = follow(&mut azure, 3_001, &accepted);
    assert_eq!((waiting.status, waiting.body.len()), (202, 0));
    assert_eq!(waiting.header("location"), Some(link.as_str()));
    let site = body(&call(&mut azure, after(3_001), get(&shop.to_string())))["properties"].clone();
    assert_eq!(site["state"], "Stopped");
    assert!(link.contains(site["inProgressOperationId"].as_str().unwrap()));
    for busy in [post_backup(&shop, "hf-2", &good_url()), restore_of(&shop, &json!({}))] {
        assert_eq!(call(&mut azure, after(3_001), busy).status, 409);
    }

    let done = follow(&mut azure, 4_000, &accepted);
    let site = body(&done);
    assert_eq!((done.status, &site["properties"]["state"]), (200, &json!("Running")));
    assert_eq!(
        (&site["id"], &site["properties"]["inProgressOperationId"]),
        (&json!(shop.to_string()), &Value::Null)
    );
    assert!(shown(&mut azure, after(4_000), &shop, id)["lastRestoreTimeStamp"].is_string());
    assert_eq!(azure.content(&shop), Some("hf-1.zip"));
    let restored = azure.restored(&shop).unwrap();
    assert_eq!((&restored.app, restored.backup.0), (&shop, id));
    let other = call(&mut azure, after(4_000), get(&format!("{shop}/operationresults/0-0")));
    assert_eq!(other.status, 404);
}

#[test]
fn storage_is_looked_at_when_the_work_is_done_and_not_before() {
    for (changed, why) in [
        (
            json!({"storageAccountUrl": "https://acct.blob.core.windows.net/backups?garbage"}),
            "(403) Forbidden",
        ),
        (
            json!({"storageAccountUrl": "https://nobody.blob.core.windows.net/backups?x"}),
            "could not be resolved",
        ),
        (json!({"blobName": "hf-2.zip"}), "does not hold both"),
        (json!({"blobName": "hf-1"}), "does not hold both"),
        (json!({"overwrite": false}), "may not be overwritten"),
        (json!({"databases": [{"databaseType": "MySql", "name": "x"}]}), "databases do not match"),
        (json!({"siteName": "nobody(staging)"}), "site of the slot"),
    ] {
        let (mut azure, _) = with_backup(false);
        let failure = outcome(&mut azure, restore_of(&app("shop"), &changed)).unwrap_err();
        assert!(failure.contains(why), "{failure}");
        assert_eq!(azure.content(&app("shop")), None);
    }
}

#[test]
fn the_archive_alone_is_not_enough() {
    let (mut azure, _) = with_backup(false);
    azure.remove_blob("acct", "backups", "hf-1.xml");
    assert!(outcome(&mut azure, restore_of(&app("shop"), &json!({}))).unwrap_err().contains("manifest"));
}

#[test]
fn databases_have_to_be_those_in_the_backup_unless_they_are_ignored() {
    let database = json!([{"databaseType": "SqlAzure", "name": "shop"}]);
    for (changed, works) in [
        (json!({}), false),
        (json!({ "databases": database }), true),
        (json!({"ignoreDatabases": true}), true),
    ] {
        let (mut azure, _) = with_backup(true);
        assert_eq!(outcome(&mut azure, restore_of(&app("shop"), &changed)).is_ok(), works, "{changed}");
    }
}

#[test]
fn a_restore_goes_into_a_slot_or_into_a_site_that_it_makes_in_a_plan() {
    let (mut azure, _) = with_backup(false);
    let plan = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shops/providers/Microsoft.Web/serverFarms/P2"
    );
    let staging = AppId::new(SUBSCRIPTION, "rg-shops", "shop", Some("staging"));
    outcome(&mut azure, restore_of(&app("shop"), &json!({"siteName": "shop(staging)"}))).unwrap();
    assert_eq!((azure.content(&staging), azure.content(&app("shop"))), (Some("hf-1.zip"), None));
    let drill = json!({"siteName": "drill", "overwrite": false, "appServicePlan": plan});
    let post = restore_of(&app("shop"), &drill);
    let accepted = call(&mut azure, after(5_000), post);
    assert_eq!(call(&mut azure, after(5_000), get(&app("drill").to_string())).status, 404);
    let site = body(&follow(&mut azure, 6_000, &accepted));
    assert_eq!(site["id"], app("drill").to_string());
    assert_eq!(site["properties"]["serverFarmId"], plan.to_lowercase());
    assert_eq!(azure.content(&app("drill")), Some("hf-1.zip"));
    let targets: Vec<_> =
        azure.accepted_restores().iter().map(|restore| restore.target.short_name()).collect();
    assert_eq!(targets, ["shop/staging", "drill"]);
}

#[test]
fn a_restore_may_fail_for_no_reason_and_a_second_one_is_a_duplicate_only_when_the_first_did_not() {
    let (mut azure, _) = with_backup(false);
    let shop = app("shop");
    azure.next(&shop, RestoreEnd::Failed);
    let accepted = call(&mut azure, after(3_000), restore_of(&shop, &json!({})));
    let end = body(&follow(&mut azure, 4_000, &accepted));
    assert_eq!((&end["status"], &end["error"]["code"]), (&json!("Failed"), &json!("InternalServerError")));
    for (at, duplicates) in [(5_000, 0), (6_000, 1)] {
        let post = request(Method::Post, &format!("{shop}/restoreFromBackupBlob"));
        let post = post.with_body(restore_of(&shop, &json!({})).body);
        assert_eq!(call(&mut azure, after(at), post).status, 202);
        assert_eq!(azure.counters().duplicate_restores, duplicates);
    }
    assert_eq!(azure.counters().restores_accepted, 3);
}

#[test]
fn in_2016_a_restore_answered_200_with_the_operations_id() {
    let (mut azure, _) = with_backup(false);
    let post = Request { query: "api-version=2016-08-01".into(), ..restore_of(&app("shop"), &json!({})) };
    let answer = call(&mut azure, after(3_000), post);
    assert_eq!((answer.status, answer.header("location")), (200, None));
    let operation = body(&answer)["properties"]["operationId"].as_str().unwrap().to_owned();
    let path = format!("{}/operationresults/{operation}", app("shop"));
    assert_eq!(call(&mut azure, after(3_000), get(&path)).status, 202);
}

#[test]
fn a_tier_without_backups_has_no_restores_either() {
    let mut config = config();
    config.fleet.sites.push(site("free", None, "Free"));
    let mut azure = Azure::new(config, 1).unwrap();
    for (app, changed) in [(app("free"), json!({})), (app("shop"), json!({"siteName": "free"}))] {
        assert_eq!(call(&mut azure, start(), restore_of(&app, &changed)).status, 400);
    }
    assert_eq!(azure.counters().restores_accepted, 0);
}

#[test]
fn a_blob_is_readable_with_a_sas() {
    let (mut azure, _) = with_backup(true);
    let discover = |azure: &mut Azure, method, suffix: &str, changed: Value| {
        let body = restore_of(&app("shop"), &changed).body;
        call(azure, after(3_000), request(method, &format!("{}/{suffix}", app("api"))).with_body(body))
    };
    for (method, suffix) in [(Method::Post, "discoverbackup"), (Method::Put, "backups/discover")] {
        let properties = body(&discover(&mut azure, method, suffix, json!({})))["properties"].clone();
        assert_eq!((&properties["siteName"], &properties["blobName"]), (&json!("shop"), &json!("hf-1.zip")));
        assert_eq!(properties["databases"][0]["name"], "Shop");
    }
    for wrong in [
        json!({"blobName": "x.zip"}),
        json!({"storageAccountUrl": "https://acct.blob.core.windows.net/backups?x"}),
    ] {
        let refusal = discover(&mut azure, Method::Post, "discoverbackup", wrong);
        assert_eq!((refusal.status, &body(&refusal)["Code"]), (404, &json!("NotFound")));
    }
}

#[test]
fn a_site_answers_unless_it_is_being_restored_or_broken() {
    let (mut azure, _) = with_backup(false);
    let probe =
        |azure: &mut Azure, at, path: &str| azure.handle(after(at), &Request::new(Method::Get, path)).status;
    assert_eq!(probe(&mut azure, 3_000, "/_site/shop"), 200);
    assert_eq!(probe(&mut azure, 3_000, "/_site/shop/staging"), 200);
    assert_eq!(probe(&mut azure, 3_000, "/_site/nobody"), 404);
    azure.break_site(&app("shop"));
    assert_eq!(probe(&mut azure, 3_000, "/_site/shop"), 500);
    call(&mut azure, after(3_000), restore_of(&app("shop"), &json!({})));
    assert_eq!(probe(&mut azure, 3_001, "/_site/shop"), 503);
    assert_eq!(probe(&mut azure, 4_000, "/_site/shop"), 500);
    azure.mend_site(&app("shop"));
    assert_eq!(probe(&mut azure, 4_000, "/_site/shop"), 200);
}
