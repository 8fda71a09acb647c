//! Answers that should not be, and none at all: one request, one named error, never a panic.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use holdfast_arm::{Arm, Error, ErrorKind, Settings, ThrottleScope};
use holdfast_model::BackupId;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::answers::{REFUSAL, app, created, list, listed, request};
use crate::server::{Server, answer, arm, arm_with, tokens};

/// The error of a POST to a server that answers `body`, having checked that it was sent once.
async fn posted(status: u16, body: impl Into<String>) -> Error {
    let server = Server::always(status, body).await;
    let error = arm(&server.url).backup(&app(), &request()).await.unwrap_err();
    assert_eq!(server.seen().len(), 1, "{error}");
    assert!(error.to_string().starts_with("start a backup of bread: "), "{error}");
    error
}

#[tokio::test]
async fn a_post_that_fails_at_azure_is_ambiguous_and_sent_once() {
    for status in [408, 500, 502, 503, 504, 301, 302, 307, 308] {
        assert_eq!(posted(status, "").await.kind(), &ErrorKind::Ambiguous, "{status}");
    }
}

#[tokio::test]
async fn a_post_that_azure_refuses_is_not_ambiguous_and_sent_once() {
    for (status, kind) in [
        (400, ErrorKind::Rejected),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Conflict { retry_after: None }),
        (429, ErrorKind::Throttled { retry_after: None, scope: ThrottleScope::Provider }),
    ] {
        assert_eq!(posted(status, REFUSAL).await.kind(), &kind, "{status}");
        if status != 429 {
            assert_eq!(posted(status, "not json").await.kind(), &ErrorKind::Ambiguous, "{status}");
        }
    }
}

#[tokio::test]
async fn a_200_whose_body_is_no_backup_is_ambiguous_for_a_post() {
    let whole = created(&app()).to_string();
    for body in [
        "",
        "null",
        "[]",
        "\"ok\"",
        "{}",
        "<html><body>Sign in to the proxy</body></html>",
        r#"{"properties": null}"#,
        r#"{"properties": {"id": null, "status": "Created"}}"#,
        r#"{"properties": {"id": "twelve"}}"#,
        &whole[..whole.len() - 2],
        &"[".repeat(100_000),
    ] {
        let error = posted(200, body).await;
        assert_eq!((error.kind(), error.status()), (&ErrorKind::Ambiguous, Some(200)), "{body:.40}");
        assert_eq!(error.request_id(), Some("req-1"));
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read_to_its_end() {
    let error = posted(200, "x".repeat(10 << 20)).await;
    assert!(error.to_string().contains("the answer is larger than 4194304 bytes"), "{error}");
    assert_eq!(error.kind(), &ErrorKind::Ambiguous);

    // A body without an end, which would fill the memory of a client that reads on.
    let endless = || futures_stream(std::iter::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(1 << 16))));
    let server = Server::new(move |_, _| answer(200, &[], Body::from_stream(endless()))).await;
    let error = arm(&server.url).list_backups(&app()).await.unwrap_err();
    assert!(error.to_string().contains("the answer is larger than 33554432 bytes"), "{error}");
}

fn futures_stream<T: Send + 'static>(
    items: impl Iterator<Item = T> + Send + 'static,
) -> impl futures::Stream<Item = T> + Send + 'static {
    futures::stream::iter(items)
}

#[tokio::test]
async fn a_list_with_an_element_that_is_no_backup_fails_rather_than_hide_it() {
    for body in [
        list(&[listed(&app(), 1, "Created"), json!({"properties": {"name": "hf-lost"}})]),
        json!({ "value": {} }),
        json!({ "values": [] }),
        json!([]),
    ] {
        let server = Server::always(200, body.to_string()).await;
        let error = arm(&server.url).list_backups(&app()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Ambiguous, "{body}");
        assert!(error.to_string().starts_with("list the backups of bread: azure answered 200"), "{error}");
    }
}

