//! docker-compose.yml and the files it mounts.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;

use super::{assert_reads, entries, help, path, read, texts, value, yaml};
use crate::command::Place;
use crate::simulated::simulate;

const FLEET: &str = "deploy/compose/fleet.toml";

fn compose() -> Value {
    yaml("docker-compose.yml")
}

/// The services that are this program, by their names, and their arguments.
fn ours(compose: &Value) -> Vec<(&str, &Value, String)> {
    let ours = entries(&compose["services"]).filter(|(_, service)| service["image"] == "holdfast:demo");
    ours.map(|(name, service)| (name, service, texts(&service["command"]).join(" "))).collect()
}

/// What is mounted, and where to.
fn mounts(service: &Value) -> Vec<(&str, &str)> {
    let volumes = texts(&service["volumes"]).into_iter();
    volumes.map(|text| text.trim_end_matches(":ro").split_once(':').unwrap()).collect()
}

fn secrets(service: &Value) -> BTreeSet<&str> {
    let all = service["secrets"].as_array().into_iter().flatten();
    all.map(|secret| secret.as_str().or_else(|| secret["source"].as_str()).unwrap()).collect()
}

/// The networks in which a service is: its own, or those of the service whose network it shares.
fn networks<'c>(compose: &'c Value, service: &'c Value) -> BTreeSet<&'c str> {
    match service["network_mode"].as_str().and_then(|mode| mode.strip_prefix("service:")) {
        Some(owner) => networks(compose, &compose["services"][owner]),
        None => texts(&service["networks"]).into_iter().collect(),
    }
}

#[test]
fn the_services_are_those_that_a_fleet_needs() {
    let compose = compose();
    let begin_with = |word: &str| ours(&compose).iter().filter(|(.., line)| line.starts_with(word)).count();
    assert_eq!((begin_with("scheduler"), begin_with("worker")), (2, 3));
    assert_eq!((begin_with("simulate"), begin_with("migrate")), (1, 1));
    for name in ["postgres", "rabbitmq", "prometheus", "grafana"] {
        assert!(compose["services"][name].is_object(), "{name}");
    }
}

#[test]
fn the_program_knows_every_command_option_and_variable() {
    let compose = compose();
    for (_, service, line) in ours(&compose) {
        help(&line);
        for (variable, _) in entries(&service["environment"]) {
            assert_reads(&line, variable);
        }
    }
}

#[test]
fn what_is_mounted_is_there_and_what_is_declared_is_used() {
    let compose = compose();
    let (mut volumes, mut used) = (BTreeSet::new(), BTreeSet::new());
    for (name, service) in entries(&compose["services"]) {
        for (source, _) in mounts(service) {
            match source.strip_prefix("./") {
                Some(file) => assert!(path(file).exists(), "{name} mounts {file}"),
                None => assert!(volumes.insert(source) || source == "simulated", "{source} is shared"),
            }
        }
        used.extend(secrets(service));
        for (on, _) in entries(&service["depends_on"]) {
            assert!(compose["services"][on].is_object(), "{name} waits for {on}");
        }
        let joined = networks(&compose, service);
        assert!(!joined.is_empty(), "{name} is in no network of its own choice");
        assert!(joined.iter().all(|network| compose["networks"].get(network).is_some()), "{name}");
        assert!(service["restart"].is_string(), "{name}");
    }
    assert_eq!(entries(&compose["volumes"]).map(|(name, _)| name).collect::<BTreeSet<_>>(), volumes);
    assert_eq!(entries(&compose["secrets"]).map(|(name, _)| name).collect::<BTreeSet<_>>(), used);
    for (name, secret) in entries(&compose["secrets"]) {
        let text = read(secret["file"].as_str().unwrap().trim_start_matches("./"));
        assert!(text.contains("demo-only-"), "{name} is not plainly a password for a demonstration");
    }
    let text = read("docker-compose.yml");
    assert!(!text.contains("demo-only-"), "a password stands in the compose file itself");
}

#[test]
fn a_variable_that_names_a_file_names_one_that_the_service_is_given() {
    let compose = compose();
    for (name, service) in entries(&compose["services"]) {
        for (variable, value) in entries(&service["environment"]) {
            let value = value.as_str().unwrap();
            if let Some(secret) = value.trim_start_matches("file:").strip_prefix("/run/secrets/") {
                assert!(secrets(service).contains(secret), "{name} is not given {secret} for {variable}");
            }
            if variable == "HOLDFAST_FLEET" {
                assert!(mounts(service).contains(&("./deploy/compose/fleet.toml", value)));
            }
        }
    }
}

