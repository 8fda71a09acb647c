//! Azure's own schedules, pushed, shown, compared with the policies and removed.

use serde_json::Value;

use crate::command::Place;
use crate::simulated::simulate;

/// A simulated Azure whose policies ask for a schedule of Azure's own, and the name of one of its apps.
fn scheduled(place: &Place) -> String {
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let asked = "]\nnative_schedule = { every = \"7 days\", retention_days = 14 }\n";
    let fleet = fleet.replace("[policy.gold]\n", &format!("[policy.gold{asked}"));
    place.write("fleet.toml", &fleet.replace("[policy.silver]\n", &format!("[policy.silver{asked}")));
    assert_eq!(place.run("migrate").code, 0);
    place.json("apps discover")["apps"][0]["name"].as_str().unwrap().to_owned()
}

/// The backup that Azure takes when a schedule is enabled, once it is whole: it shows in the list some seconds later.
fn fired(place: &Place, app: &str) -> Value {
    let looks = std::iter::repeat_with(|| place.json(&format!("backups list {app}"))["backups"][0].clone());
    let mut looks = looks.take(1_000).filter(|backup| backup["status"] == "Succeeded");
    looks.next().unwrap_or_else(|| panic!("Azure took no backup of {app}"))
}

#[test]
fn a_schedule_is_pushed_after_a_confirmation_and_drift_from_it_shows() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 2 --seed 12");
    let app = scheduled(&place);
    let ended = place.run(&format!("native-schedule drift {app}"));
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.out.contains("Azure has no schedule"), "{}", ended.out);

    let ended = place.run(&format!("native-schedule push {app}"));
    assert_eq!(ended.code, 2, "nobody agreed");
    assert!(ended.err.contains("Azure takes a backup at once when a schedule is enabled"), "{}", ended.err);
    assert_eq!(place.json(&format!("native-schedule show {app}"))[0]["schedule"], Value::Null);
    let done = place.json(&format!("native-schedule push {app} --yes --wait"));
    assert_eq!((&done[0]["kind"], &done[0]["outcome"]), (&"push_schedule".into(), &"succeeded".into()));

    let shown = place.json(&format!("native-schedule show {app}"));
    let schedule = &shown[0]["schedule"];
    assert_eq!((&schedule["every"], &schedule["unit"]), (&7.into(), &"Day".into()), "{shown}");
    assert!(!shown.to_string().contains("sig="), "{shown}");
    assert_eq!(shown[0]["sas"]["fingerprint"].as_str().map(str::len), Some(12), "{shown}");
    let people = place.run(&format!("native-schedule show {app}")).out;
    assert!(people.contains("every 7 days, kept 14 days, the last one always"), "{people}");
    assert!(people.contains("expires 20"), "{people}");
    assert_eq!(place.run(&format!("native-schedule drift {app}")).code, 0);

    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    place.write("fleet.toml", &fleet.replace("7 days", "1 day"));
    let drift = place.json(&format!("native-schedule drift {app}"));
    assert_eq!(drift[0]["drift"][0], "frequency is 7 Day and should be 1 Day", "{drift}");
    let all = place.run("native-schedule drift --all");
    assert_eq!(all.code, 1, "{}{}", all.out, all.err);

    let fired = fired(&place, &app);
    assert_eq!((&fired["made_by"], &fired["presence"]), (&"azure_schedule".into(), &"only_in_azure".into()));
    let ended = place.run(&format!("backups adopt {app} {}", fired["backup_id"]));
    assert_eq!(ended.code, 2, "{}", ended.out);
    assert!(ended.err.contains("and deletes it by its own rule"), "{}", ended.err);

    let asked = place.run("native-schedule remove --all");
    assert!(asked.code == 2 && asked.err.contains("TO REMOVE"), "{}", asked.err);
    assert_eq!(asked.err.matches("every 7 days, kept 14 days").count(), 1, "{}", asked.err);
    let done = place.json("native-schedule remove --all --yes --wait");
    assert_eq!((done.as_array().unwrap().len(), &done[0]["outcome"]), (1, &"succeeded".into()), "{done}");
    let nothing = place.run("native-schedule remove --all --yes");
    assert!(nothing.code == 0 && nothing.err.starts_with("nothing to remove"), "{}", nothing.err);
    assert_eq!(place.json(&format!("native-schedule show {app}"))[0]["schedule"], Value::Null);
}

#[test]
fn an_app_whose_policy_asks_for_no_schedule_is_pushed_none() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 2 --seed 13");
    assert_eq!(place.run("migrate").code, 0);
    let app = place.json("apps discover")["apps"][0]["name"].as_str().unwrap().to_owned();
    let ended = place.run(&format!("native-schedule push {app} --yes"));
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("has no `native_schedule`"), "{}", ended.err);
    assert_eq!(place.run("native-schedule push --all --yes").code, 2);
    let drift = place.run("native-schedule drift --all");
    assert_eq!((drift.code, drift.out.as_str()), (0, "no policy of these apps has `native_schedule`\n"));
}
