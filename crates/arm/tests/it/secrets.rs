//! No signature, password or token in any error, debug text or trace, whatever Azure echoes.

use std::error::Error as _;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use holdfast_arm::{Arm, Error};
use holdfast_model::SubscriptionId;
use tracing_subscriber::fmt::MakeWriter;

use crate::answers::{SUBSCRIPTION, app, request};
use crate::every::{ALL, call, good, restore_request, schedule_request};
use crate::server::{Seen, Server, answer, arm};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Everything that a caller could print of an error.
fn all_text(error: &Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    let causes: Vec<String> = causes.map(|cause| format!("{cause} {cause:?} ")).collect();
    format!("{error} {error:?} {error:#?} {:?} {:?} {causes:?}", error.code(), error.request_id())
}

/// What echoes the request back, in the ways that services and proxies do.
fn echo(seen: &Seen, way: usize) -> (u16, String) {
    let quoted =
        serde_json::to_string(&format!("cannot take {} {}", seen.body, seen.header("authorization")))
            .unwrap();
    match way {
        0 => (400, format!(r#"{{"Code":"BadRequest","Message":{quoted}}}"#)),
        1 => (500, format!(r#"{{"error":{{"code":{quoted},"message":{quoted}}}}}"#)),
        2 => (429, format!(r#"{{"error":{{"code":"SubscriptionRequestsThrottled","message":{quoted}}}}}"#)),
        3 => (200, format!("<html>{}</html>", seen.body)),
        4 => (200, seen.body.clone()),
        5 => (200, format!(r#"{{"properties":{{"id":{quoted}}}}}"#)),
        6 => (403, seen.body.clone()),
        7 => (
            409,
            format!(
                r#"{{"status":"Failed","error":{{"code":{quoted},"details":[{{"message":{quoted}}}]}}}}"#
            ),
        ),
        8 => (200, format!(r#"{{"status":"Failed","error":{{"code":{quoted},"message":{quoted}}}}}"#)),
        9 => (202, String::new()),
        _ => (200, format!(r#"{{"properties":{{"id":1,"status":"Failed","log":{quoted}}}}}"#)),
    }
}

#[tokio::test]
async fn no_output_holds_a_secret() {
    let log = Log::default();
    let filter = tracing_subscriber::EnvFilter::new("trace,axum=off");
    let spans = tracing_subscriber::fmt::format::FmtSpan::FULL;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(spans)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let mut texts = vec![format!("{:?} {:?} {:?}", request(), restore_request(&app()), schedule_request())];
    for way in 0..=10 {
        let server = Server::new(move |seen, _| {
            let (status, body) = echo(seen, way);
            let link = "https://S3CR3T@elsewhere.example/x?sig=S3CR3T";
            answer(status, &[("set-cookie", "S3CR3T"), ("location", link)], body)
        })
        .await;
        let client = arm(&server.url);
        texts.push(format!("{client:?}"));
        for operation in ALL {
            texts.push(call(&client, operation, &app()).await.unwrap_or_else(|error| all_text(&error)));
        }
        drop(server);
        texts.push(all_text(&client.sites(&SubscriptionId::new(SUBSCRIPTION)).await.unwrap_err()));
    }
    for operation in ALL {
        let server = Server::new(move |seen, _| good(operation, &app(), seen)).await;
        texts.push(call(&arm(&server.url), operation, &app()).await.unwrap());
    }
    drop(guard);

    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    for needed in [
        "operation=\"backup\"",
        "operation=\"put_schedule\"",
        "app=bread",
        "status=403",
        "request_id=\"req-1\"",
        "client_request_id=",
    ] {
        assert!(logged.contains(needed), "the span lacks {needed}");
    }
    for text in texts.into_iter().chain([logged]) {
        let found = text
            .find("S3CR3T")
            .map(|at| text[at.saturating_sub(200)..].chars().take(300).collect::<String>());
        assert_eq!(found, None);
    }
}
