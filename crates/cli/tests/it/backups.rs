//! Backups listed, held, deleted, adopted, verified and decided on by retention, against a simulated Azure.

use serde_json::Value;

use crate::command::Place;
use crate::simulated::{Simulate, simulate};

/// A simulated Azure, the name of one of its apps, and a backup of that app for each word of `stores`.
fn backed_up(seed: u32, stores: &[&str]) -> (Place, Simulate, String, Vec<i64>) {
    let place = Place::new();
    let azure = simulate(&place, &format!("--apps 3 --seed {seed}"));
    let name = place.json("apps discover")["apps"][0]["name"].as_str().unwrap().to_owned();
    let ids = stores.iter().map(|store| {
        let done = place.json(&format!("backup {name} --wait --store {store}.sqlite"));
        assert_eq!(done[0]["outcome"], "succeeded", "{done}");
        done[0]["backup_id"].as_i64().unwrap()
    });
    let ids = ids.collect();
    (place, azure, name, ids)
}

/// What one of the backups of a list says under `key`.
fn said<'l>(list: &'l Value, id: i64, key: &str) -> &'l Value {
    let backups = list["backups"].as_array().unwrap();
    &backups.iter().find(|backup| backup["backup_id"] == id).unwrap_or_else(|| panic!("{id}: {list}"))[key]
}

#[test]
fn a_held_backup_and_the_last_good_one_stay_and_another_is_deleted() {
    let (place, _azure, app, ids) = backed_up(7, &["holdfast", "holdfast"]);
    let (old, new) = (ids[0], ids[1]);
    let held = place.run(&format!("hold add {app} --backup {old} --reason lawsuit --actor ann"));
    assert_eq!((held.code, held.out), (0, format!("backup {old} of {app} is held\n")));
    assert_eq!(place.json("hold list")[0]["reason"], "lawsuit");
    let again = place.run(&format!("hold add {app} --backup {old} --reason audit"));
    assert!(again.code == 2 && again.err.contains("is held already: lawsuit\nhelp: "), "{}", again.err);
    assert_eq!(place.json("hold list")[0]["reason"], "lawsuit");
    let ended = place.run(&format!("backups delete {app} {old} --yes"));
    assert_eq!(
        (ended.code, ended.err),
        (
            2,
            format!(
                "error: backup {old} is held: lawsuit; `holdfast hold remove {app} --backup {old} --reason TEXT` removes the hold\n"
            )
        )
    );
    let unknown = place.run(&format!("hold add {app} --backup 1 --reason x"));
    assert!(unknown.code == 2 && unknown.err.contains("is not in the catalog"), "{}", unknown.err);

    assert_eq!(place.run(&format!("hold remove {app} --backup {old} --reason settled")).code, 0);
    let ended = place.run(&format!("backups delete {app} {old}"));
    assert_eq!(ended.code, 2);
    assert!(ended.err.starts_with("TO DELETE") && ended.err.contains("give --yes"), "{}", ended.err);
    let done = place.json(&format!("backups delete {app} {old} --yes --wait"));
    assert_eq!((&done[0]["kind"], &done[0]["outcome"]), (&"delete".into(), &"succeeded".into()));
    assert_eq!(done[0]["task"]["backup"], old, "{done}");

    let ended = place.run(&format!("backups delete {app} {new} --yes"));
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains(&format!("backup {new} is the only good one left")), "{}", ended.err);
    let list = place.json(&format!("backups list {app}"));
    assert_eq!(list["backups"].as_array().unwrap().len(), 1, "{list}");
    let list = place.json(&format!("backups list {app} --removed"));
    assert_eq!(
        (said(&list, old, "presence"), said(&list, new, "presence")),
        (&"removed".into(), &"known".into())
    );
    assert_eq!(said(&list, old, "removal")["deleted"], true);
    let people = place.run(&format!("backups list {app} --removed")).out;
    assert!(people.contains("deleted") && people.contains("Succeeded"), "{people}");
}

#[test]
fn a_sas_is_shown_only_on_request_and_the_audit_says_to_whom() {
    let (place, _azure, app, ids) = backed_up(8, &["holdfast"]);
    let line = format!("backups show {app} {}", ids[0]);
    let shown = place.json(&line);
    assert!(shown.get("storage_url").is_none() && !shown.to_string().contains("sig="), "{shown}");
    let revealed = place.run(&format!("{line} --reveal --actor ann"));
    assert_eq!(revealed.out.matches("sig=").count(), 1, "{}", revealed.out);
    assert!(
        revealed.err.contains("the URL is a secret") && !revealed.err.contains("sig="),
        "{}",
        revealed.err
    );
    let document = place.json(&format!("{line} --reveal --actor bob"));
    assert!(document["storage_url"].as_str().unwrap().contains("sig="), "{document}");
    let history = place.json(&format!("history {app}"));
    let actions = history["runs"].as_array().unwrap().iter().filter(|run| run["kind"] == "operator_action");
    let people: Vec<String> = actions
        .map(|run| place.json(&format!("runs show {}", run["id"].as_str().unwrap())))
        .map(|shown| format!("{} {}", shown["events"][0]["action"]["kind"], shown["events"][0]["actor"]))
        .collect();
    assert_eq!(people, ["\"revealed\" \"bob\"", "\"revealed\" \"ann\""]);
    let unknown = place.run(&format!("backups show {app} 1 --reveal"));
    assert!(
        unknown.code == 2 && unknown.err.contains("neither Azure nor the catalog has a backup 1"),
        "{}",
        unknown.err
    );
}

