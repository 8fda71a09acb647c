//! The dead letters of a real broker, by the API of a server and by commands that ask it.

use holdfast_tests::postgres::Database;
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::api_description::Serving;
use crate::command::{Ended, Place, command};
use crate::simulated::simulate;

/// The letters by the API, once there are so many; each with its id and the size of its body.
fn letters(serving: &Serving, count: usize) -> Vec<(String, u64)> {
    loop {
        let (status, found) = serving.ask("GET /dead-letters", None);
        assert_eq!(status, 200, "{found}");
        let letters = found["value"].as_array().unwrap();
        let of =
            |letter: &Value| (letter["id"].as_str().unwrap().to_owned(), letter["size"].as_u64().unwrap());
        if letters.len() == count {
            assert!(letters.iter().all(|letter| letter["reason"] == "rejected"), "{found}");
            return letters.iter().map(of).collect();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_a_broker_are_listed_sent_again_and_removed_by_a_server() {
    let (Some(database), Some(broker)) = (Database::new().await, VirtualHost::new()) else { return };
    let (place, elsewhere) = (Place::new(), Place::new());
    let _azure = simulate(&place, "--apps 1 --seed 7");
    place.write("database", database.url().expose_secret());
    place.write("broker", broker.url().expose_secret());
    let [database, queue] = ["database", "broker"].map(|name| place.path(name).display().to_string());
    let options = format!("--database-url file:{database} --amqp-url file:{queue}");
    let migrated = place.run(&format!("migrate {options}"));
    assert_eq!(migrated.code, 0, "{}", migrated.err);
    let serving = Serving::start_with(&place, &options);
    let there = |line: &str| {
        let mut command = command(&elsewhere.path(""), line);
        command.env("HOLDFAST_SERVER", format!("http://{}", serving.address));
        command.env("HOLDFAST_TOKEN", &serving.token);
        Ended::from(command.output().unwrap())
    };

    broker.publish("holdfast.normal", b"unread");
    broker.publish("holdfast.urgent", b"unreadable");
    let both = letters(&serving, 2);
    let id = |size: u64| both.iter().find(|(_, of)| *of == size).unwrap().0.clone();
    let (short, long) = (id(6), id(10));
    let (status, shown) = serving.ask(&format!("GET /dead-letters/{long}"), None);
    assert_eq!(
        (status, &shown["body"], &shown["letter"]["queue"]),
        (200, &json!("unreadable"), &json!("holdfast.urgent"))
    );
    let listed = there("dead-letters list");
    assert!(
        listed.code == 0 && listed.out.contains(&short) && listed.out.contains(&long),
        "{}{}",
        listed.out,
        listed.err
    );

    // What is sent again dies again, because no worker can read it.
    let sent = serving.ask("POST /dead-letters/retry", Some(&json!({ "letter": short })));
    assert_eq!(sent, (200, json!({ "letters": 1 })));
    letters(&serving, 2);
    let again = there("dead-letters retry --all");
    assert_eq!(again.code, 0, "{}", again.err);
    let both = letters(&serving, 2);
    let long = &both.iter().find(|(_, size)| *size == 10).unwrap().0;
    let dropped = there(&format!("dead-letters drop {long}"));
    assert_eq!(dropped.code, 0, "{}", dropped.err);
    assert_eq!(letters(&serving, 1)[0].1, 6);
    let dropped = serving.ask("POST /dead-letters/drop", Some(&json!({ "all": true })));
    assert_eq!(dropped, (200, json!({ "letters": 1 })));
    letters(&serving, 0);
    let (status, gone) = serving.ask(&format!("GET /dead-letters/{long}"), None);
    assert_eq!(status, 404, "{gone}");
    let (_, acts) = serving.ask("GET /audit", None);
    let said = acts.to_string();
    for (kind, count) in [("dead_letters_retried", 2), ("dead_letters_dropped", 2)] {
        assert_eq!(said.matches(&format!("\"{kind}\"")).count(), count, "{kind}: {said}");
    }
}
