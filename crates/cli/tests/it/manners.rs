//! Help, completions, manual pages, formats of results, and what a monitoring system reads.

use serde_json::Value;
use yaml_rust2::YamlLoader;

use crate::command::{Ended, FLEET, Place, command};

#[test]
fn the_help_of_a_command_has_its_own_options_and_those_of_all_have_a_place() {
    let place = Place::new();
    for line in ["status --help", "help status", "runs retry -h", "help runs retry", "help", ""] {
        let ended = place.run(line);
        let text = format!("{}{}", ended.out, ended.err);
        assert!(
            !text.contains("--database-url") && text.contains("`holdfast help global`"),
            "{line}: {text}"
        );
    }
    let global = place.run("help global");
    assert!(global.code == 0 && global.out.contains("--database-url <URL>"), "{}", global.out);
    let unknown = place.run("help nothing");
    assert!(unknown.code == 2 && unknown.err.contains("no command `nothing`"), "{}", unknown.err);
}

#[test]
fn a_result_has_the_form_that_is_asked_for() {
    let place = Place::new();
    place.write("fleet.toml", FLEET);
    let show = |format: &str| place.run(&format!("config show --output {format}"));
    let json: Value = serde_json::from_str(&show("json").out).unwrap();
    let lines = show("jsonl").out;
    let read: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(Value::Array(read), json);
    let yaml = YamlLoader::load_from_str(&show("yaml").out).unwrap();
    assert_eq!(yaml[0][0]["policy"].as_str(), json[0]["policy"].as_str());
    let csv = show("csv").out;
    assert!(csv.starts_with("POLICY,KEY,VALUE,FROM,LINE\n") || csv.contains(",KEY,VALUE,"), "{csv}");
    assert!(csv.contains("\"\"\"30 2 * * *\"\"\""), "{csv}");
}

#[test]
fn a_fleet_file_is_formatted_and_described() {
    let place = Place::new();
    place.write("fleet.toml", &format!("include = [\"apps.toml\"]\n{FLEET}"));
    place.write("apps.toml", "[[app]]\nid=\"a\"\n");
    let check = place.run("config fmt --check");
    assert_eq!((check.code, check.out.as_str()), (1, "fleet.toml\n./apps.toml\n"), "{}", check.err);
    assert_eq!(place.json("config fmt apps.toml")[0]["differs"], true);
    assert_eq!(place.run("config fmt").out, "fleet.toml\n");
    let again = place.run("config fmt --check");
    assert_eq!((again.code, again.out.as_str(), again.err.as_str()), (0, "", "all files are formatted\n"));
    place.write("apps.toml", "[[app]\n");
    let (fmt, check) = (place.run("config fmt"), place.run("config check"));
    assert_eq!((fmt.code, check.code), (2, 2));
    let first = fmt.err.lines().next().unwrap();
    assert!(first.contains("this is not TOML") && check.out.contains(first), "{}{}", fmt.err, check.out);
    assert_eq!(place.run("config schema").out, include_str!("../../../../docs/fleet.schema.json"));
}

#[test]
fn quiet_leaves_results_and_errors() {
    let place = Place::new();
    place.write("fleet.toml", &format!("{FLEET}retention = {{ days = 3 }}\n"));
    let loud = place.run("config show");
    assert!(loud.err.contains("has 2 warnings") || loud.err.contains("warning"), "{}", loud.err);
    let quiet = place.run("config show --quiet");
    assert_eq!((quiet.out, quiet.err.as_str()), (loud.out, ""));
    assert!(place.run("history shup --quiet").err.starts_with("error: "));
}

#[test]
fn a_monitoring_system_is_told_unknown_and_what_to_do() {
    let place = Place::new();
    let wrong = place.run("check --bad");
    assert_eq!((wrong.code, wrong.err.as_str()), (3, ""));
    assert!(wrong.out.starts_with("HOLDFAST UNKNOWN - unexpected argument '--bad'"), "{}", wrong.out);
    assert_eq!(place.run("status --bad").code, 2);
    assert_eq!(place.run("migrate").code, 0);
    let ended = place.run("check shup");
    assert_eq!(ended.code, 3);
    assert!(ended.out.starts_with("HOLDFAST UNKNOWN - no app"), "{}", ended.out);
    assert!(ended.out.contains("\nhelp: "), "{}", ended.out);
}

#[test]
fn completions_know_commands_policies_apps_and_tags() {
    let place = Place::new();
    let id = "/subscriptions/0a0a/resourceGroups/g/providers/Microsoft.Web/sites/shop";
    place.write("fleet.toml", &format!("{FLEET}\n[[app]]\nid = \"{id}\"\npolicy = \"gold\"\ntags = {{ team = \"shop\", env = \"live\" }}\n"));
    let complete = |words: &[&str]| {
        let mut command = command(&place.path(""), "--");
        command.env("COMPLETE", "bash").env("_CLAP_IFS", "\n").args(words);
        command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
        Ended::from(command.output().unwrap()).out
    };
    assert_eq!(complete(&["holdfast", "retent"]), "retention");
    assert_eq!(complete(&["holdfast", "backup", "--policy", ""]), "gold");
    assert!(complete(&["holdfast", "history", ""]).lines().any(|line| line == "shop"));
    let tags = |begun| complete(&["holdfast", "backup", "--tag", begun]);
    assert_eq!(
        (tags("").as_str(), tags("te").as_str(), tags("team=").as_str()),
        ("env=\nteam=", "team=", "team=shop")
    );
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = place.run(&format!("completions {shell}"));
        assert!(script.code == 0 && script.out.contains("COMPLETE"), "{shell}: {}", script.err);
    }
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let place = Place::new();
    let page = place.run("man");
    assert!(page.out.contains(".TH holdfast 1") && page.out.contains("database\\-url"), "{}", page.out);
    assert_eq!(place.run("man --dir man1").code, 0);
    for name in ["holdfast.1", "holdfast-status.1", "holdfast-runs-retry.1"] {
        assert!(place.path("man1").join(name).is_file(), "{name}");
    }
}

#[test]
fn a_report_is_signed_and_verified_without_its_store() {
    let place = Place::new();
    assert_eq!(place.run("migrate").code, 0);
    let keys = place.json("audit keygen --out audit.pem");
    place.write("audit.pub.pem", keys["public_key"].as_str().unwrap());
    let printed = place.run("report --month 2026-11");
    assert!(printed.out.contains("<h1>Backups in 2026-11</h1>"), "{}", printed.err);
    let line = "report --month 2026-11 --form json --to november.json --key file:audit.pem";
    let made = place.json(line);
    assert_eq!((&made["file"], &made["signature"]), (&"november.json".into(), &"november.json.sig".into()));
    assert_ne!(place.run(line).code, 0, "a file that exists stays");
    std::fs::remove_file(place.path("holdfast.sqlite")).unwrap();
    let verify = "report verify november.json --public-key audit.pub.pem";
    let held = place.run(verify);
    assert!(
        held.code == 0 && held.out.starts_with("november.json is the report of 2026-11, "),
        "{}",
        held.err
    );
    let report = std::fs::read_to_string(place.path("november.json")).unwrap();
    place.write("november.json", &report.replace("\"apps\": 0", "\"apps\": 9"));
    let changed = place.run(verify);
    assert!(changed.code == 1 && changed.err.contains("its content was changed"), "{}", changed.err);
}
