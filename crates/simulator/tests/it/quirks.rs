//! What recorded answers of Azure showed, one test for each.

use holdfast_model::AppId;
use holdfast_simulator::{Azure, End, Fleet, Method, Request};
use serde_json::{Value, json};

use crate::support::*;

/// Long enough for any backup of the small Azure.
const LATER: u64 = 1_000;

fn listed(azure: &mut Azure, seconds: u64, app: &AppId) -> Vec<Value> {
    let answer = call(azure, after(seconds), get(&format!("{app}/backups")));
    body(&answer)["value"].as_array().unwrap().clone()
}

#[test]
fn the_posts_answer_is_200_created_with_the_sites_id_around_it_and_the_sas_in_it() {
    let mut azure = azure();
    let answer = call(&mut azure, start(), post_backup(&app("shop"), "hf-1", &good_url()));
    assert_eq!((answer.status, answer.header("location"), answer.header("retry-after")), (200, None, None));
    let told = body(&answer);
    assert_eq!(told["id"], app("shop").to_string());
    assert_eq!((&told["name"], &told["type"]), (&json!("shop"), &json!("Microsoft.Web/sites")));
    let properties = &told["properties"];
    assert!(properties["id"].as_i64().unwrap() > 100_000);
    assert_eq!(properties["storageAccountUrl"], good_url());
    assert_eq!((&properties["blobName"], &properties["status"]), (&json!("hf-1"), &json!("Created")));
    assert_eq!((&properties["log"], &properties["databases"]), (&Value::Null, &Value::Null));
    assert!(properties["created"].as_str().unwrap().ends_with('Z'));
    assert_eq!(properties["correlationId"], answer.header("x-ms-request-id").unwrap());
    assert_eq!(properties.get("finishedTimeStamp"), None);
    assert_eq!(properties.get("lastRestoreTimeStamp"), None);
}

#[test]
fn a_slots_answer_names_the_slot() {
    let slot = AppId::new(SUBSCRIPTION, "rg-shops", "shop", Some("staging"));
    let mut azure = azure();
    let told = body(&call(&mut azure, start(), post_backup(&slot, "hf-1", &good_url())));
    assert_eq!((&told["name"], &told["type"]), (&json!("shop/staging"), &json!("Microsoft.Web/sites/slots")));
}

#[test]
fn a_backup_goes_from_created_to_in_progress_to_its_end_and_its_blob_gets_an_extension_on_the_way() {
    let mut azure = azure();
    let id = started(&mut azure, start(), &app("shop"), "hf-1");
    let mut seen = Vec::new();
    for second in 0..LATER {
        let properties = shown(&mut azure, after(second), &app("shop"), id);
        let step = [&properties["status"], &properties["blobName"]].map(|v| v.as_str().unwrap().to_owned());
        if seen.last() != Some(&step) {
            seen.push(step);
        }
    }
    let steps = [["Created", "hf-1"], ["InProgress", "hf-1.zip"], ["Succeeded", "hf-1.zip"]];
    assert_eq!(seen, steps.map(|step| step.map(str::to_owned)));
}

#[test]
fn a_look_later_shows_no_sas_and_times_without_a_zone() {
    let mut azure = azure();
    let id = started(&mut azure, start(), &app("shop"), "hf-1");
    let properties = shown(&mut azure, after(LATER), &app("shop"), id);
    assert_eq!((&properties["storageAccountUrl"], &properties["log"]), (&json!(""), &json!("")));
    for key in ["created", "finishedTimeStamp"] {
        let text = properties[key].as_str().unwrap();
        let fraction = text.split_once('.').unwrap().1;
        assert!(fraction.chars().all(|c| c.is_ascii_digit()) && (5..=7).contains(&fraction.len()), "{text}");
    }
    assert!(properties["sizeInBytes"].as_i64() > properties["websiteSizeInBytes"].as_i64());
    assert!(!listed(&mut azure, LATER, &app("shop")).iter().any(|item| item.to_string().contains("sig=")));
}

#[test]
fn a_lists_element_has_its_own_id_name_and_type() {
    let mut azure = azure();
    let id = started(&mut azure, start(), &app("shop"), "hf-1");
    let items = listed(&mut azure, LATER, &app("shop"));
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["id"], format!("{}/backups/{id}", app("shop")));
    assert_eq!(items[0]["name"], id.to_string());
    assert_eq!(items[0]["type"], "Microsoft.Web/sites/backups");
}

