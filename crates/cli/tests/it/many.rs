//! Many apps are restored, drilled and held by one command, against a simulated Azure over HTTP.

use serde_json::Value;

use crate::command::Place;
use crate::documented::assert_shown;
use crate::simulated::{Simulate, simulate};

/// A place whose first two apps have a good backup, whose fourth app is in no policy, and the short names.
fn prepared() -> (Place, Simulate, Vec<String>) {
    let place = Place::new();
    let azure = simulate(&place, "--apps 4 --seed 7");
    let found = place.json("apps discover");
    let ids: Vec<&str> =
        found["apps"].as_array().unwrap().iter().map(|app| app["app"].as_str().unwrap()).collect();
    let names: Vec<String> = ids.iter().map(|id| id.rsplit('/').next().unwrap().to_owned()).collect();
    let scratch = ids[3];
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let policy = fleet.lines().find(|line| line.starts_with("deadline")).unwrap();
    let drill = format!("{policy}\ndrill = {{ every = \"30d\", into = \"{scratch}\" }}");
    let rule = format!("[[discover]]\nexclude = [\"{}\"]\n", names[3]);
    place.write("fleet.toml", &fleet.replace(policy, &drill).replace("[[discover]]\n", &rule));
    let ended = place.run(&format!("backup {} {} --wait", ids[0], ids[1]));
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    (place, azure, names)
}

fn said(place: &Place, line: &str, code: i32) -> String {
    let ended = place.run(line);
    assert_eq!(ended.code, code, "holdfast {line}\n{}{}", ended.out, ended.err);
    format!("{}{}", ended.out, ended.err)
}

/// The names of the sources in a plan.
fn sources(plan: &Value) -> Vec<String> {
    let starts = plan["starts"].as_array().unwrap().iter();
    starts.map(|one| one["source"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn many_apps_are_restored_drilled_and_held_by_one_plan_each() {
    let (place, _azure, names) = prepared();
    let new = "restore --all --latest --to-app {app}-restored";
    let text = said(&place, new, 2);
    for shown in [
        format!("{}-restored (new)", names[0]),
        format!("no good backup of {} is known", names[2]),
        "not restored: virtual network integration".to_owned(),
        "give --yes to go on".to_owned(),
    ] {
        assert!(text.contains(&shown), "{shown}: {text}");
    }
    let planned = place.json(new);
    let mut both = names[..2].to_vec();
    both.sort();
    assert_eq!((sources(&planned["plan"]), &planned["runs"]), (both, &Value::Null));
    assert_eq!(planned["plan"]["left_out"].as_array().unwrap().len(), 1);
    for (line, why) in [
        ("restore --all --latest --to-slot staging --yes", "give --overwrite to replace them"),
        ("restore --all --latest --overwrite --yes", "nothing says where these apps are restored to"),
        ("restore --all --backup 7 --in-place --yes", "--backup is about one app"),
        ("restore --all --latest --to-app {site}-x --yes", "a placeholder that means nothing"),
        ("drill --all --backup 7 --yes", "--backup is about one app"),
        ("drill --all --probe ftp://x.example/ --yes", "the URL of the probe"),
        ("hold add --all --backup 7 --reason x --yes", "--backup is about one app"),
    ] {
        let text = said(&place, line, 2);
        assert!(text.contains(why), "{line}: {text}");
    }
    let both = said(&place, "restore --all --latest --to-app same --yes", 2);
    assert!(both.contains("would both be restored into same") && both.contains(&names[0]), "{both}");
    let none = said(&place, "restore --all --at 2001-01-01T00:00:00Z --in-place --yes", 1);
    assert!(none.contains("every selected app is left out"), "{none}");
    let slots = said(&place, "restore --all --latest --to-slot nowhere --overwrite --yes", 1);
    assert!(slots.contains("nowhere; create the slot in Azure first"), "{slots}");

    let done = place.json(&format!("{new} --yes --wait --actor olga"));
    let runs = done["runs"].as_array().unwrap();
    assert!(runs.len() == 2 && runs.iter().all(|run| run["outcome"] == "succeeded"), "{done}");
    let shown = place.json(&format!("runs show {}", runs[0]["id"].as_str().unwrap()));
    assert_eq!(shown["events"][0]["actor"], "olga", "{shown}");
    let again = said(&place, &format!("{new} --yes"), 1);
    assert!(again.contains("-restored exists already"), "{again}");

    // Both drills go into the scratch app of the policy, one after the other.
    let drilled = place.run("drill --all --yes --wait --output json");
    let drilled: Value = serde_json::from_str(&drilled.out).unwrap_or_else(|_| panic!("{}", drilled.err));
    let runs = drilled["runs"].as_array().unwrap();
    assert!(runs.len() == 2 && runs.iter().all(|run| run["outcome"] == "succeeded"), "{drilled}");
    assert_eq!(drilled["plan"]["warnings"].as_array().unwrap().len(), 1, "{drilled}");

    // Nothing enrolled these apps, so they are named.
    let first_two = format!("{} {}", names[0], names[1]);
    let held = said(&place, &format!("hold add {first_two} --latest --reason audit"), 0);
    assert!(held.contains("2 backups held"), "{held}");
    assert_eq!(place.json("hold list").as_array().unwrap().len(), 2);
    let twice = said(&place, &format!("hold add {first_two} --latest --reason audit"), 0);
    assert!(twice.contains("is held already: audit") && twice.contains("nothing is to do"), "{twice}");
    assert!(
        said(&place, &format!("hold remove {first_two} --why audited"), 0)
            .contains("2 backups no longer held")
    );
    assert_eq!(place.json("hold list").as_array().unwrap().len(), 0);

    let copied = place.run("restore --all --latest --to-app {app}-copied --yes");
    assert_shown("restore --all --latest --to-app {app}-restored --yes", &copied.out);
}
