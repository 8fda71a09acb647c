//! Microsoft's own SDK reads every answer of the simulator, for sites and slots, and the bodies of `az` are taken.

use std::path::Path;
use std::process::Command;

use holdfast_tests::service;

use crate::command::Place;
use crate::simulated::simulate;

#[test]
fn the_sdk_reads_every_answer_of_the_simulator() {
    let Some(python) = service("HOLDFAST_TEST_AZURE_SDK") else { return };
    let place = Place::new();
    let _azure = simulate(&place, "--apps 5 --seed 7");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/azure_sdk/client.py");
    let walked = Command::new(python).arg(script).arg(place.path("")).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(walked.status.success(), "{}{}", text(&walked.stdout), text(&walked.stderr));
}