#[test]
fn a_new_backup_is_found_by_its_id_before_the_list_shows_it() {
    let mut azure = azure();
    let mut late = 0;
    for (attempt, at) in (0..20).map(|attempt| (attempt, attempt * 2_000)) {
        let id = started(&mut azure, after(at), &app("shop"), &format!("hf-{attempt}"));
        shown(&mut azure, after(at), &app("shop"), id);
        let name = id.to_string();
        let named = |items: Vec<Value>| items.iter().any(|item| item["name"] == name);
        late += u32::from(!named(listed(&mut azure, at, &app("shop"))));
        assert!(named(listed(&mut azure, at + 5, &app("shop"))));
    }
    assert!(late > 10, "{late}");
}

#[test]
fn ids_are_counted_across_apps_and_skip() {
    let mut azure = azure();
    let ids: Vec<i64> = (0..10_u64)
        .map(|i| {
            started(
                &mut azure,
                after(i * LATER),
                &app(["shop", "api"][usize::from(i % 2 == 0)]),
                &format!("hf-{i}"),
            )
        })
        .collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    assert_ne!(ids[9] - ids[0], 9);
}

#[test]
fn garbage_for_a_sas_is_accepted_and_fails_later() {
    let mut azure = azure();
    let url = "https://acct.blob.core.windows.net/backups?certainly-no-sas";
    let answer = call(&mut azure, start(), post_backup(&app("shop"), "hf-1", url));
    assert_eq!(answer.status, 200);
    let id = body(&answer)["properties"]["id"].as_i64().unwrap();
    let properties = shown(&mut azure, after(LATER), &app("shop"), id);
    assert_eq!(properties["status"], "Failed");
    assert!(properties["log"].as_str().unwrap().contains("(403) Forbidden"));
    assert_eq!((properties["sizeInBytes"].as_i64(), azure.counters().sas_failures), (Some(0), 1));
}

#[test]
fn the_name_is_read_under_the_key_of_the_api_version_and_lost_under_the_other() {
    for (version, key, kept) in [
        ("2016-08-01", "name", true),
        ("2016-08-01", "backupName", false),
        ("2024-11-01", "backupName", true),
        ("2024-11-01", "name", false),
    ] {
        let mut azure = azure();
        let request = Request::new(Method::Post, &format!("{}/backup?api-version={version}", app("shop")));
        let asked = json!({"properties": {key: "hf-1", "storageAccountUrl": good_url()}});
        let told = body(&call(&mut azure, start(), request.with_body(asked.to_string())));
        let name = told["properties"]["name"].as_str().unwrap();
        assert_eq!(name == "hf-1", kept, "{version} {key}: {name}");
        assert!(kept || name == "shop_202606011200", "{name}");
    }
}

#[test]
fn a_second_backup_of_an_app_meets_a_conflict_until_the_first_has_ended() {
    let mut azure = azure();
    started(&mut azure, start(), &app("shop"), "hf-1");
    started(&mut azure, start(), &app("api"), "hf-2");
    let refused = call(&mut azure, start(), post_backup(&app("shop"), "hf-3", &good_url()));
    assert_eq!((refused.status, &body(&refused)["Code"]), (409, &json!("Conflict")));
    assert_eq!(body(&refused).get("error"), None);
    started(&mut azure, after(LATER), &app("shop"), "hf-3");
    assert_eq!((azure.counters().conflicts, azure.counters().most_at_once_per_app), (1, 1));
}

#[test]
fn databases_are_listed_without_their_connection_strings() {
    let mut azure = azure();
    let database = json!({"databaseType": "SqlAzure", "name": "shop", "connectionString": "Password=hush"});
    let asked = json!({"properties": {"backupName": "hf-1", "storageAccountUrl": good_url(), "databases": [database]}});
    let told = call(&mut azure, start(), post_backup(&app("shop"), "", "").with_body(asked.to_string()));
    assert_eq!(body(&told)["properties"]["databases"][0]["name"], "shop");
    assert!(!String::from_utf8(told.body).unwrap().contains("hush"));
}

#[test]
fn tiers_without_backups_refuse_them() {
    for (tier, slot, status) in [
        ("Free", None, 400),
        ("Shared", None, 400),
        ("Basic", None, 200),
        ("Basic", Some("staging"), 400),
        ("PremiumV3", Some("staging"), 200),
    ] {
        let mut config = config();
        config.fleet.sites = vec![site("shop", slot, tier)];
        let id = config.fleet.sites[0].site.id.clone();
        let mut azure = Azure::new(config, 1).unwrap();
        let answer = call(&mut azure, start(), post_backup(&id, "hf-1", &good_url()));
        assert_eq!(answer.status, status, "{tier} {slot:?}");
    }
}

#[test]
fn an_app_over_the_limit_of_size_fails_and_says_so() {
    let mut config = config();
    config.fleet.sites[0].size_bytes = 12 << 30;
    let mut azure = Azure::new(config, 1).unwrap();
    azure.next(&app("shop"), End::Succeeded);
    let id = started(&mut azure, start(), &app("shop"), "hf-1");
    let properties = shown(&mut azure, after(LATER), &app("shop"), id);
    let log = "The website + database size exceeds the 10 GB limit for backups. Your content size is 12 GB.";
    assert_eq!((&properties["status"], &properties["log"]), (&json!("Failed"), &json!(log)));
}

