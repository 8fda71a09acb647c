use std::collections::VecDeque;

use async_trait::async_trait;
use holdfast_arm::TransportError;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::*;

/// Gives prepared answers, and keeps what it was sent.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<TransportResponse, TransportError>>>,
    sent: Mutex<Vec<(String, HeaderMap)>>,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: TransportRequest) -> Result<TransportResponse, TransportError> {
        let sent = (format!("{} {}", request.method, request.url), request.headers);
        self.sent.lock().unwrap().push(sent);
        self.answers.lock().unwrap().pop_front().unwrap()
    }
}

fn answer(status: u16, body: &str) -> TransportResponse {
    TransportResponse::new(status, body.as_bytes().to_vec())
}

fn later(status: u16, seconds: u32) -> TransportResponse {
    let mut answer = answer(status, "{}");
    answer.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

fn server(
    answers: impl IntoIterator<Item = Result<TransportResponse, TransportError>>,
) -> (Server, Arc<Scripted>) {
    let transport = Arc::new(Scripted::default());
    transport.answers.lock().unwrap().extend(answers);
    let address = ServerAddress::parse("https://hf.example").unwrap();
    let token = Some(SecretString::from("hf_secret"));
    let rng = fastrand::Rng::with_seed(1);
    (Server::over(Arc::clone(&transport) as _, address, token, rng), transport)
}

fn broken() -> TransportError {
    TransportError::ambiguous("the connection broke before the answer")
}

#[tokio::test(start_paused = true)]
async fn an_act_is_sent_again_with_its_key_and_another_one_has_its_own() {
    let ok = || Ok(answer(200, "{\"done\":true}"));
    let (server, transport) = server([Err(broken()), Ok(later(503, 2)), ok(), ok()]);
    for _ in 0..2 {
        assert_eq!(server.act::<Value>(&["holds"], &json!({})).await.unwrap(), json!({ "done": true }));
    }
    let sent = transport.sent.lock().unwrap();
    let keys: Vec<&str> =
        sent.iter().map(|(_, headers)| headers["idempotency-key"].to_str().unwrap()).collect();
    assert_eq!((keys[0], keys[1]), (keys[1], keys[2]));
    assert_ne!(keys[2], keys[3]);
    assert!(sent.iter().all(|(call, headers)| {
        call == "POST https://hf.example/api/v1/holds" && headers[AUTHORIZATION] == "Bearer hf_secret"
    }));
}

#[tokio::test(start_paused = true)]
async fn what_a_server_does_each_time_is_sent_once() {
    let (server, transport) = server([Err(broken())]);
    let error = server.post::<Value>(&["tokens"], &json!({})).await.unwrap_err();
    assert_eq!((error.kind(), transport.sent.lock().unwrap().len()), (ErrorKind::Store, 1));
    assert!(error.to_string().starts_with("https://hf.example does not answer: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_being_made_is_waited_for_but_not_for_ever() {
    let (server, transport) = server([Ok(later(202, 1)), Ok(later(202, 5)), Ok(answer(200, "7"))]);
    assert_eq!(server.get::<u32>(&["forecast"], Query::default().with("hours", Some(2))).await.unwrap(), 7);
    assert_eq!(transport.sent.lock().unwrap()[2].0, "GET https://hf.example/api/v1/forecast?hours=2");
    let (server, transport) = server_that_is_busy();
    let error = server.get::<u32>(&["forecast"], Query::default()).await.unwrap_err();
    assert_eq!((error.kind(), transport.sent.lock().unwrap().len()), (ErrorKind::Azure, 4));
}

fn server_that_is_busy() -> (Server, Arc<Scripted>) {
    server((0..9).map(|_| Ok(later(202, 20))))
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_told_and_not_followed() {
    let (server, transport) = server([Ok(answer(302, ""))]);
    let error = server.get::<Value>(&["status"], Query::default()).await.unwrap_err();
    assert!(error.to_string().contains("redirect") && error.kind() == ErrorKind::Invalid, "{error}");
    assert_eq!(transport.sent.lock().unwrap().len(), 1);
    assert!(!format!("{server:?}").contains("hf_secret"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_version_says_so() {
    let (server, _) = server([Ok(answer(200, "{\"half\":"))]);
    let error = server.get::<Value>(&["status"], Query::default()).await.unwrap_err();
    assert!(error.advice().is_some_and(|advice| advice.contains("same version")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_plan_for_many_apps_is_waited_for_while_the_server_makes_it() {
    let plan = json!({
        "as_of": "2026-11-30T09:00:00Z", "kind": "restore", "selected": 1, "starts": [], "left_out": [], "warnings": [],
    });
    let making = (0..100).map(|_| Ok(later(202, 1)));
    let begun = [Ok(answer(202, "{\"plan\":\"7\"}"))].into_iter().chain(making);
    let (server, transport) = server(begun.chain([Ok(answer(200, &plan.to_string()))]));
    let wanted = json!({ "select": {}, "to": { "slot": "staging" } });
    let planned = server.plan_many(&serde_json::from_value(wanted).unwrap()).await.unwrap();
    assert_eq!((planned.id.as_str(), planned.plan.selected), ("7", 1));
    let sent = transport.sent.lock().unwrap();
    assert_eq!(sent[0].0, "POST https://hf.example/api/v1/restores/many/plan");
    assert_eq!(sent.last().unwrap().0, "GET https://hf.example/api/v1/restores/many/7");
}
