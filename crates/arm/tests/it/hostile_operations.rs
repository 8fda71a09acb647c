//! Answers to every operation that should not be: one request, one named error, never a panic.

use axum::http::Response;
use holdfast_arm::{Arm, Error, ErrorKind, Operation, ThrottleScope};
use holdfast_model::BackupId;
use serde_json::json;
use tokio::net::TcpListener;

use crate::answers::{REFUSAL, app, slot};
use crate::every::{ALL, call, configuration, good, operation_path, restore_request, schedule_request};
use crate::hostile::read_request;
use crate::server::{Server, answer, arm};

const PROXY: &str = "<html><body>Sign in to the proxy</body></html>";

/// The errors of an operation whose server answers like these in turn, having checked that each was asked for once.
async fn refused_in_turn(operation: Operation, answers: &[(u16, &str)]) -> Vec<Error> {
    let given: Vec<_> = answers.iter().map(|&(status, body)| (status, body.to_owned())).collect();
    let server = Server::new(move |_, before| answer(given[before].0, &[], given[before].1.clone())).await;
    let client = arm(&server.url);
    let mut errors = Vec::new();
    for _ in answers {
        let error = call(&client, operation, &app()).await.unwrap_err();
        assert_eq!((server.seen().len(), error.operation()), (errors.len() + 1, operation));
        errors.push(error);
    }
    errors
}

async fn refused(operation: Operation, status: u16, body: &str) -> Error {
    refused_in_turn(operation, &[(status, body)]).await.remove(0)
}

#[tokio::test]
async fn every_operation_distinguishes_ambiguity_from_refusal_and_is_sent_once() {
    let meanings = [408, 500, 502, 503, 504, 301, 307].map(|status| (status, ErrorKind::Ambiguous));
    let meanings: Vec<(u16, ErrorKind)> = meanings
        .into_iter()
        .chain([
            (400, ErrorKind::Rejected),
            (403, ErrorKind::Forbidden),
            (404, ErrorKind::NotFound),
            (409, ErrorKind::Conflict { retry_after: None }),
            (429, ErrorKind::Throttled { retry_after: None, scope: ThrottleScope::Provider }),
        ])
        .collect();
    let answers: Vec<_> = meanings.iter().map(|(status, _)| (*status, REFUSAL)).collect();
    for operation in ALL {
        let errors = refused_in_turn(operation, &answers).await;
        for (error, (status, kind)) in errors.iter().zip(&meanings) {
            assert_eq!(error.kind(), kind, "{operation} {status}");
        }
    }
}

#[tokio::test]
async fn every_refusal_by_a_gateway_is_ambiguous_for_every_operation() {
    let statuses = [304, 400, 401, 403, 404, 405, 407, 409, 411, 413, 421, 451];
    for operation in ALL {
        let server = Server::new(move |_, before| {
            let page = Response::builder().status(statuses[before]).header("content-type", "text/html");
            page.body(PROXY.into()).unwrap()
        })
        .await;
        let client = arm(&server.url);
        for (asked, status) in statuses.into_iter().enumerate() {
            let error = call(&client, operation, &app()).await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (&ErrorKind::Ambiguous, Some(status)), "{operation}");
            let text = error.to_string();
            assert!(text.contains(&format!(": a gateway or proxy answered {status}")), "{text}");
            // A 401 without Azure's envelope renews no token and repeats no request.
            assert_eq!(server.seen().len(), asked + 1, "{operation} {status}");
        }
    }
}

