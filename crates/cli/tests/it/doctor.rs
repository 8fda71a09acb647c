//! Everything that backups depend on, tried against a simulated Azure over HTTP.

use serde_json::Value;

use crate::command::Place;
use crate::simulated::simulate;

/// The severity of a check's first finding.
fn severity<'a>(document: &'a Value, check: &str) -> &'a Value {
    let findings = document["findings"].as_array().unwrap();
    &findings.iter().find(|finding| finding["check"] == check).unwrap_or_else(|| panic!("{document}"))["severity"]
}

#[test]
fn a_working_fleet_has_only_good_findings() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 12 --seed 7");
    assert_eq!(place.run("migrate").code, 0);
    let found = place.json("doctor");
    assert_eq!(found["severity"], "ok", "{found}");
    for check in ["fleet file", "credential", "SAS", "clock", "store", "apps"] {
        assert_eq!(severity(&found, check), "ok", "{check}");
    }
    let app = place.json("apps discover")["apps"][0]["name"].as_str().unwrap().to_owned();
    let ended = place.run(&format!("doctor {app}"));
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    for line in ["all 13 actions", "a day of the", "in the tier", "a blob was written and deleted"] {
        assert!(ended.out.contains(line), "{line}: {}", ended.out);
    }
    assert!(!ended.out.contains("sig="));
}

#[test]
fn a_healthy_fleet_over_many_subscriptions_has_no_failure_and_few_lines() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 60 --subscriptions 10 --seed 7");
    assert_eq!(place.run("migrate").code, 0);
    let ended = place.run("doctor");
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("there: 60 of 60"), "{}", ended.out);
    assert!(ended.out.lines().count() < 60, "{}", ended.out);
    for word in ["fail ", "warn "] {
        assert!(!ended.out.lines().any(|line| line.starts_with(word)), "{}", ended.out);
    }
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let subscriptions: std::collections::BTreeSet<&str> =
        fleet.lines().filter(|line| line.starts_with("subscription ")).collect();
    assert_eq!(subscriptions.len(), 10);
}

#[test]
fn each_problem_is_reported_with_its_cure() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 3 --seed 7");
    let app = place.json("apps discover")["apps"][0]["app"].as_str().unwrap().to_owned();
    let gone = app.replace(app.rsplit('/').next().unwrap(), "removal");
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    let drill = format!("[policy.gold]\ndrill = {{ every = \"30d\", into = \"{gone}\" }}\n");
    let listed = format!(
        "\n[[app]]\nid = \"{app}\"\npolicy = \"gold\"\n\n[[app]]\nid = \"{gone}-too\"\npolicy = \"gold\"\n"
    );
    let fleet = fleet.replace("[policy.gold]\n", &drill).replace("0 */2 * * *", "*/5 * * * *") + &listed;
    place.write("fleet.toml", &fleet);
    let ended = place.run("doctor");
    assert_eq!(ended.code, 1, "{}{}", ended.out, ended.err);
    // Long ones go on in the next line.
    let out = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "backups a day",
        "to do: `holdfast migrate` creates one",
        "and Azure has no such app to do: create it, or name another",
        "what is over the limit is skipped",
        "Azure has no such app to do: correct its id, or take it out of the fleet file",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }

    // Doctor reports a wrong secret and all other findings.
    place.write("client-secret", "wrong");
    let ended = place.run("doctor --output json");
    assert_eq!(ended.code, 1);
    let found: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(severity(&found, "credential"), "fail");
    let of = |check: &str| {
        found["findings"].as_array().unwrap().iter().filter(|one| one["check"] == check).count()
    };
    assert_eq!(of("subscription"), 0, "the credential is the cause: {found}");
    assert_eq!(severity(&found, "SAS"), "ok", "{found}");
    std::fs::remove_file(place.path("storage-key")).unwrap();
    let found: Value = serde_json::from_str(&place.run("doctor --output json").out).unwrap();
    assert_eq!(
        (severity(&found, "fleet file"), severity(&found, "SAS")),
        (&"fail".into(), &"fail".into()),
        "{found}"
    );
}
