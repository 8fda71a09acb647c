//! Lists of several pages, and links that must not be followed.

use holdfast_arm::{Arm, ErrorKind};
use holdfast_model::SubscriptionId;
use serde_json::json;

use crate::answers::{SUBSCRIPTION, app, list, listed, site};
use crate::server::{Seen, Server, answer, arm};

/// A server whose page `n` holds backup `n` and links to `next`, in which `{host}` is the server.
async fn linking(next: impl Fn(usize) -> Option<String> + Send + Sync + 'static) -> Server {
    Server::new(move |seen: &Seen, before| {
        let id = i64::try_from(before).unwrap();
        let next = next(before).map(|link| link.replace("{host}", seen.header("host")));
        answer(200, &[], json!({"value": [listed(&app(), id, "Created")], "nextLink": next}).to_string())
    })
    .await
}

#[tokio::test]
async fn all_pages_of_a_list_are_read_with_the_link_as_it_was_given() {
    let server = linking(|n| {
        (n < 2).then(|| format!("http://{{host}}/next?api-version=2024-11-01&$skiptoken={n}%3D"))
    })
    .await;
    let ids: Vec<i64> = arm(&server.url).list_backups(&app()).await.unwrap().iter().map(|b| b.id.0).collect();
    assert_eq!(ids, [0, 1, 2]);
    let seen = server.seen();
    assert_eq!(seen[1].uri, "/next?api-version=2024-11-01&$skiptoken=0%3D");
    assert!(seen.iter().all(|seen| seen.header("authorization") == "Bearer S3CR3T-TOKEN-1"));
}

#[tokio::test]
async fn a_link_to_another_host_is_refused_and_the_token_does_not_go_there() {
    let elsewhere = Server::always(200, json!({"value": []}).to_string()).await;
    let port = elsewhere.url.port().unwrap();
    for link in [
        format!("http://127.0.0.1:{port}/next"),
        format!("http://localhost:{port}/next"),
        format!("//127.0.0.1:{port}/next"),
        "https://{host}/next".to_owned(),
        "http://somebody:pass@{host}/next".to_owned(),
        "http://management.azure.com/next".to_owned(),
        "file:///etc/passwd".to_owned(),
        "data:,x".to_owned(),
    ] {
        let given = link.clone();
        let server = linking(move |_| Some(given.clone())).await;
        let error = arm(&server.url).list_backups(&app()).await.unwrap_err();
        assert!(
            error.to_string().contains("the link to the next page leads to another host"),
            "{link}: {error}"
        );
        assert_eq!((error.kind(), server.seen().len()), (&ErrorKind::Ambiguous, 1), "{link}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_link_that_leads_back_ends_the_list() {
    let server = linking(|n| Some(format!("/next?page={}", (n + 1) % 3))).await;
    let error = arm(&server.url).list_backups(&app()).await.unwrap_err();
    assert!(error.to_string().ends_with("leads in a circle (application/json) (request req-1)"), "{error}");
    assert!(server.seen().len() <= 4);
}

#[tokio::test]
async fn a_list_that_never_ends_is_given_up() {
    let server = linking(|n| Some(format!("/next?page={n}"))).await;
    let error = arm(&server.url).list_backups(&app()).await.unwrap_err();
    assert!(error.to_string().contains("leads in a circle"), "{error}");
    assert_eq!(server.seen().len(), 1_000);
}

#[tokio::test]
async fn sites_are_listed_page_by_page_and_a_failing_page_fails_the_list() {
    for (status, sites) in [(200, Some(2)), (500, None)] {
        let server = Server::new(move |_, before| match before {
            0 => answer(200, &[], json!({"value": [site("bread")], "nextLink": "/next"}).to_string()),
            _ => answer(status, &[], json!({"value": [site("cake")], "nextLink": ""}).to_string()),
        })
        .await;
        let listed = arm(&server.url).sites(&SubscriptionId::new(SUBSCRIPTION)).await;
        assert_eq!(listed.ok().map(|listed| listed.sites.len()), sites);
    }
}

#[tokio::test]
async fn a_list_of_too_many_items_is_given_up() {
    let items = vec![r#"{"properties":{"id":1}}"#; 30_000].join(",");
    let server = Server::new(move |_: &Seen, before| {
        answer(200, &[], format!(r#"{{"value":[{items}],"nextLink":"/next?page={before}"}}"#))
    })
    .await;
    let error = arm(&server.url).list_backups(&app()).await.unwrap_err();
    assert!(error.to_string().contains("the list is longer than 100000 items"), "{error}");
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn subscriptions_are_listed_with_their_states_by_the_version_of_arms_own_resources() {
    let of = |id: &str, state: &str| json!({"subscriptionId": id, "displayName": "Shops", "state": state});
    let server = Server::always(200, list(&[of("0A", "Enabled"), of("0b", "Disabled")]).to_string()).await;
    let listed = arm(&server.url).subscriptions().await.unwrap();
    let read: Vec<_> = listed.iter().map(|one| (one.id.as_str(), one.is_enabled())).collect();
    assert_eq!(read, [("0a", true), ("0b", false)]);
    assert_eq!(server.seen()[0].uri, "/subscriptions?api-version=2022-12-01");

    let server = Server::always(200, list(&[json!({"id": "/subscriptions"})]).to_string()).await;
    let refused = arm(&server.url).subscriptions().await.unwrap_err().to_string();
    assert!(refused.contains("list the subscriptions of the credential"), "{refused}");
}
