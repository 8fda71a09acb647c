//! Prometheus and Grafana: targets, metrics and alerts exist.

use std::collections::BTreeSet;

use super::{read, values, words};

/// The metrics of RabbitMQ that are used (rabbitmq.com/docs/prometheus).
const OF_RABBITMQ: [&str; 1] = ["rabbitmq_detailed_queue_messages_ready"];

fn alerts() -> String {
    read("deploy/prometheus/alerts.yml")
}

#[test]
fn prometheus_scrapes_every_process() {
    let (compose, prometheus) = (read("docker-compose.yml"), read("deploy/prometheus/prometheus.yml"));
    let ports = |text: &str, before: &str| -> Vec<String> {
        let ports =
            text.split(before).skip(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect());
        ports.collect()
    };
    let listening = ports(&compose, "HOLDFAST_LISTEN: \"0.0.0.0:");
    assert_eq!(listening.len(), 5);
    assert_eq!(ports(&prometheus, "\"pod:"), listening);
}

#[test]
fn grafana_finds_its_source() {
    let source = read("deploy/grafana/provisioning/datasources/prometheus.yml");
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/grafana/dashboards/holdfast.json")).unwrap();
    let uid = values(&source, "uid:")[0];
    for panel in dashboard["panels"].as_array().unwrap() {
        assert_eq!(panel["datasource"]["uid"], uid, "{panel}");
    }
}

/// The metrics of docs/observability.md as Prometheus names them, without the suffixes of counters and histograms.
fn documented(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let named = rows.map(|(name, rest)| {
        let unit = if rest.split('|').next() == Some(" s ") { "_seconds" } else { "" };
        name.replace('.', "_") + unit
    });
    named.collect()
}

#[test]
fn queries_use_only_documented_metrics() {
    let documented = documented(&read("docs/observability.md"));
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/grafana/dashboards/holdfast.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let queries: String = targets.map(|target| target["expr"].as_str().unwrap().to_owned() + "\n").collect();
    let queries = queries + &alerts();
    let prefixes = ["holdfast_", "http_client_", "messaging_", "rabbitmq_"];
    let used: BTreeSet<&str> = prefixes.iter().flat_map(|prefix| words(&queries, prefix)).collect();
    assert!(used.len() > 15, "{used:?}");
    let bare = |metric: &str| {
        let suffixes = ["_total", "_bucket", "_count", "_sum"];
        suffixes.iter().find_map(|suffix| metric.strip_suffix(suffix)).unwrap_or(metric).to_owned()
    };
    let unknown: Vec<_> = used
        .into_iter()
        .filter(|metric| !OF_RABBITMQ.contains(metric) && !documented.contains(&bare(metric)))
        .collect();
    assert_eq!(unknown, Vec::<&str>::new(), "docs/observability.md does not name these");
}

#[test]
fn every_alert_has_a_row_in_the_operators_table() {
    let (page, alerts) = (read("docs/operations.md"), alerts());
    let table = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let table: BTreeSet<&str> = table.filter(|name| name.starts_with("Holdfast")).collect();
    let rules: BTreeSet<&str> = values(&alerts, "- alert:").into_iter().collect();
    assert_eq!(rules, table);
    assert_eq!(values(&alerts, "summary:").len(), rules.len());
}
