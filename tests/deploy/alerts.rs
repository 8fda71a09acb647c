//! Runs the scenarios of the alert rules with Prometheus' own tool.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use holdfast_tests::service;

const RULES: &str = include_str!("../../deploy/prometheus/alerts.yml");
const SCENARIOS: &str = include_str!("alerts.yml");

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    let Some(promtool) = service("HOLDFAST_TEST_PROMTOOL") else { return };
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/alerts.yml");
    let tested = Command::new(promtool).args(["test", "rules"]).arg(scenarios).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(tested.status.success(), "{}{}", text(&tested.stdout), text(&tested.stderr));
}

#[test]
fn every_alert_has_a_scenario_in_which_it_fires() {
    let rules = RULES.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let fires = |alert: &&str| SCENARIOS.contains(&format!("alertname: {alert}\n        exp_alerts:\n"));
    let untested: BTreeSet<&str> = rules.filter(|alert| !fires(alert)).collect();
    assert_eq!(untested, BTreeSet::new());
}
