//! Apps are selected by what they have in common, and steered from the command line.

use serde_json::json;

use crate::command::{Ended, Place};
use crate::documented::assert_shown;

/// A place with the store and the fleet file that a demo of ten apps left.
fn after_a_demo() -> Place {
    let place = Place::new();
    let demo = place.run("demo --apps 10 --seed 3 --dir demo --listen none");
    assert_eq!(demo.code, 0, "{}{}", demo.out, demo.err);
    place
}

fn run(place: &Place, line: &str) -> Ended {
    place.run(&format!("{line} --store demo/holdfast.sqlite --fleet demo/fleet.toml"))
}

fn json(place: &Place, line: &str) -> serde_json::Value {
    serde_json::from_str(&run(place, &format!("{line} --output json")).out).unwrap()
}

#[test]
fn people_back_up_cancel_retry_pause_and_resume_what_they_select() {
    let place = after_a_demo();
    let checked = run(&place, "check");
    assert!(checked.code == 0 && checked.out.starts_with("HOLDFAST OK - 10 apps: "), "{}", checked.out);

    let asked = run(&place, "backup --all");
    assert!(asked.code == 2 && asked.err.contains("give --yes"), "{}", asked.err);
    let added = json(&place, "backup --all --yes");
    assert_eq!(added.as_array().unwrap().len(), 10, "{added}");
    let again = run(&place, "backup --all --yes");
    assert!(again.code == 0 && again.err.contains("10 apps with a run under way: left out"), "{}", again.err);

    let (gold, all) =
        ("runs cancel --policy gold --reason test --yes", "runs cancel --all --reason test --yes");
    let few = json(&place, gold).as_array().unwrap().len();
    let rest = json(&place, all).as_array().unwrap().len();
    assert!(few > 0 && rest > 0 && few + rest == 10, "{few} of gold, and {rest}");
    let id = added[0]["id"].as_str().unwrap();
    let twice = run(&place, &format!("runs cancel {id} --reason test --yes"));
    assert!(twice.code == 1 && twice.out.contains("refused"), "{}", twice.out);
    let cancelled = run(&place, &format!("runs acknowledge {id} --note seen"));
    assert!(cancelled.code == 2 && cancelled.err.contains("was cancelled by a person"), "{}", cancelled.err);
    let nothing = run(&place, "runs retry --all --yes");
    assert!(nothing.code == 0 && nothing.err.contains("nothing is to do"), "{}", nothing.err);

    let paused = json(&place, "apps pause --tag Backup=gold --for 8h --reason test --yes");
    assert_eq!(paused["apps"].as_array().unwrap().len(), few);
    assert_eq!(
        run(&place, "apps resume --all --reason test --yes").code,
        2,
        "some are not paused, so none resumes"
    );
    assert_eq!(json(&place, "apps resume --policy gold --reason test --yes")["resumed"], json!(true));
    let gold = json(&place, "check --tag backup=gold --tag backup");
    assert_eq!(gold["apps"], json!(few));
    let none = run(&place, "check --tag backup=none");
    assert!(
        none.code == 3 && none.out.contains("no app of the fleet has the tag `backup=none`"),
        "{}",
        none.out
    );
    let paused = run(&place, "policies pause gold --for 8h --why release --yes");
    assert!(paused.code == 0 && paused.out.starts_with(&format!("{few} apps paused")), "{}", paused.out);
    assert!(paused.err.contains("an app that joins the policy later is not paused"), "{}", paused.err);
    let line = "policies pause gold --for 8h --reason release --yes";
    assert_shown(line, &format!("{}{}", paused.out, paused.err));
    let resumed = json(&place, "policies resume gold --why released --yes");
    assert_eq!(resumed["apps"].as_array().unwrap().len(), few);
    for (line, said) in [
        ("runs retry --tag =gold --yes", "expected a tag such as `team=shop`"),
        ("policies resume gold --reason again --yes", "no app under policy `gold` is paused by a person"),
        ("policies pause gild --for 8h --reason test --yes", "no app of the fleet is selected"),
        ("policies pause gold --for 8h --reason test", "give --yes"),
        ("apps pause --match nothing --for 8h --reason test --yes", "no app of the fleet is selected"),
        ("apps pause --all --for 400d --reason test --yes", "a pause lasts a year at most"),
        ("runs retry --state broken --yes", "invalid value 'broken'"),
        ("runs retry", "required arguments"),
    ] {
        let ended = run(&place, line);
        assert!(ended.code == 2 && ended.err.contains(said), "{line}: {}", ended.err);
    }
}
