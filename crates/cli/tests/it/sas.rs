//! The SAS of storages, and of backups already taken.

use serde_json::Value;

use crate::command::Place;
use crate::simulated::simulate;

#[test]
fn the_sas_of_each_storage_is_checked_and_shown_by_its_fingerprint() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 2 --seed 7");
    let checked = place.json("sas check");
    let line = &checked["storages"][0];
    assert_eq!(
        (&line["storage"], &line["good"], &line["policies"]),
        (&"simulated".into(), &true.into(), &2.into())
    );
    assert_eq!(line["sas"]["fingerprint"].as_str().unwrap().len(), 12);
    let people = place.run("sas check simulated");
    assert_eq!(people.code, 0, "{}{}", people.out, people.err);
    assert!(people.out.contains("in 2 d") && people.out.contains("yes"), "{}", people.out);
    assert!(!people.out.contains("sig=") && !checked.to_string().contains("sig="));
    let unknown = place.run("sas check simulate");
    assert!(unknown.code == 2 && unknown.err.contains("did you mean `simulated`?"), "{}", unknown.err);
}

#[test]
fn a_request_replaces_the_sas_that_azure_keeps_with_a_backup() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 2 --seed 7");
    let app = place.json("apps discover")["apps"][0]["app"].as_str().unwrap().to_owned();
    let nothing = place.run(&format!("sas refresh {app} --all"));
    assert!(nothing.code == 2 && nothing.err.contains("the catalog has no backup"), "{}", nothing.err);
    let backup = place.json(&format!("backup {app} --wait"))[0]["backup_id"].clone();
    assert!(backup.is_i64(), "{backup}");
    let done = place.json(&format!("sas refresh {app} --all --wait --actor olga"));
    let run = &done[0];
    assert_eq!((&run["kind"], &run["outcome"]), (&"refresh_sas".into(), &"succeeded".into()), "{done}");
    let shown = place.json(&format!("runs show {}", run["id"].as_str().unwrap()));
    let events = shown["events"].as_array().unwrap();
    assert_eq!(events[0]["actor"], "olga");
    let replaced = |event: &Value| event["refresh"]["backup"] == backup;
    let replaced = events.iter().find(|event| replaced(event)).unwrap();
    assert_eq!(
        (&replaced["event"], &replaced["refresh"]["reason"]),
        (&"sas_refreshed".into(), &"asked".into())
    );
    // Asked for twice before anybody does it, it is done once.
    let line = format!("sas refresh {app} --backup {backup}");
    assert_eq!(place.json(&line).as_array().unwrap().len(), 1);
    let again = place.run(&line);
    assert!(again.code == 0 && again.err.contains("1 of these are under way already"), "{}", again.err);
}

#[test]
fn config_check_tells_the_same_of_a_sas_as_sas_check() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 2 --seed 7");
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let line = fleet.lines().find(|line| line.starts_with("sas = ")).unwrap();
    place.write("fleet.toml", &fleet.replace(line, "sas = { url = \"file:sas\" }"));
    let good = "sv=2022-11-02&sr=c&sp=rwdl&se=2999-01-01T00:00:00Z&sig=aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ%3D";
    for (sas, told) in [
        (good.replace("rwdl", "lwdr"), "storage takes each letter once and in the order `rwdl`"),
        (good.replace("sr=c", "ss=b&srt=o&sr=b"), "is for the objects of a storage account only"),
        (good.replace("%3D", ""), "has a sig of 43 letters that is no signature"),
        (good.replace("%3D", "%253D"), "its `sig` is percent-encoded twice"),
        (
            format!("https://other.blob.core.windows.net/backups?{good}"),
            "it is for the container https://other",
        ),
    ] {
        place.write("sas", &sas);
        for line in ["config check", "sas check --output json"] {
            let ended = place.run(line);
            assert_ne!(ended.code, 0, "{line}: {}{}", ended.out, ended.err);
            assert!(ended.out.contains(told), "{line}: {}{}", ended.out, ended.err);
            assert!(!ended.out.contains("aHVudGVy"), "{}", ended.out);
        }
    }
    // Only the test write can tell that nothing signed this one.
    place.write("sas", &format!("\"{}\"\r\n", good.replace('&', "\\u0026")));
    assert_eq!(place.run("config check").code, 0);
}
