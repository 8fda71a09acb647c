//! A first fleet file from what a simulated Azure has, and parts of one from files.

use serde_json::Value;

use crate::command::{Ended, FLEET, Place, command};
use crate::simulated::simulate;

/// The subscriptions of a simulated Azure, as options.
fn subscriptions(place: &Place) -> String {
    let found = place.json("apps discover");
    let ids = found["subscriptions"].as_array().unwrap().iter();
    let options: Vec<String> = ids.map(|id| format!(" --subscription {}", id.as_str().unwrap())).collect();
    options.concat()
}

#[test]
fn an_app_with_a_schedule_of_azures_own_is_backed_up_by_the_file_that_init_writes() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 3 --seed 12");
    assert_eq!(place.run("migrate").code, 0);
    let found = place.json("apps discover");
    let app = found["apps"][0]["app"].as_str().unwrap();
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let asked = "]\nnative_schedule = { every = \"7 days\", retention_days = 14 }\n";
    let pushing = fleet.replace("[policy.gold]\n", &format!("[policy.gold{asked}"));
    place.write("push.toml", &pushing.replace("[policy.silver]\n", &format!("[policy.silver{asked}")));
    let pushed = place.run(&format!("native-schedule push {app} --yes --wait --fleet push.toml"));
    assert_eq!(pushed.code, 0, "{}", pushed.err);

    let line = format!("init --azure-from fleet.toml --fleet new.toml{}", subscriptions(&place));
    let done = place.run(&line);
    assert_eq!(done.out, "new.toml has 1 app, 1 policy, 1 storage\n", "{}", done.err);
    assert!(done.err.contains("has no native schedule"), "{}", done.err);
    assert!(done.err.contains("HOLDFAST_KEY_SIMULATEDBACKUPS: a key of"), "{}", done.err);
    let text = std::fs::read_to_string(place.path("new.toml")).unwrap();
    assert!(!text.contains("sig=") && text.contains("retention = { days = 14,"), "{text}");

    let again = place.run(&line);
    assert_eq!((again.code, again.out.as_str()), (2, ""));
    assert!(again.err.contains("new.toml exists already"), "{}", again.err);
    let added = place.json("import native");
    assert_eq!(added["draft"]["apps"][0]["app"], app, "{added}");
    assert_eq!(added["draft"]["storages"], Value::Array(Vec::new()), "the fleet file has it already");

    let key = std::fs::read_to_string(place.path("storage-key")).unwrap();
    for line in ["config check --fleet new.toml".to_owned(), format!("backup {app} --wait --fleet new.toml")]
    {
        let mut command = command(&place.path(""), &line);
        let ended = Ended::from(command.env("HOLDFAST_KEY_SIMULATEDBACKUPS", key.trim()).output().unwrap());
        assert_eq!(ended.code, 0, "{line}: {}{}", ended.out, ended.err);
    }
}

#[test]
fn init_without_a_subscription_looks_at_all_that_the_credential_sees() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 8 --subscriptions 3 --seed 12");
    let found = place.json("init --azure-from fleet.toml --print");
    let seen = found["subscriptions"]["enabled"].as_array().unwrap();
    assert_eq!(seen.len(), 3, "{found}");
    let id = seen[0]["id"].as_str().unwrap();
    let said = place.run("init --azure-from fleet.toml --print").err;
    assert_eq!(said.matches("looked at subscription Simulated").count(), 3, "{said}");
    let narrowed = place.json(&format!("init --azure-from fleet.toml --print --subscription {id}"));
    assert_eq!(narrowed["subscriptions"]["enabled"], Value::Array(Vec::new()));
    assert!(!narrowed["toml"].as_str().unwrap().contains(seen[1]["id"].as_str().unwrap()), "{narrowed}");
}

#[test]
fn what_a_command_refuses_it_repeats_without_a_secret() {
    let place = Place::new();
    let line =
        "import terraform-state state.json --container https://acct.blob.core.windows.net/b?sig=c2VjcmV0";
    place.write("state.json", r#"{ "version": 4, "resources": [] }"#);
    let ended = place.run(line);
    assert_eq!(ended.code, 2, "{}", ended.out);
    assert!(!ended.err.contains("c2VjcmV0"), "{}", ended.err);
}

#[test]
fn what_import_prints_is_a_part_of_a_fleet_file() {
    let place = Place::new();
    place.write("apps.csv", "app,resource group,subscription,policy\nshop,shops,0a0a,gold\n");
    let printed = place.run("import csv apps.csv");
    assert_eq!(printed.code, 0, "{}", printed.err);
    place.write("fleet.toml", &format!("{FLEET}\n{}", printed.out));
    let checked = place.run("config check --no-secrets");
    assert!(checked.out.ends_with("1 app listed, 0 discover rules\n"), "{}", checked.out);
    place.write("apps.csv", "shop;shops\n");
    assert_eq!(place.run("import csv apps.csv").code, 2);
    assert_eq!(place.run("import csv nothing.csv").code, 2);
}

#[test]
fn an_app_is_backed_up_into_a_container_of_its_own_and_found_there() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 2 --seed 3");
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let of_apps = fleet.replace("/backups\"\n", "/bk-{app}\"\ncreate_container = true\n");
    place.write("fleet.toml", &of_apps);
    assert_eq!(place.run("migrate").code, 0);
    let app = place.json("apps discover")["apps"][0]["name"].as_str().unwrap().to_owned();
    let done = place.json(&format!("backup {app} --wait"));
    assert_eq!(done[0]["outcome"], "succeeded", "{done}");
    let shown = place.json(&format!("runs show {}", done[0]["run_id"].as_str().unwrap()));
    let container = format!("/bk-{app}");
    assert!(shown["events"].to_string().contains(&container), "{shown}");
    // The pattern has changed since: the backup is found where it is.
    place.write("fleet.toml", &of_apps.replace("bk-{app}", "all-{resource_group}"));
    let verified = place.run(&format!("verify {app}"));
    assert!(
        verified.out.contains("1 verified, 0 lost") || verified.err.contains("1 verified, 0 lost"),
        "{}",
        verified.out
    );
    let planned = place.run(&format!("restore {app} --latest --overwrite --yes"));
    assert!(planned.code == 0 && planned.out.contains(&container), "{}{}", planned.out, planned.err);
}
