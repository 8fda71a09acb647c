//! SAS signed with a user delegation key.

use std::sync::Arc;
use std::time::Duration;

use holdfast_storage::{DELEGATION_LIFETIME_MAX, ErrorKind, Need, SasSource, Storage};
use secrecy::ExposeSecret;

use crate::server::{
    Asked, Badge, Nobody, Reply, Server, TOKEN, agree, clock, grant, hours, need, start_of_test,
    storage_with, weu,
};

fn delegation(lifetime: Duration) -> SasSource {
    SasSource::UserDelegation { lifetime }
}

/// Storage that hands out keys as they are asked for.
fn hand_out(asked: &Asked) -> Reply {
    if asked.method != "POST" {
        return agree(asked);
    }
    let element = |name: &str| {
        let (_, rest) = asked.body.split_once(&format!("<{name}>")).unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    Reply::status(200).body(&format!(
        "<UserDelegationKey><SignedOid>1111</SignedOid><SignedTid>2222</SignedTid>\
         <SignedStart>{}</SignedStart><SignedExpiry>{}</SignedExpiry><SignedService>b</SignedService>\
         <SignedVersion>2022-11-02</SignedVersion><Value>aG9sZGZhc3QtaW52ZW50ZWQta2V5</Value></UserDelegationKey>",
        element("Start"),
        element("Expiry"),
    ))
}

async fn server() -> Server {
    let server = Server::start().await;
    server.answer_with(hand_out);
    server
}

#[tokio::test]
async fn a_key_is_asked_for_with_a_token_and_signs_many_sas() {
    let (server, clock, badge) = (server().await, clock(), Arc::new(Badge::default()));
    let storage =
        storage_with(server.container.clone(), &(clock.clone() as _), delegation(hours(48)), badge.clone());
    let first = grant(&storage, &need(&clock)).await.unwrap();
    let [asked, ..] = &server.take_asked()[..] else { unreachable!() };
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/acct/"));
    assert_eq!(asked.query, "restype=service&comp=userdelegationkey");
    assert_eq!(asked.authorization, format!("Bearer {TOKEN}"));
    let window = "<Start>2027-01-31T11:45:00Z</Start><Expiry>2027-02-07T11:45:00Z</Expiry>";
    assert_eq!(asked.body, format!("<KeyInfo>{window}</KeyInfo>"));
    assert_eq!(*badge.scopes.lock().unwrap(), ["https://storage.azure.com/.default"]);
    let url = first.url.expose_secret();
    assert!(url.contains("&skoid=1111&sktid=2222&skt=2027-01-31T11%3A45%3A00Z&ske="), "{url}");
    assert!(url.contains("?sv=2022-11-02&") && url.contains("&sr=c&sp=rwdl&"), "{url}");

    clock.advance(hours(45));
    let second = grant(&storage, &need(&clock)).await.unwrap();
    assert_ne!(second.facts, first.facts);
    storage.blob(&weu(), "shop-1.zip", start_of_test() + hours(45)).await.unwrap();
    assert_eq!(server.take_methods(), ["PUT", "DELETE", "HEAD"], "the key at hand still covers both");

    clock.advance(hours(5 * 24));
    grant(&storage, &need(&clock)).await.unwrap();
    assert_eq!(server.take_methods(), ["POST", "PUT", "DELETE"], "now it does not");
}

#[tokio::test]
async fn the_longest_lifetime_lies_within_the_life_of_a_key() {
    let (server, clock) = (server().await, clock());
    let storage = server.storage(&clock, delegation(DELEGATION_LIFETIME_MAX));
    let granted = grant(&storage, &need(&clock)).await.unwrap();
    assert!(
        granted.facts.window.expiry.unwrap() >= holdfast_model::Clock::now(&*clock) + DELEGATION_LIFETIME_MAX
    );
    // A second one, of the same minute and of a later one.
    let replace = Need { replace: Some(granted.facts.fingerprint), ..need(&clock) };
    grant(&storage, &replace).await.unwrap();
    assert_eq!(server.take_methods(), ["POST", "PUT", "DELETE", "PUT", "DELETE"]);
}

#[tokio::test]
async fn callers_at_the_same_moment_share_one_key() {
    let (server, clock) = (server().await, clock());
    let storage = server.storage(&clock, delegation(hours(48)));
    let name = weu();
    let looks = (0..20).map(|_| storage.blob(&name, "shop-1.zip", start_of_test()));
    assert!(futures::future::join_all(looks).await.into_iter().all(|look| look.is_ok()));
    let methods = server.take_methods();
    assert_eq!(methods.iter().filter(|method| *method == "POST").count(), 1);
}

#[tokio::test]
async fn a_key_whose_sas_is_refused_gives_way_to_another_a_minute_later() {
    let (server, clock) = (server().await, clock());
    let storage = server.storage(&clock, delegation(hours(48)));
    grant(&storage, &need(&clock)).await.unwrap();
    server.take_methods();
    // Somebody revokes all keys.
    server.answer_with(|asked| if asked.method == "PUT" { Reply::status(403) } else { hand_out(asked) });
    clock.advance(Duration::from_mins(10));
    for _ in 0..20 {
        assert_eq!(grant(&storage, &need(&clock)).await.unwrap_err().kind(), ErrorKind::Unusable);
    }
    assert_eq!(server.take_methods(), ["PUT", "POST", "PUT"], "and a fleet asks for one");
    server.answer_with(hand_out);
    clock.advance(Duration::from_mins(1));
    grant(&storage, &need(&clock)).await.unwrap();
    assert_eq!(server.take_methods(), ["PUT", "DELETE"]);
}

#[tokio::test]
async fn a_refused_key_says_which_roles_are_needed_and_trouble_is_waited_out() {
    for (status, kind, said) in [
        (401, ErrorKind::Unusable, "Storage Blob Delegator"),
        (403, ErrorKind::Unusable, "Storage Blob Delegator"),
        (404, ErrorKind::Unusable, "check the container's URL"),
        (503, ErrorKind::Unreachable, "try again later"),
    ] {
        let (server, clock) = (Server::start().await, clock());
        server.answer_with(move |_| Reply::status(status));
        let storage = server.storage(&clock, delegation(hours(48)));
        let error = grant(&storage, &need(&clock)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("storage `weu`") && text.contains(said) && !text.contains(TOKEN), "{text}");
    }
}

#[tokio::test]
async fn an_invalid_key_response_and_a_missing_token_are_different_errors() {
    let (server, clock) = (Server::start().await, clock());
    server.answer_with(|_| Reply::status(200).body("<html>c2VjcmV0</html>"));
    let storage = server.storage(&clock, delegation(hours(48)));
    let error = grant(&storage, &need(&clock)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable, "{error}");
    assert!(!format!("{error} {error:?}").contains("c2VjcmV0"));
    let nobody = storage_with(
        server.container.clone(),
        &(clock.clone() as _),
        delegation(hours(48)),
        Arc::new(Nobody),
    );
    let error = grant(&nobody, &need(&clock)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
}

#[tokio::test]
async fn neither_the_key_nor_the_token_shows() {
    let (server, clock) = (server().await, clock());
    let storage = server.storage(&clock, delegation(hours(48)));
    let granted = grant(&storage, &need(&clock)).await.unwrap();
    let shown = format!("{storage:?} {granted:?}");
    assert!(!shown.contains("aG9sZGZhc3Q") && !shown.contains(TOKEN), "{shown}");
}
