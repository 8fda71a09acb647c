//! Prometheus and Grafana: what they scrape is there, and what they ask for is measured.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{entries, path, read, texts, yaml};

/// What RabbitMQ tells of its queues (rabbitmq.com/docs/prometheus).
const OF_THE_BROKER: [&str; 1] = ["rabbitmq_detailed_queue_messages_ready"];

/// The metrics that a query names.
fn metrics(query: &str) -> BTreeSet<&str> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = ["holdfast_", "http_client_", "messaging_", "rabbitmq_"];
    words.filter(|word| ours.iter().any(|prefix| word.starts_with(prefix))).collect()
}

fn alerts() -> Vec<Value> {
    yaml("deploy/prometheus/alerts.yml")["groups"][0]["rules"].as_array().unwrap().clone()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("deploy/grafana/dashboards/holdfast.json")).unwrap()
}

fn queries(dashboard: &Value) -> Vec<&str> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap()).collect()
}

#[test]
fn every_process_is_scraped_where_it_listens() {
    let compose = yaml("docker-compose.yml");
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let listen = |service: &Value| service["environment"]["HOLDFAST_LISTEN"].as_str().map(str::to_owned);
    let roles = entries(&compose["services"]).filter_map(|(_, service)| {
        let owner = service["network_mode"].as_str()?.strip_prefix("service:")?.to_owned();
        Some(format!("{owner}:{}", listen(service)?.rsplit(':').next()?))
    });
    let roles: Vec<String> = roles.collect();
    assert_eq!(roles.len(), 5);
    assert_eq!(roles.iter().collect::<BTreeSet<_>>().len(), 5, "two share a network and a port: {roles:?}");
    let mut scraped = BTreeSet::new();
    for job in prometheus["scrape_configs"].as_array().unwrap() {
        for target in texts(&job["static_configs"][0]["targets"]) {
            let host = target.split(':').next().unwrap();
            let service = &compose["services"][host];
            assert!(texts(&service["networks"]).contains(&"watching"), "{target} cannot be reached");
            scraped.insert(target.to_owned());
        }
    }
    assert!(scraped.remove("rabbitmq:15692"));
    assert_eq!(scraped, roles.into_iter().collect());
    for file in texts(&prometheus["rule_files"]) {
        assert!(path("deploy/prometheus").join(file).exists(), "{file}");
    }
}

#[test]
fn grafana_finds_its_source_and_its_dashboard() {
    let compose = yaml("docker-compose.yml");
    let source = &yaml("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"][0];
    assert_eq!(source["url"], "http://prometheus:9090");
    let dashboard = dashboard();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert_eq!(panel["datasource"]["uid"], source["uid"], "{panel}");
    }
    let provider = &yaml("deploy/grafana/provisioning/dashboards/holdfast.yml")["providers"][0];
    let folder = provider["options"]["path"].as_str().unwrap();
    let mounts = texts(&compose["services"]["grafana"]["volumes"]);
    assert!(mounts.contains(&format!("./deploy/grafana/dashboards:{folder}:ro").as_str()), "{mounts:?}");
    let home = &compose["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"];
    assert_eq!(home.as_str(), Some(format!("{folder}/holdfast.json").as_str()));
    let port =
        |text: &str| texts(&compose["services"][text]["ports"])[0].rsplit(':').next().unwrap().to_owned();
    assert_eq!((port("prometheus"), port("grafana")), ("9090".to_owned(), "3000".to_owned()));
}

/// The metrics of docs/observability.md as Prometheus names them, without the ends that counters and histograms get.
fn documented(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let named = rows.map(|(name, rest)| {
        let unit = if rest.split('|').next() == Some(" s ") { "_seconds" } else { "" };
        name.replace('.', "_") + unit
    });
    named.collect()
}

#[test]
fn queries_ask_only_for_metrics_that_are_documented() {
    let documented = documented(&read("docs/observability.md"));
    let (alerts, dashboard) = (alerts(), dashboard());
    let rules = alerts.iter().map(|alert| alert["expr"].as_str().unwrap());
    let asked: BTreeSet<&str> = rules.chain(queries(&dashboard)).flat_map(metrics).collect();
    assert!(asked.len() > 15, "{asked:?}");
    let bare = |metric: &str| {
        let ends = ["_total", "_bucket", "_count", "_sum"];
        ends.iter().find_map(|end| metric.strip_suffix(end)).unwrap_or(metric).to_owned()
    };
    let unknown: Vec<_> = asked
        .into_iter()
        .filter(|metric| !OF_THE_BROKER.contains(metric) && !documented.contains(&bare(metric)))
        .collect();
    assert_eq!(unknown, Vec::<&str>::new(), "docs/observability.md does not name these");
}

#[test]
fn every_alert_has_its_row_in_the_operators_table() {
    let page = read("docs/operations.md");
    let table = page.lines().filter_map(|line| line.strip_prefix("| `Holdfast")?.split('`').next());
    let table: BTreeSet<String> = table.map(|rest| format!("Holdfast{rest}")).collect();
    let alerts = alerts();
    let rules: BTreeSet<String> =
        alerts.iter().map(|rule| rule["alert"].as_str().unwrap().to_owned()).collect();
    assert_eq!(rules, table);
    for rule in alerts {
        assert!(
            rule["annotations"]["summary"].is_string() && rule["labels"]["severity"].is_string(),
            "{rule}"
        );
    }
}
