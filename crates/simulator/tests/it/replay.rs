//! A seed replays: the same requests at the same times give the same bytes.

use holdfast_simulator::{Azure, Config, Faults, Fleet, Method, Pace, Request};

use serde_json::{Value, json};

use crate::support::*;

fn everything() -> Faults {
    Faults {
        timed_out: 0.1,
        skipped: 0.1,
        partial: 0.1,
        lost_post_answer: 0.1,
        throttle: 0.1,
        slow: 0.1,
        garbage: 0.2,
        gateway: 0.1,
        odd_refusal: 0.1,
        unreadable_list: 0.1,
        databases_dropped: 0.1,
        delete_failed: 0.2,
        deleted_lingers: 0.2,
        restore_failed: 0.3,
        ..Faults::none()
    }
}

/// All that a caller sees of 400 calls.
fn transcript(seed: u64) -> Vec<String> {
    let fleet = Fleet::generate(20, seed);
    let apps: Vec<_> = fleet.apps().cloned().collect();
    let mut azure =
        Azure::new(Config { faults: everything(), pace: Pace::demo(), ..Config::new(fleet) }, seed).unwrap();
    let mut rng = fastrand::Rng::with_seed(99);
    let mut last = (apps[0].clone(), 0);
    (0..400)
        .map(|i| {
            let app = &apps[rng.usize(..apps.len())];
            let post = |path: &str, properties: Value| {
                let post = request(Method::Post, &format!("{app}/{path}"));
                post.with_body(json!({ "properties": properties }).to_string())
            };
            let request = match rng.u8(..6) {
                3 => request(Method::Delete, &format!("{}/backups/{}", last.0, last.1)),
                4 => post(
                    "restoreFromBackupBlob",
                    json!({"storageAccountUrl": good_url(), "blobName": "hf-1.zip", "overwrite": true}),
                ),
                5 => post("config/backup/list", Value::Null),
                0 => post_backup(app, &format!("hf-{i}"), &good_url()),
                1 => get(&format!("{app}/backups")),
                _ => Request::new(Method::Get, "/acct/backups?restype=container&comp=list"),
            };
            let answer = call(&mut azure, after(i), request);
            let body = String::from_utf8(answer.body.clone()).unwrap();
            let id =
                serde_json::from_str(&body).ok().and_then(|body: Value| body["properties"]["id"].as_i64());
            if let Some(id) = id.filter(|_| answer.status == 200) {
                last = (app.clone(), id);
            }
            format!("{} {:?} {:?} {body}", answer.status, answer.delivery, answer.headers)
        })
        .collect()
}

#[test]
fn the_same_seed_and_requests_give_the_same_bytes_and_another_seed_others() {
    assert_eq!(transcript(7), transcript(7));
    assert_ne!(transcript(7), transcript(8));
}

#[test]
fn a_seed_decides_what_befalls_the_same_fleet() {
    let ended = |seed| {
        let mut azure = Azure::new(config(), seed).unwrap();
        let id = started(&mut azure, start(), &app("shop"), "hf-1");
        shown(&mut azure, after(3_000), &app("shop"), id)["finishedTimeStamp"].clone()
    };
    assert_eq!(ended(1), ended(1));
    assert_ne!(ended(1), ended(2));
}

/// What befalls an app follows from its own attempts, so a fleet can be driven by many tasks and still be compared.
#[test]
fn an_apps_ends_do_not_depend_on_what_others_do() {
    let ends = |others: bool| {
        let config = Config {
            faults: Faults {
                throttle: 0.0,
                garbage: 0.0,
                gateway: 0.0,
                odd_refusal: 0.0,
                unreadable_list: 0.0,
                lost_post_answer: 0.0,
                slow: 0.0,
                ..everything()
            },
            ..config()
        };
        let mut azure = Azure::new(config, 3).unwrap();
        let mut seen = Vec::new();
        for i in 0..30 {
            if others {
                started(&mut azure, after(i * 9_000), &app("api"), &format!("hf-other-{i}"));
                call(&mut azure, after(i * 9_000), get(&app("shop").to_string()));
            }
            let id = started(&mut azure, after(i * 9_000), &app("shop"), &format!("hf-{i}"));
            let properties = shown(&mut azure, after(i * 9_000 + 8_000), &app("shop"), id);
            seen.push((properties["status"].clone(), properties["sizeInBytes"].clone()));
        }
        seen
    };
    assert_eq!(ends(false), ends(true));
}

#[test]
fn time_that_goes_back_undoes_nothing() {
    let mut azure = azure();
    let id = started(&mut azure, start(), &app("shop"), "hf-1");
    let mut status = |at| shown(&mut azure, at, &app("shop"), id)["status"].as_str().unwrap().to_owned();
    let begun = (0..3_000).find(|second| status(after(*second)) == "InProgress");
    assert!(begun.is_some());
    assert_eq!(status(start()), "InProgress");
    assert_eq!(status(after(3_000)), "Succeeded");
    assert_eq!(status(start()), "Succeeded");
}

#[test]
fn no_debug_output_holds_a_secret() {
    let mut azure = azure();
    let request = post_backup(&app("shop"), "hf-1", &good_url()).with_header("authorization", "Bearer hush");
    let answer = call(&mut azure, start(), request.clone());
    assert!(String::from_utf8_lossy(&answer.body).contains("sig="));
    let token = token(&mut azure, start());
    let text = format!(
        "{request:?} {answer:?} {azure:?} {:?} {:?} {:?}",
        config(),
        azure.counters(),
        azure.accepted_posts()
    );
    for secret in ["sig=", "hush", token.as_str(), "not-a-secret"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