#[test]
fn logins_are_the_same_on_both_sides() {
    let compose = compose();
    let secret = |name: &str| read(&format!("deploy/compose/secrets/{name}")).trim().to_owned();
    let logins = read("deploy/compose/logins.sql");
    let reaches = |user: &str, host: &str| {
        let from = networks(&compose, &compose["services"][user]);
        !from.is_disjoint(&networks(&compose, &compose["services"][host]))
    };
    for (url, password, user) in [
        ("database_owner_url", "database_owner_password", "holdfast_owner"),
        ("database_url", "database_password", "holdfast"),
    ] {
        let expected =
            format!("postgres://{user}:{}@postgres:5432/holdfast?sslmode=disable", secret(password));
        assert_eq!(secret(url), expected);
    }
    assert_eq!(compose["services"]["postgres"]["environment"]["POSTGRES_USER"], "holdfast_owner");
    assert_eq!(compose["services"]["postgres"]["environment"]["POSTGRES_DB"], "holdfast");
    assert!(logins.contains("CREATE ROLE holdfast LOGIN") && logins.contains("IN ROLE holdfast_app"));
    for name in ["database_password", "auditor_password"] {
        assert!(logins.contains(&format!("`cat /run/secrets/{name}`")), "{name}");
    }
    let broker = secret("rabbitmq.conf");
    let of = |key: &str| {
        let line = broker.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
        line.unwrap_or_else(|| panic!("{key}")).to_owned()
    };
    let expected = format!("amqp://{}:{}@rabbitmq:5672/%2f", of("default_user"), of("default_pass"));
    assert_eq!(secret("amqp_url"), expected);
    assert!(
        reaches("migrate", "postgres") && reaches("worker-1", "postgres") && reaches("worker-1", "rabbitmq")
    );
}

#[test]
fn every_role_is_asked_whether_it_is_ready_and_has_time_to_stop() {
    let compose = compose();
    for (name, service, _) in ours(&compose) {
        let Some(listen) = service["environment"]["HOLDFAST_LISTEN"].as_str() else { continue };
        listen.parse::<std::net::SocketAddr>().unwrap();
        let asked = texts(&service["healthcheck"]["test"]).join(" ");
        assert!(asked.contains("/readyz") && asked.contains("HOLDFAST_LISTEN##*:"), "{name}");
        assert_eq!(service["stop_grace_period"], "30s", "{name} has 20 s of its own");
    }
    let read_only =
        |service: &Value| service["read_only"] == true && service["cap_drop"] == value_of("[ALL]");
    assert!(ours(&compose).iter().all(|(_, service, _)| read_only(service)));
}

/// One answer of a process that is asked, and whether the check of docker-compose.yml takes it for readiness.
fn passes(status: &'static str) -> bool {
    let compose = compose();
    let test = texts(&compose["services"]["worker-1"]["healthcheck"]["test"]);
    assert_eq!(test[..3], ["CMD", "bash", "-c"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        let (mut asked, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&asked).read_line(&mut line).unwrap();
        assert_eq!(line, "GET /readyz HTTP/1.0\r\n");
        write!(asked, "HTTP/1.0 {status}\r\n\r\n{{}}").unwrap();
    });
    // Compose reads `$$` as `$`.
    let mut check = Command::new("bash");
    check.args(["-c", &test[3].replace("$$", "$")]).env("HOLDFAST_LISTEN", format!("0.0.0.0:{port}"));
    let passed = check.status().unwrap().success();
    answering.join().unwrap();
    passed
}

#[test]
fn the_check_passes_for_a_process_that_is_ready_and_for_no_other() {
    assert!(passes("200 OK"));
    assert!(!passes("503 Service Unavailable"));
}

fn value_of(text: &str) -> Value {
    value(&yaml_rust2::YamlLoader::load_from_str(text).unwrap()[0])
}

#[test]
fn the_fleet_file_is_right_and_fits_the_simulation() {
    let compose = compose();
    let place = Place::new();
    let checked = place.json(&format!("config check --no-secrets --fleet {}", path(FLEET).display()));
    assert_eq!(
        (&checked["valid"], checked["problems"].as_array().unwrap().len()),
        (&true.into(), 0),
        "{checked}"
    );

    let (_, service, line) =
        ours(&compose).into_iter().find(|(.., line)| line.starts_with("simulate ")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    let after = |option: &str| words[words.iter().position(|word| *word == option).unwrap() + 1];
    let _azure = simulate(&place, &format!("--apps {} --seed {}", after("--apps"), after("--seed")));
    let written: toml::Table = std::fs::read_to_string(place.path("fleet.toml")).unwrap().parse().unwrap();
    let fleet: toml::Table = read(FLEET).parse().unwrap();

    let rules = |fleet: &toml::Table| fleet["discover"].clone();
    assert_eq!(rules(&fleet), rules(&written), "the simulation has other subscriptions");
    for key in ["kind", "tenant", "client_id"] {
        assert_eq!(fleet["azure"]["credential"][key], written["azure"]["credential"][key], "{key}");
    }
    let endpoint = format!("http://{}", after("--listen"));
    assert_eq!(fleet["azure"]["endpoint"].as_str(), Some(endpoint.as_str()));
    assert_eq!(fleet["azure"]["authority"].as_str(), Some(endpoint.as_str()));
    let told = written["storage"]["simulated"]["container"].as_str().unwrap();
    let container = told.replace(written["azure"]["endpoint"].as_str().unwrap(), &endpoint);
    assert_eq!(fleet["storage"]["simulated"]["container"].as_str(), Some(container.as_str()));
    let folder = after("--dir");
    assert!(mounts(service).iter().any(|(_, target)| folder.starts_with(target)));
    for (name, reference) in [
        ("client-secret", &fleet["azure"]["credential"]["secret"]),
        ("storage-key", &fleet["storage"]["simulated"]["sas"]["key"]),
    ] {
        assert!(place.path(name).exists());
        assert_eq!(reference.as_str(), Some(format!("file:{folder}/{name}").as_str()));
    }
}