#[test]
fn a_backup_that_others_took_is_adopted_or_deleted_only_on_request() {
    // To this store, another store's backups are not its own.
    let (place, _azure, app, ids) = backed_up(9, &["holdfast", "other", "other"]);
    let (ours, first, second) = (ids[0], ids[1], ids[2]);
    let list = place.json(&format!("backups list {app}"));
    assert_eq!(
        (said(&list, ours, "presence"), said(&list, first, "presence")),
        (&"known".into(), &"only_in_azure".into())
    );
    let ended = place.run(&format!("backups delete {app} {first} --yes"));
    assert!(ended.code == 2 && ended.err.contains("give --foreign to delete it"), "{}", ended.err);
    let done = place.json(&format!("backups delete {app} {first} --yes --foreign --wait"));
    assert_eq!(done[0]["outcome"], "succeeded", "{done}");

    let adopted = place.json(&format!("backups adopt {app} {second}"));
    assert_eq!((&adopted["taken_over"][0], &adopted["storage"]), (&second.into(), &"simulated".into()));
    let list = place.json(&format!("backups list {app}"));
    assert_eq!(
        (said(&list, second, "presence"), said(&list, second, "origin")),
        (&"known".into(), &"taken_over".into())
    );
    let again = place.run(&format!("backups adopt {app} {second}"));
    assert!(again.code == 2 && again.err.contains("in the catalog already"), "{}", again.err);
    let nowhere = place.run(&format!("backups adopt {app} {first} --storage nowhere"));
    assert_eq!(nowhere.code, 2, "{}", nowhere.err);

    // The other store finds one of its backups lost and the other one complete.
    let verified = place.run(&format!("verify {app} --store other.sqlite"));
    assert_eq!(verified.code, 1, "{}{}", verified.out, verified.err);
    assert!(verified.out.contains("azure no longer lists it"), "{}", verified.out);
    assert!(
        verified.out.ends_with("2 backups of 1 app: 1 verified, 1 lost, 0 could not be checked\n"),
        "{}",
        verified.out
    );
    assert!(
        verified.out.contains(&format!("\nto do: `holdfast backup {app}` takes a new one\n")),
        "{}",
        verified.out
    );
    // A lost backup stays visible, with what to do next.
    let list = place.json(&format!("backups list {app} --store other.sqlite"));
    assert_eq!(said(&list, first, "removal")["deleted"], false);
    assert_eq!(
        (said(&list, first, "presence"), said(&list, second, "problem")),
        (&"lost".into(), &Value::Null)
    );
    assert_eq!(said(&list, first, "problem")["kind"], "lost");
    assert!(said(&list, second, "verified_at").is_string());
    let next = format!("to do: `holdfast backup {app}` takes a new one");
    let people = place.run(&format!("backups list {app} --store other.sqlite")).out;
    assert!(people.contains(&format!("1 backup lost ({first}): lost since ")), "{people}");
    assert!(people.contains(&next), "{people}");
    let shown = place.run(&format!("backups show {app} {first} --store other.sqlite")).out;
    assert!(shown.contains("Azure no longer lists it") && shown.contains("takes a new one"), "{shown}");
    let again = place.run("verify --all --store other.sqlite");
    let told = "1 backup of 1 app: 1 verified, 0 lost, 0 could not be checked; 1 found lost in the last week: see \
                `holdfast backups list`\n";
    assert_eq!((again.code, again.out.as_str()), (0, told));
}

#[test]
fn a_failed_check_counts_as_unchecked_and_marks_nothing_lost() {
    let (place, azure, app, ids) = backed_up(10, &["holdfast"]);
    drop(azure);
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    place.write("fleet.toml", &fleet.replace("[engine]\n", "[engine]\ncall_timeout = \"1s\"\n"));
    let ended = place.run(&format!("verify {app} --output json"));
    assert_eq!(ended.code, 1, "{}", ended.err);
    let verified: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!((&verified["lost"], &verified["unchecked"]), (&0.into(), &1.into()), "{verified}");
    assert!(
        said(&verified, ids[0], "detail").as_str().unwrap().contains("list the backups of"),
        "{verified}"
    );
    let kept = place.json(&format!("retention {app}"));
    assert_eq!(said(&kept["apps"][0], ids[0], "backup_id"), ids[0], "it is still in the catalog");
}

#[test]
fn retention_shows_what_would_be_deleted_and_why_the_others_are_kept() {
    let (place, _azure, app, ids) = backed_up(11, &["holdfast", "holdfast"]);
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let rule = "]\nretention = { days = 0, keep_at_least = 1 }\n";
    place.write(
        "fleet.toml",
        &fleet
            .replace("[policy.gold]\n", &format!("[policy.gold{rule}"))
            .replace("[policy.silver]\n", &format!("[policy.silver{rule}")),
    );
    let told = place.json(&format!("retention {app}"));
    let of = &told["apps"][0];
    assert_eq!(
        (said(of, ids[0], "retention"), said(of, ids[1], "retention")),
        (&"delete".into(), &"last_good".into()),
        "{told}"
    );
    assert_eq!(of["rule"]["dry_run"], true);
    let people = place.run(&format!("retention {app}")).out;
    assert!(people.contains("1 of 2 backups would be deleted, but its rule is a dry run"), "{people}");
    let policy = of["policy"].as_str().unwrap();
    assert_eq!(place.json(&format!("retention --policy {policy}"))["apps"].as_array().unwrap().len(), 1);
    let unknown = place.run("retention --policy bronze");
    assert!(unknown.code == 2 && unknown.err.contains("there are: gold, silver"), "{}", unknown.err);
}
