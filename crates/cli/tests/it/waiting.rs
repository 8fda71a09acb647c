//! The command that waits for a blocked run shows why it is blocked, and ends where waiting cannot help.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::command::{Place, command};
use crate::simulated::{Simulate, simulate};

/// A simulated Azure, and an app of a policy in the fleet file.
fn app(place: &Place) -> (Simulate, String) {
    let azure = simulate(place, "--apps 2 --seed 7");
    let app = place.json("apps discover")["apps"][0]["app"].as_str().unwrap().to_owned();
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    place.write("fleet.toml", &format!("{fleet}\n[[app]]\nid = \"{app}\"\npolicy = \"gold\"\n"));
    (azure, app)
}

#[test]
fn a_backup_that_waits_for_its_credential_says_why_and_where_to_look() {
    let place = Place::new();
    let (_azure, app) = app(&place);
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let others = fleet.lines().filter(|line| !line.starts_with("authority"));
    let moved: Vec<&str> = others
        .flat_map(|line| {
            let authority = (line == "[azure]").then_some("authority = \"http://127.0.0.1:9\"");
            [Some(line), authority].into_iter().flatten()
        })
        .collect();
    place.write("fleet.toml", &moved.join("\n"));
    let line = format!("backup {app} --wait");
    let mut child =
        command(&place.path(""), &line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let waits = lines.find(|line| line.contains("tries again in")).unwrap();
    assert!(waits.starts_with("backup of ") && waits.contains("no token"), "{waits}");
    let help = lines.next().unwrap();
    assert!(help.starts_with("help: `holdfast doctor`"), "{help}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_backup_whose_credential_is_refused_for_good_ends_with_the_number_and_the_cure() {
    let place = Place::new();
    let (_azure, app) = app(&place);
    place.write("client-secret", "not this one");
    let ended = place.run(&format!("backup {app} --wait"));
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.out.contains("credential_refused"), "{}", ended.out);
    let said = ended.err.lines().find(|line| line.starts_with("backup of ")).unwrap();
    assert!(said.contains("AADSTS7000215") && said.contains("must point to its value"), "{said}");
}
