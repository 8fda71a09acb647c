//! What is sent, and what is read of good answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_arm::{Arm, ArmClient, CallFacts, CallObserver, Operation, Settings};
use holdfast_model::{BackupId, BackupStatus, SubscriptionId, format_timestamp};
use serde_json::json;

use crate::answers::{
    CONNECTION, REFUSAL, SAS, SUBSCRIPTION, app, created, list, listed, request, site, slot,
};
use crate::every::schedule_request;
use crate::server::{Server, answer, arm, arm_with, clock, tls, tokens};

const SITE: &str = "/subscriptions/0c0ffee0-0000-4000-8000-00000000beef/resourceGroups/bakery\
                    /providers/Microsoft.Web/sites/bread";

#[tokio::test]
async fn a_backup_is_one_post_with_all_that_azure_needs() {
    let server = Server::always(200, created(&app()).to_string()).await;
    arm(&server.url).backup(&app(), &request()).await.unwrap();
    let [post] = server.seen().try_into().unwrap();
    assert_eq!(
        (post.method.as_str(), post.uri.clone()),
        ("POST", format!("{SITE}/backup?api-version=2024-11-01"))
    );
    assert_eq!(post.json_headers(), ["application/json", "Bearer S3CR3T-TOKEN-1", "holdfast/0.1.0"]);
    assert!(uuid::Uuid::parse_str(post.header("x-ms-client-request-id")).is_ok());
    let database = json!({"databaseType": "SqlAzure", "name": "orders", "connectionStringName": "Orders",
        "connectionString": CONNECTION});
    let properties =
        json!({"backupName": "hf-bread-0a1b2c3d4e-1", "storageAccountUrl": SAS, "databases": [database]});
    assert_eq!(post.json(), json!({ "properties": properties }));
}

impl crate::server::Seen {
    fn json_headers(&self) -> [&str; 3] {
        [self.header("content-type"), self.header("authorization"), self.header("user-agent")]
    }
}

#[tokio::test]
async fn the_answer_to_the_post_gives_the_backups_id_and_its_request_id() {
    let server = Server::always(200, created(&slot()).to_string()).await;
    let backup = arm(&server.url).backup(&slot(), &request()).await.unwrap();
    assert!(server.seen()[0].uri.starts_with(&format!("{SITE}/slots/dough/backup?")));
    assert_eq!((backup.id, backup.status), (BackupId(480_021), BackupStatus::Created));
    assert_eq!(backup.created.map(format_timestamp).as_deref(), Some("2026-05-04T08:15:16.123Z"));
    assert_eq!((backup.finished, backup.website_size_bytes, backup.log), (None, None, None));
    assert_eq!(backup.request_id.as_deref(), Some("req-1"));
}

#[tokio::test]
async fn a_single_backup_and_a_listed_one_are_read_alike() {
    let server = Server::new(|seen, _| {
        let one = listed(&app(), 12, "Succeeded");
        let body = if seen.uri.contains("/backups/12?") { one } else { list(&[one]) };
        answer(200, &[], body.to_string())
    })
    .await;
    let arm = arm(&server.url);
    let one = arm.get_backup(&app(), BackupId(12)).await.unwrap();
    assert_eq!(arm.list_backups(&app()).await.unwrap(), std::slice::from_ref(&one));
    assert_eq!((one.name.as_deref(), one.blob_name.as_deref()), (Some("hf-12"), Some("hf-12.zip")));
    assert_eq!((one.size_bytes, one.website_size_bytes, one.scheduled), (Some(7_311), Some(4_002), true));
    assert_eq!(one.finished.map(format_timestamp).as_deref(), Some("2026-05-04T08:15:31.765Z"));
    assert_eq!((one.log, one.status), (None, BackupStatus::Succeeded));
}

#[tokio::test]
async fn the_retry_after_is_returned_with_the_backup() {
    let server = Server::new(|_, _| {
        answer(200, &[("retry-after", "40")], listed(&app(), 12, "InProgress").to_string())
    })
    .await;
    let backup = arm(&server.url).get_backup(&app(), BackupId(12)).await.unwrap();
    assert_eq!(backup.retry_after, Some(Duration::from_secs(40)));
}

#[tokio::test]
async fn an_app_without_backups_has_an_empty_list() {
    let server = Server::always(200, list(&[]).to_string()).await;
    assert_eq!(arm(&server.url).list_backups(&app()).await.unwrap(), []);
}

#[tokio::test]
async fn integers_for_statuses_and_missing_keys_are_read() {
    let bare = json!({"properties": {"id": "31", "status": 6}});
    let server = Server::always(200, list(&[bare]).to_string()).await;
    let [backup] = arm(&server.url).list_backups(&app()).await.unwrap().try_into().unwrap();
    assert_eq!((backup.id, backup.status), (BackupId(31), BackupStatus::PartiallySucceeded));
    assert_eq!((backup.name, backup.created, backup.size_bytes, backup.scheduled), (None, None, None, false));
}

