//! Each channel against a local receiver.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use holdfast_config::{Channel, NotifyOn};
use holdfast_model::{Cause, Clock as _, ManualClock, PolicyName, Timestamp};
use holdfast_notify::{ChannelSender, Look, Notice, NoticeKind, SendError, Sending as _};
use holdfast_storage::SecretRef;
use serde_json::Value;

use crate::receiver::{Received, Receiver};
use crate::world::KnownSecrets;

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "0123456789abcdef-1-ops";

fn reference(name: &str) -> SecretRef {
    SecretRef::Env(name.to_owned())
}

pub fn sender(channel: Channel, secrets: &[(&str, &str)]) -> ChannelSender {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    clock.advance(Duration::from_secs(1_700_000_000));
    assert_eq!(clock.now().timestamp(), 1_700_000_000);
    ChannelSender {
        channel,
        secrets: KnownSecrets::of(secrets),
        clock,
        look: Look::default(),
        blank: |text| text.contains("hunter2").then(|| text.replace("hunter2", "***")),
    }
}

pub fn notice(kind: NoticeKind) -> Notice {
    Notice {
        incident: "0123456789abcdef".into(),
        on: Some(NotifyOn::Failure),
        policy: Some(PolicyName::new("gold")),
        cause: Some(Cause::Unreachable),
        affected: 1,
        in_trouble: 1,
        names: vec!["shop".into(), "hunter2".into()],
        ..Notice::empty("oncall", kind, Timestamp::UNIX_EPOCH)
    }
}

fn json(received: &Received) -> Value {
    serde_json::from_slice(&received.body).unwrap()
}

/// Sends a notice and returns what arrived.
async fn sent(channel: Channel, kind: NoticeKind) -> (Received, Receiver) {
    let server = Receiver::start().await;
    let url = format!("{}/hook?token=t0ken", server.url);
    let secrets = [("URL", url.as_str()), ("KEY", KEY)];
    sender(channel, &secrets).send(ID, &notice(kind)).await.unwrap();
    let arrived = server.received();
    assert_eq!(arrived.len(), 1);
    assert!(!String::from_utf8_lossy(&arrived[0].body).contains("hunter2"), "secrets are blanked");
    (arrived[0].clone(), server)
}

#[tokio::test]
async fn a_webhook_is_a_cloud_event_with_a_signature_that_its_receiver_verifies() {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let channel = Channel::Webhook { url: reference("URL"), secret: Some(reference("KEY")) };
    let (received, _) = sent(channel, NoticeKind::Opened).await;
    let header = |name: &str| received.headers[name].to_str().unwrap().to_owned();
    assert_eq!((received.path.as_str(), header("webhook-id").as_str()), ("/hook?token=t0ken", ID));
    assert_eq!(header("webhook-timestamp"), "1700000000");
    assert!(header("content-type").starts_with("application/cloudevents+json"));
    let decode = |text: &str| base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&decode(KEY.strip_prefix("whsec_").unwrap())).unwrap();
    mac.update(format!("{ID}.1700000000.").as_bytes());
    mac.update(&received.body);
    let signature = header("webhook-signature");
    mac.verify_slice(&decode(signature.strip_prefix("v1,").unwrap())).unwrap();
    let event = json(&received);
    assert_eq!(event["specversion"], "1.0");
    assert_eq!((&event["id"], &event["type"]), (&ID.into(), &"holdfast.incident.opened".into()));
    assert_eq!(event["data"]["cause"], "unreachable");
}

#[tokio::test]
async fn a_webhook_without_a_secret_has_no_signature() {
    let channel = Channel::Webhook { url: reference("URL"), secret: None };
    let (received, _) = sent(channel, NoticeKind::Opened).await;
    assert!(!received.headers.contains_key("webhook-signature"));
}

#[tokio::test]
async fn slack_teams_and_apprise_get_their_own_forms() {
    let (received, _) = sent(Channel::Slack { url: reference("URL") }, NoticeKind::Opened).await;
    assert_eq!(json(&received)["blocks"][0]["type"], "header");
    let (received, _) = sent(Channel::Teams { url: reference("URL") }, NoticeKind::Opened).await;
    assert_eq!(json(&received)["attachments"][0]["content"]["type"], "AdaptiveCard");
    let apprise = Channel::Apprise { url: reference("URL"), tag: Some("ops".into()) };
    let (received, server) = sent(apprise.clone(), NoticeKind::Resolved).await;
    assert_eq!((&json(&received)["type"], &json(&received)["tag"]), (&"success".into(), &"ops".into()));
    server.answers(204, None);
    let url = server.url.clone();
    let refused = sender(apprise, &[("URL", &url)]).send(ID, &notice(NoticeKind::Opened)).await;
    assert!(matches!(refused, Err(SendError::Never(_))), "{refused:?}");
}

#[tokio::test]
async fn pager_duty_gets_a_trigger_and_a_resolve_of_one_key() {
    let channel = Channel::PagerDuty { key: reference("KEY"), url: Some(reference("URL")) };
    for (kind, action) in [(NoticeKind::Opened, "trigger"), (NoticeKind::Resolved, "resolve")] {
        let event = json(&sent(channel.clone(), kind).await.0);
        assert_eq!(
            (&event["event_action"], &event["dedup_key"], &event["routing_key"]),
            (&action.into(), &"0123456789abcdef".into(), &KEY.into())
        );
    }
}

async fn answered(status: u16, header: Option<(&'static str, String)>) -> (SendError, usize) {
    let receiver = Receiver::start().await;
    receiver.answers(status, header);
    let url = receiver.url.clone();
    let channel = Channel::Webhook { url: reference("URL"), secret: None };
    let sent = sender(channel, &[("URL", &url)]).send(ID, &notice(NoticeKind::Opened)).await;
    (sent.unwrap_err(), receiver.received().len())
}

#[tokio::test]
async fn a_redirect_is_final_and_is_not_followed() {
    let elsewhere = Receiver::start().await;
    let (error, count) = answered(307, Some(("location", elsewhere.url.clone()))).await;
    assert!(matches!(&error, SendError::Never(why) if why.contains("redirect")), "{error:?}");
    assert_eq!((count, elsewhere.received().len()), (1, 0));
}

#[tokio::test]
async fn an_answer_says_whether_it_is_final_and_how_long_to_wait() {
    assert!(matches!(answered(404, None).await.0, SendError::Never(_)));
    let (error, _) = answered(429, Some(("retry-after", "120".into()))).await;
    let expected = SendError::Later { why: "answered 429".into(), pause: Some(Duration::from_mins(2)) };
    assert_eq!(error, expected);
    assert!(matches!(answered(503, None).await.0, SendError::Later { pause: None, .. }));
}

#[tokio::test]
async fn what_cannot_be_sent_is_told_without_its_address() {
    let channel = || Channel::Slack { url: reference("URL") };
    for (secrets, expected) in [
        (vec![], "is not set"),
        (vec![("URL", "no url")], "is no URL"),
        (vec![("URL", "http://hooks.example.com/t0ken")], "https://"),
        (vec![("URL", "http://127.0.0.1:1/t0ken")], "no connection"),
    ] {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let error = sender(channel(), &secrets).send(ID, &notice(NoticeKind::Opened)).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains("t0ken"), "{text}");
    }
}
