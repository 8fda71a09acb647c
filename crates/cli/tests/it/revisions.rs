//! A running process takes up revisions of the fleet, over the program's own commands.

use std::time::Duration;

use holdfast_model::{Clock as _, SystemClock};
use serde_json::Value;

use crate::command::{FLEET, Place};
use crate::listener::Running;
use crate::simulated::simulate;

/// Within this, every process takes up a revision; it looks every two seconds.
const TAKEN_UP: Duration = Duration::from_secs(10);

/// Asks `status` until it says what is waited for.
fn wait(place: &Place, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let clock = SystemClock::default();
    loop {
        let status = place.json("status");
        if is_so(&status) {
            return status;
        }
        assert!(clock.elapsed() < TAKEN_UP * 3, "not {what}: {status:#}");
    }
}

fn policy_of<'s>(status: &'s Value, app: &str) -> Option<&'s str> {
    let apps = status["apps"].as_array().unwrap();
    apps.iter().find(|status| status["app"] == app)?["policy"].as_str()
}

#[test]
fn a_running_process_takes_up_what_is_applied_keeps_its_fleet_where_it_cannot_and_goes_back() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 3 --seed 7");
    let app = place.json("apps discover")["apps"][0]["app"].as_str().unwrap().to_owned();
    let head = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let with = |policy: &str| format!("{head}\n[[app]]\nid = \"{app}\"\npolicy = \"{policy}\"\n");
    place.write("fleet.toml", &with("gold"));
    let _running = Running::start(&place, "");
    wait(&place, "enrolled", |status| policy_of(status, &app) == Some("gold"));

    place.write("new.toml", &with("silver"));
    let dry = place.run("apply -f new.toml --dry-run");
    assert!(dry.code == 0 && dry.out.contains("1 app moved to another policy"), "{}{}", dry.out, dry.err);
    assert!(place.run("apply -f new.toml").err.contains("give --yes"));
    let made = place.json("apply -f new.toml --yes --why release");
    assert_eq!((&made["revision"]["number"], &made["replaces"]), (&1.into(), &Value::Null), "{made:#}");
    let clock = SystemClock::default();
    let status = wait(&place, "under silver", |status| policy_of(status, &app) == Some("silver"));
    let took = clock.elapsed();
    assert!(took < TAKEN_UP, "{took:?}");
    assert_eq!((&status["revision"], &status["processes"][0]["revision"]), (&1.into(), &1.into()));
    let note = status["processes"][0]["file_note"].as_str().unwrap();
    assert!(note.contains("differs from revision 1"), "{note}");

    place.write("shrunk.toml", head.split("[[discover]]").next().unwrap());
    let refused = place.run("apply -f shrunk.toml --yes");
    assert!(
        refused.code == 1 && refused.err.contains("--allow-removals 3"),
        "{}{}",
        refused.out,
        refused.err
    );

    let unreadable = with("gold").replace("storage-key", "no-such-key");
    place.write("new.toml", &unreadable);
    assert_eq!(place.run("apply -f new.toml --yes").code, 0);
    let behind = wait(&place, "refused", |status| status["processes"][0]["revision_error"].is_string());
    let error = behind["processes"][0]["revision_error"].as_str().unwrap();
    assert!(error.contains("revision 2 cannot be used here") && error.contains("sas.key"), "{error}");
    assert_eq!((policy_of(&behind, &app), &behind["processes"][0]["revision"]), (Some("silver"), &1.into()));
    assert!(place.run("status").out.contains("has not taken up the newest revision"));

    assert_eq!(place.run("revisions rollback 1 --yes").code, 0);
    let back = wait(&place, "back", |status| status["processes"][0]["revision"] == 3);
    assert_eq!(back["processes"][0]["revision_error"], Value::Null);
    let list = place.json("revisions list");
    let rows: Vec<_> =
        list.as_array().unwrap().iter().map(|row| (&row["number"], &row["rolled_back_to"])).collect();
    assert_eq!(rows, [(&3.into(), &1.into()), (&2.into(), &Value::Null), (&1.into(), &Value::Null)]);
    assert_eq!(place.run("revisions show 3").out.trim_end(), with("silver").trim_end());
    assert_eq!(place.run("revisions diff 1 3").out.trim_end(), "nothing changes for the fleet");
    assert!(place.run("audit export").out.contains("revision_applied"));
}

#[test]
fn a_fleet_of_several_files_changes_with_them_and_goes_back_to_all_of_them() {
    let place = Place::new();
    std::fs::create_dir(place.path("fleet")).unwrap();
    let app = |name: &str, more: &str| {
        let id = format!("/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/{name}");
        format!("[[app]]\nid = \"{id}\"\npolicy = \"gold\"\n{more}")
    };
    place.write("fleet/0.toml", FLEET);
    place.write("fleet/a.toml", &app("shop", ""));
    place.write("fleet/b.toml", &app("wiki", ""));
    let apply = |more: &str| place.run(&format!("apply --file fleet --yes {more}"));
    assert_eq!(apply("").code, 0);
    place.write("fleet/a.toml", &app("shop", "paused = true\n"));
    let changed = apply("").out;
    assert!(
        changed.contains("1 app paused by the file: shop") && changed.contains("revision 2 is made"),
        "{changed}"
    );
    std::fs::rename(place.path("fleet/b.toml"), place.path("fleet/c.toml")).unwrap();
    let renamed = apply("").out;
    assert!(renamed.starts_with("nothing changes for the fleet\nrevision 3 is made"), "{renamed}");

    assert_eq!(place.run("config check --fleet fleet --no-secrets").code, 0);
    std::fs::remove_file(place.path("fleet/c.toml")).unwrap();
    let gone = apply("");
    assert!(gone.code == 1 && gone.err.contains("--allow-removals 1"), "{}{}", gone.out, gone.err);
    assert_eq!(apply("--allow-removals 1").code, 0);
    let diff = place.run("revisions diff 3 4").out;
    assert!(diff.starts_with("1 app lost, so that their backups end\n    wiki: gold -> -"), "{diff}");
    assert_eq!(place.run("revisions rollback 1 --yes").code, 0);
    let back = place.run("revisions show 5").out;
    assert_eq!(back, place.run("revisions show 1").out);
    assert!(back.contains("#:file a.toml\n") && back.contains("#:file b.toml\n"), "{back}");

    place.write("named.toml", &format!("include = [\"fleet/a.toml\", \"fleet/d.toml\"]\n{FLEET}"));
    place.write("fleet/d.toml", &app("till", ""));
    assert_eq!(place.run("config check --fleet named.toml --no-secrets").code, 0);
    std::fs::remove_file(place.path("fleet/d.toml")).unwrap();
    let lost = place.run("apply --file named.toml --yes");
    assert!(lost.code == 2 && lost.err.contains("`fleet/d.toml`, which no file matches"), "{}", lost.err);
    assert_eq!(lost.err.matches("error: ").count(), 1, "{}", lost.err);
    place.write("fleet/a.toml", &app("shop", "# ?sig=aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ%3D\n"));
    let told = apply("");
    assert!(
        told.code == 1 && told.err.contains("fleet/a.toml:4 has what looks like a secret"),
        "{}",
        told.err
    );
    assert_eq!(place.json("revisions list").as_array().map(Vec::len), Some(5));
}