#[tokio::test]
async fn the_api_version_of_2016_gets_the_name_under_its_own_key() {
    let server = Server::always(200, created(&app()).to_string()).await;
    let settings = Settings { api_version: "2016-08-01".into(), ..Settings::new(server.url.clone()) };
    arm_with(settings, tokens()).backup(&app(), &request()).await.unwrap();
    let post = &server.seen()[0];
    assert!(post.uri.ends_with("?api-version=2016-08-01"));
    assert_eq!(post.json()["properties"]["name"], "hf-bread-0a1b2c3d4e-1");
    assert!(post.json()["properties"].get("backupName").is_none());
}

#[tokio::test]
async fn a_site_has_its_plan_tier_and_tags() {
    let server = Server::always(200, site("Bread").to_string()).await;
    let site = arm(&server.url).site(&app()).await.unwrap();
    assert_eq!((site.id, site.location.as_str()), (app(), "France Central"));
    assert!(site.plan.unwrap().ends_with("/resourcegroups/bakery/providers/microsoft.web/serverfarms/oven"));
    assert_eq!((site.kind.as_deref(), site.state.as_deref()), (Some("app,linux"), Some("Running")));
    assert_eq!(site.tier.as_deref(), Some("PremiumV3"));
    assert_eq!(site.tags.into_iter().collect::<Vec<_>>(), [("Backup".to_owned(), "gold".to_owned())]);
}

#[tokio::test]
async fn a_site_has_its_hosts_and_its_operation_in_progress() {
    let mut busy = site("bread");
    busy["properties"]["inProgressOperationId"] = json!("66facb90-0000-4000-8000-00000000000b");
    busy["properties"]["hostNames"] = json!(["bread.example", 5, "bread.azurewebsites.net"]);
    let server = Server::always(200, busy.to_string()).await;
    let read = arm(&server.url).site(&app()).await.unwrap();
    assert_eq!(read.operation.as_deref(), Some("66facb90-0000-4000-8000-00000000000b"));
    assert_eq!(read.hosts, ["bread.example", "bread.azurewebsites.net"]);

    let server = Server::always(200, site("bread").to_string()).await;
    let read = arm(&server.url).site(&app()).await.unwrap();
    assert_eq!((read.operation, read.hosts), (None, Vec::new()));
}

#[tokio::test]
async fn a_listed_site_without_a_usable_id_does_not_hide_the_others() {
    let sites = [json!({"id": "/not/a/site"}), site("bread"), json!(null), site("cake")];
    let server = Server::always(200, list(&sites).to_string()).await;
    let listed = arm(&server.url).sites(&SubscriptionId::new(SUBSCRIPTION)).await.unwrap();
    assert_eq!(listed.left_out, ["/not/a/site", "a resource without id and name"]);
    assert_eq!(listed.sites.iter().map(|site| site.id.site()).collect::<Vec<_>>(), ["bread", "cake"]);
}

#[derive(Default)]
struct Noted(Mutex<Vec<String>>);

impl CallObserver for Noted {
    fn answered(&self, call: &CallFacts<'_>) {
        let app = call.app.map(holdfast_model::AppId::short_name);
        assert_eq!((call.subscription.as_str(), call.elapsed), (SUBSCRIPTION, Duration::ZERO));
        let (method, operation) = (call.method, call.operation);
        let line = format!("{method} {operation} {app:?} {:?} {:?}", call.status, call.remaining.least());
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test]
async fn the_observer_sees_every_request_and_what_is_left_of_the_budget() {
    let server = Server::new(|_, before| match before {
        0 => answer(
            200,
            &[("x-ms-ratelimit-remaining-subscription-writes", "199")],
            created(&app()).to_string(),
        ),
        1 => answer(429, &[("x-ms-ratelimit-remaining-subscription-reads", "0")], ""),
        2 => answer(200, &[], ""),
        _ => answer(401, &[("x-ms-ratelimit-remaining-subscription-reads", "many")], REFUSAL),
    })
    .await;
    tls();
    let noted = Arc::new(Noted::default());
    let settings = Settings::new(server.url.clone());
    let rng = fastrand::Rng::with_seed(1);
    let arm = ArmClient::over_http(settings, tokens(), clock(), noted.clone(), rng).unwrap();
    arm.backup(&app(), &request()).await.unwrap();
    arm.get_backup(&app(), BackupId(1)).await.unwrap_err();
    arm.put_schedule(&app(), &schedule_request()).await.unwrap();
    arm.sites(&SubscriptionId::new(SUBSCRIPTION)).await.unwrap_err();
    drop(server);
    let lost = arm.site(&app()).await.unwrap_err();
    assert_eq!((lost.operation(), lost.status()), (Operation::GetSite, None));
    assert_eq!(
        *noted.0.lock().unwrap(),
        [
            r#"POST backup Some("bread") Some(200) Some(199)"#,
            r#"GET get_backup Some("bread") Some(429) Some(0)"#,
            r#"PUT put_schedule Some("bread") Some(200) None"#,
            "GET list_sites None Some(401) None",
            "GET list_sites None Some(401) None",
            r#"GET get_site Some("bread") None None"#,
        ]
    );
}