#[test]
fn missing_and_unreadable_subjects_are_refused_in_the_envelope_of_the_refusing_service() {
    let mut azure = azure();
    let shop = app("shop");
    let cases = [
        (get(&app("gone").to_string()), 404, "/error/code", "ResourceNotFound"),
        (post_backup(&app("gone"), "hf-1", &good_url()), 404, "/error/code", "ResourceNotFound"),
        (get(&format!("{shop}/backups/7")), 404, "/Code", "NotFound"),
        (
            get("/subscriptions/none/providers/Microsoft.Web/sites"),
            404,
            "/error/code",
            "SubscriptionNotFound",
        ),
        (Request::new(Method::Get, &shop.to_string()), 400, "/error/code", "MissingApiVersionParameter"),
        (post_backup(&shop, "hf-1", "").with_body("{"), 400, "/error/code", "InvalidRequestContent"),
        (post_backup(&shop, "hf-1", ""), 400, "/Code", "BadRequest"),
        (post_backup(&shop, "a/b", &good_url()), 400, "/Code", "BadRequest"),
        (get(&format!("{shop}/restore")), 404, "/error/code", "InvalidResourceType"),
    ];
    for (request, status, place, code) in cases {
        let answer = call(&mut azure, start(), request.clone());
        assert_eq!(
            (answer.status, body(&answer).pointer(place)),
            (status, Some(&json!(code))),
            "{request:?}"
        );
    }
    assert_eq!(azure.counters().accepted_posts, 0);
}

#[test]
fn sites_are_listed_in_pages_without_their_slots() {
    let mut config = config();
    config.fleet = Fleet::generate(130, 4).with_slots(10);
    let subscription = config.fleet.subscriptions().into_iter().next().unwrap();
    let expected =
        config.fleet.apps().filter(|a| *a.subscription() == subscription && a.slot().is_none()).count();
    config.page_size = 7;
    let mut azure = Azure::new(config, 1).unwrap();
    let mut target = format!("/subscriptions/{subscription}/providers/Microsoft.Web/sites?api-version=1");
    let mut ids = Vec::new();
    loop {
        let page = body(&call(&mut azure, start(), Request::new(Method::Get, &target)));
        let items = page["value"].as_array().unwrap();
        assert!((1..=7).contains(&items.len()));
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().parse::<AppId>().unwrap()));
        let Some(next) = page["nextLink"].as_str() else { break };
        target = next.strip_prefix("https://management.azure.com").unwrap().to_owned();
        assert!(target.contains("api-version=1"));
    }
    ids.dedup();
    assert_eq!(ids.len(), expected);
}

#[test]
fn a_call_without_a_good_token_is_refused() {
    let mut azure = azure();
    let good = token(&mut azure, start());
    let request =
        |token: &str| get(&app("shop").to_string()).with_header("authorization", format!("Bearer {token}"));
    assert_eq!(azure.handle(start(), &request(&good)).status, 200);
    assert_eq!(azure.handle(start(), &request("other")).status, 401);
    assert_eq!(azure.handle(start(), &get(&app("shop").to_string())).status, 401);
    let expired = azure.handle(after(3_599), &request(&good));
    assert_eq!(
        (expired.status, &body(&expired)["error"]["code"]),
        (401, &json!("ExpiredAuthenticationToken"))
    );
    let fresh = token(&mut azure, after(3_600));
    azure.revoke_tokens();
    assert_eq!(azure.handle(after(3_600), &request(&fresh)).status, 401);
    assert_eq!(azure.counters().unauthorized, 4);
}

#[test]
fn the_token_endpoint_knows_one_application_and_its_secret() {
    let client = config().client;
    let path = format!("/{}/oauth2/v2.0/token", client.tenant);
    let good =
        format!("grant_type=client_credentials&client_id={}&client_secret=not-a-secret&scope=s", client.id);
    for (path, form, status) in [
        (path.as_str(), good.clone(), 200),
        ("/another/oauth2/v2.0/token", good.clone(), 400),
        (&path, good.replace("not-a-secret", "guess"), 401),
        (&path, good.replace(&client.id, "who"), 400),
        (&path, good.replace("client_credentials", "password"), 400),
        (&path, good.replace("&scope=s", ""), 400),
        (&path, String::new(), 400),
    ] {
        let answer = azure().handle(start(), &Request::new(Method::Post, path).with_body(form.clone()));
        assert_eq!(answer.status, status, "{path} {form}");
    }
}