#[tokio::test]
async fn an_empty_200_without_a_request_id_ends_nothing() {
    for operation in ALL {
        let server = Server::new(|_, _| Response::builder().status(200).body("".into()).unwrap()).await;
        let error = call(&arm(&server.url), operation, &app()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Ambiguous, "{operation}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_good_answer_is_skipped() {
    for operation in ALL {
        let server = Server::new(move |seen, _| {
            let (head, body) = good(operation, &app(), seen).into_parts();
            let body = futures::executor::block_on(axum::body::to_bytes(body, usize::MAX)).unwrap();
            let marked = if body.is_empty() { body.to_vec() } else { [b"\xef\xbb\xbf", &body[..]].concat() };
            Response::from_parts(head, marked.into())
        })
        .await;
        call(&arm(&server.url), operation, &app()).await.unwrap();
    }
}

#[tokio::test]
async fn every_operation_whose_connection_ends_is_ambiguous_and_on_the_wire_once() {
    for operation in ALL {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = arm(&format!("http://{}", listener.local_addr().unwrap()).parse().unwrap());
        let requests = async {
            let mut requests = 0;
            loop {
                read_request(&mut listener.accept().await.unwrap().0).await;
                requests += 1;
                assert_eq!(requests, 1, "{operation} was sent again");
            }
        };
        let of = app();
        let error = tokio::select! {
            answered = call(&client, operation, &of) => answered.unwrap_err(),
            () = requests => unreachable!("it accepts for ever"),
        };
        assert_eq!((error.operation(), error.kind()), (operation, &ErrorKind::Ambiguous), "{error}");
        drop(listener);
        let error = call(&client, operation, &app()).await.unwrap_err();
        assert_eq!((error.operation(), error.kind()), (operation, &ErrorKind::NotSent), "{error}");
    }
}

#[tokio::test]
async fn a_200_that_is_not_what_the_operation_answers_with_is_ambiguous() {
    let deep = "[".repeat(100_000);
    for operation in ALL {
        let mut bodies = vec![PROXY, "null", "[]", "\"ok\"", "7", deep.as_str(), r#"{"properties": "#];
        // Azure answers these with nothing or with JSON, which has nothing to read.
        if ![Operation::PutSchedule, Operation::DeleteSchedule].contains(&operation) {
            bodies.push("{}");
        }
        for error in
            refused_in_turn(operation, &bodies.iter().map(|body| (200, *body)).collect::<Vec<_>>()).await
        {
            assert_eq!((error.kind(), error.status()), (&ErrorKind::Ambiguous, Some(200)), "{operation}");
            assert_eq!(error.request_id(), Some("req-1"));
        }
    }
}

#[tokio::test]
async fn an_empty_200_is_an_end_only_where_azure_sends_no_body() {
    for operation in ALL {
        let server = Server::always(200, "").await;
        let answered = call(&arm(&server.url), operation, &app()).await;
        let ends = [
            Operation::DeleteBackup,
            Operation::Restore,
            Operation::RestoreFromBlob,
            Operation::GetOperation,
            Operation::PutSchedule,
            Operation::DeleteSchedule,
        ];
        match answered {
            Ok(text) => assert!(ends.contains(&operation), "{operation} {text}"),
            Err(error) => {
                assert_eq!(error.kind(), &ErrorKind::Ambiguous, "{error}");
                assert!(!ends.contains(&operation), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    let huge = "x".repeat((4 << 20) + 1);
    for operation in ALL {
        if operation.to_string().starts_with("list_") {
            continue;
        }
        let error = refused(operation, 200, &huge).await;
        assert!(error.to_string().contains("the answer is larger than 4194304 bytes"), "{error}");
        assert_eq!(error.kind(), &ErrorKind::Ambiguous);
    }
}

#[tokio::test]
async fn a_restores_link_to_anywhere_else_is_refused_and_never_followed() {
    let elsewhere = Server::always(200, "{}").await;
    let port = elsewhere.url.port().unwrap();
    let path = operation_path(&app());
    for (link, why) in [
        (format!("http://127.0.0.1:{port}{path}?sig=S3CR3T"), "leads to another host"),
        (format!("//127.0.0.1:{port}{path}"), "leads to another host"),
        (format!("https://{{host}}{path}"), "leads to another host"),
        (format!("http://somebody:S3CR3T@{{host}}{path}"), "leads to another host"),
        (format!("https://management.azure.com{path}"), "leads to another host"),
        ("data:,x".to_owned(), "leads to another host"),
        (format!("http://{{host}}{path}?{}", "x".repeat(4 << 10)), "is too long"),
        ("http://[".to_owned(), "is no URL"),
        (String::new(), "is no URL"),
        ("/tenants/1/operations/2".to_owned(), "leads out of the subscription"),
        ("/subscriptions/another/operations/2".to_owned(), "leads out of the subscription"),
        (format!("{path}{}/another/x", "/..".repeat(9)), "leads out of the subscription"),
    ] {
        for name in ["location", "azure-asyncoperation"] {
            let given = link.clone();
            let server = Server::new(move |seen, _| {
                answer(202, &[(name, &given.replace("{host}", seen.header("host")))], "")
            })
            .await;
            let request = restore_request(&app());
            let error = arm(&server.url).restore(&app(), BackupId(1), &request).await.unwrap_err();
            assert!(error.to_string().contains(&format!("the link to the operation {why}")), "{error}");
            assert!(!format!("{error:?}").contains("S3CR3T"), "{error:?}");
            assert_eq!((error.kind(), server.seen().len()), (&ErrorKind::Ambiguous, 1));
        }
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_link_loses_its_query_which_may_be_signed() {
    let server = Server::new(|_, _| {
        let link = format!("{}?t=638&s=S3CR3T#S3CR3T", operation_path(&app()));
        answer(202, &[("location", &link), ("retry-after", "15")], "")
    })
    .await;
    let started = arm(&server.url).restore_from_blob(&app(), &restore_request(&app())).await.unwrap();
    assert_eq!(started.operation, Some(operation_path(&app())));
    assert_eq!(started.retry_after.map(|wait| wait.as_secs()), Some(15));
}

#[tokio::test]
async fn an_operation_outside_the_apps_subscription_is_not_asked_for() {
    let server = Server::always(200, "").await;
    for path in [
        "",
        "/",
        "https://example.com/subscriptions/x",
        "//example.com/subscriptions/x",
        "/subscriptions/another/x",
        &format!("{}{}/another", operation_path(&app()), "/..".repeat(9)),
        &format!("{}{}/another", operation_path(&app()), "/%2e%2E".repeat(9)),
    ] {
        let error = arm(&server.url).operation(&app(), path).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (&ErrorKind::Rejected, Operation::GetOperation),
            "{path}"
        );
    }
    assert!(server.seen().is_empty());

    let path = format!("{}?sig=S3CR3T", operation_path(&app()));
    arm(&server.url).operation(&app(), &path).await.unwrap();
    assert!(!server.seen()[0].uri.contains("?sig"), "a path stays one");
}

#[tokio::test]
async fn the_404_of_an_app_or_of_a_backup_is_not_that_of_its_schedule() {
    for body in [
        r#"{"error":{"code":"ResourceNotFound","message":"The Resource 'Microsoft.Web/sites/bread' under resource group 'bakery' was not found."}}"#,
        r#"{"Code":"NotFound","Message":"Cannot find Site with name bread."}"#,
        r#"{"Code":"NotFound","Message":"7"}"#,
        r#"{"Code":"Odd","Message":"Backup configuration not found for site 'bread'"}"#,
    ] {
        for operation in [Operation::GetSchedule, Operation::DeleteSchedule, Operation::DeleteBackup] {
            assert_eq!(refused(operation, 404, body).await.kind(), &ErrorKind::NotFound, "{body}");
        }
    }
}

#[tokio::test]
async fn a_schedule_or_a_blob_that_is_half_readable_is_not_read() {
    let mut half = configuration(&slot());
    half["properties"]["backupSchedule"]["frequencyUnit"] = json!(3);
    let error = refused(Operation::GetSchedule, 200, &half.to_string()).await;
    assert!(error.to_string().contains("the schedule's `frequencyUnit` cannot be read"), "{error}");
    for databases in [json!("all"), json!({"name": "orders"}), json!([{"name": 5}]), json!(["orders"])] {
        let body = json!({"properties": {"databases": databases}}).to_string();
        assert_eq!(refused(Operation::Discover, 200, &body).await.kind(), &ErrorKind::Ambiguous, "{body}");
    }
}

#[tokio::test]
async fn a_schedule_is_set_where_azure_answers_nothing_or_json_and_not_where_a_proxy_answers() {
    for (body, is_set) in [("", true), (r#"{"properties": {}}"#, true), (PROXY, false), ("[]", false)] {
        let server = Server::always(200, body).await;
        let set = arm(&server.url).put_schedule(&app(), &schedule_request()).await;
        assert_eq!((set.is_ok(), server.seen().len()), (is_set, 1), "{body}");
    }
}
