//! From a simulated Azure to the tables: discover, back up, look.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::command::{Place, command};

/// A running `holdfast simulate`, ended with its guard.
pub struct Simulate(Child);

impl Drop for Simulate {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it, and waits for the document that says that it serves.
pub fn simulate(place: &Place, line: &str) -> Simulate {
    let line = format!("simulate {line} --dir . --output json");
    let mut child = command(&place.path(""), &line).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let document: String = lines.by_ref().map(Result::unwrap).take_while(|line| line != "}").collect();
    assert!(document.contains("\"endpoint\": \"http://127.0.0.1:"), "{document}");
    Simulate(child)
}

#[test]
fn what_the_simulation_writes_is_found_backed_up_and_shown() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 5 --seed 7");
    let check = place.json("config check");
    assert_eq!(check["problems"].as_array().unwrap().len(), 0, "{check}");

    let found = place.json("apps discover");
    let apps = found["apps"].as_array().unwrap();
    assert_eq!((apps.len(), &found["unprotected"]), (5, &0.into()));
    assert!(apps.iter().all(|app| app["via"]["rule"].is_u64()), "{found}");

    // A listed app is backed up without anything running before.
    let id = apps[0]["app"].as_str().unwrap();
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    place.write("fleet.toml", &format!("{fleet}\n[[app]]\nid = \"{id}\"\npolicy = \"gold\"\n"));
    let ended = place.run(&format!("backup {id} --wait"));
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    let done: Value = place.json(&format!("backup {id} --wait"));
    let run = done[0]["run_id"].as_str().unwrap();
    let shown = place.json(&format!("runs show {run}"));
    assert_eq!((&shown["run"]["outcome"], &shown["run"]["state"]), (&"succeeded".into(), &"ended".into()));
    let events: Vec<_> =
        shown["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!((events.first(), events.last()), (Some(&"planned"), Some(&"ended")));
    let people = place.run(&format!("runs show {run}")).out;
    assert!(people.contains("succeeded") && people.contains("attempt_started"), "{people}");
    for secret in ["client-secret", "storage-key"] {
        let secret = std::fs::read_to_string(place.path(secret)).unwrap();
        assert!(!people.contains(&secret) && !shown.to_string().contains(&secret));
    }
    assert!(!shown.to_string().contains("sig="));
}

#[test]
fn where_one_of_the_apps_cannot_be_backed_up_none_is() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 1 --seed 7");
    let found = place.json("apps discover");
    let app = found["apps"][0]["app"].as_str().unwrap();
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    place.write("fleet.toml", &format!("{fleet}\n[[app]]\nid = \"{app}-old\"\n"));
    assert_eq!(place.run("migrate").code, 0);
    let ended = place.run(&format!("backup {app} {app}-old"));
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("-old is in no policy"), "{}", ended.err);
    // Named twice, it is backed up once: this is all that was ever added.
    assert_eq!(place.run(&format!("backup {app} {app}")).code, 0);
    assert_eq!(place.json(&format!("history {app}"))["runs"].as_array().unwrap().len(), 1);
}
