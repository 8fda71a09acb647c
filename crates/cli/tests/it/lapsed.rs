//! A storage whose SAS has expired holds up what needs it, and nothing else.

use crate::command::Place;
use crate::simulated::simulate;

#[test]
fn one_expired_sas_is_named_and_the_rest_of_the_fleet_is_backed_up() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 2 --seed 7");
    place.write("old-sas", "sv=2022-11-02&sr=c&sp=racwdl&se=2025-02-01T00:00:00Z&sig=aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ%3D");
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let old = "[storage.old]\ncontainer = \"https://acct.blob.core.windows.net/old\"\nsas = { url = \"file:old-sas\" }\n";
    place.write("fleet.toml", &format!("{fleet}\n{old}"));

    let check = place.run("config check");
    assert!(
        check.code == 2 && check.out.contains("the SAS in `file:old-sas` expired at 2025-02-01T00:00:00Z"),
        "{}{}",
        check.out,
        check.err
    );
    let found = place.run("apps discover");
    assert_eq!(found.code, 0, "{}", found.err);
    let warning = "warning: storage.old is unusable: the SAS in `file:old-sas` expired at 2025-02-01T00:00:00Z; runs that \
                   need this storage fail until it is replaced\nhelp: put a new SAS in file:old-sas: ";
    assert!(found.err.contains(warning), "{}", found.err);
    let app = place.json("apps discover")["apps"][0]["app"].as_str().unwrap().to_owned();
    let done = place.json(&format!("backup {app} --wait"));
    assert_eq!(done[0]["outcome"], "succeeded", "{done}");
}
