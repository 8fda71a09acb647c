//! The command that waits for a blocked run shows why it is blocked.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::command::{Place, command};
use crate::simulated::simulate;

#[test]
fn a_backup_that_waits_for_its_credential_says_why_and_where_to_look() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 2 --seed 7");
    let app = place.json("apps discover")["apps"][0]["app"].as_str().unwrap().to_owned();
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    place.write("fleet.toml", &format!("{fleet}\n[[app]]\nid = \"{app}\"\npolicy = \"gold\"\n"));
    place.write("client-secret", "not this one");
    let line = format!("backup {app} --wait");
    let mut child =
        command(&place.path(""), &line).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let waits = lines.find(|line| line.contains("tries again in")).unwrap();
    assert!(waits.starts_with("backup of ") && waits.contains("AADSTS7000215"), "{waits}");
    let help = lines.next().unwrap();
    assert!(help.starts_with("help: `holdfast doctor`"), "{help}");
    child.kill().unwrap();
    child.wait().unwrap();
}