#[tokio::test]
async fn an_error_names_the_backup_it_is_about() {
    let server = Server::always(404, r#"{"Code":"NotFound","Message":"Backup 9 was not found."}"#).await;
    let error = arm(&server.url).get_backup(&app(), BackupId(9)).await.unwrap_err();
    let text =
        "look at backup 9 of bread: azure answered 404 Not Found: Backup 9 was not found. (request req-1)";
    assert_eq!((error.to_string().as_str(), error.code()), (text, Some("NotFound")));
}

#[tokio::test]
async fn a_post_without_an_answer_in_time_is_ambiguous() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let settings = Settings { call_timeout: Duration::from_millis(100), ..Settings::new(url) };
    let arm = arm_with(settings, tokens());
    let (sent, kept) = tokio::join!(arm.backup_app(), async {
        let mut stream = listener.accept().await.unwrap().0;
        read_request(&mut stream).await;
        stream
    });
    drop(kept);
    let error = sent.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Ambiguous);
    assert!(error.to_string().starts_with("start a backup of bread: no answer in time"), "{error}");
}

trait BackupApp {
    async fn backup_app(&self) -> Result<holdfast_arm::Backup, Error>;
}

impl<A: Arm> BackupApp for A {
    async fn backup_app(&self) -> Result<holdfast_arm::Backup, Error> {
        self.backup(&app(), &request()).await
    }
}

/// Reads a request to the end of its body, and gives its first line.
pub async fn read_request(stream: &mut TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        let length =
            text.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let head = text.find("\r\n\r\n").map(|end| end + 4);
        if read == 0 || head.is_some_and(|head| text.len() >= head + length.unwrap_or(0)) {
            return text.lines().next().unwrap_or_default().to_owned();
        }
    }
}

/// How a connection ends under a POST.
#[derive(Debug, Clone, Copy)]
enum End {
    Closed,
    Reset,
    BodyCutOff,
}

/// A server that answers each GET well and keeps the connection, and ends it under each POST. It notes all of them.
async fn ending(listener: TcpListener, end: End, lines: Arc<Mutex<Vec<String>>>) {
    loop {
        let mut stream = listener.accept().await.unwrap().0;
        loop {
            let line = read_request(&mut stream).await;
            if line.is_empty() {
                break;
            }
            lines.lock().unwrap().push(line.clone());
            if line.starts_with("GET") {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"value\":[]}")
                    .await
                    .unwrap();
                continue;
            }
            match end {
                End::Closed => {}
                End::Reset => stream.set_zero_linger().unwrap(),
                End::BodyCutOff => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"prop").await.unwrap();
                }
            }
            break;
        }
    }
}

#[tokio::test]
async fn a_post_whose_connection_ends_is_ambiguous_and_on_the_wire_once_even_on_a_pooled_connection() {
    for gets in [0, 1] {
        for end in [End::Closed, End::Reset, End::BodyCutOff] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
            let lines = Arc::new(Mutex::new(Vec::new()));
            let server = tokio::spawn(ending(listener, end, lines.clone()));
            let arm = arm(&url);
            for _ in 0..gets {
                arm.list_backups(&app()).await.unwrap();
            }
            let error = arm.backup_app().await.unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Ambiguous, "{end:?} {error}");
            // A request sent again would have been noted before the client gave up.
            server.abort();
            let lines = lines.lock().unwrap();
            assert_eq!(lines.iter().filter(|line| line.starts_with("POST")).count(), 1, "{end:?} {lines:?}");
            assert_eq!(lines.len(), gets + 1);
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_refused_or_never_secured_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let secured = arm(&format!("https://{address}").parse().unwrap());
    let (sent, ()) = tokio::join!(secured.backup_app(), async {
        let mut stream = listener.accept().await.unwrap().0;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    assert_eq!(sent.unwrap_err().kind(), &ErrorKind::NotSent);

    drop(listener);
    let error = arm(&format!("http://{address}").parse().unwrap()).backup_app().await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotSent);
    assert!(
        error.to_string().starts_with("start a backup of bread: no connection: Connection refused"),
        "{error}"
    );
}
