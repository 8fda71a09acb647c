//! docker-compose.yml and the files that it mounts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;

use yaml_rust2::YamlLoader;

use super::{assert_reads, help, path, read, values, words};
use crate::command::Place;
use crate::simulated::simulate;

const FLEET: &str = "deploy/compose/fleet.toml";

fn compose() -> String {
    read("docker-compose.yml")
}

/// The command lines of the services that run this program.
fn commands(compose: &str) -> Vec<String> {
    let lists = values(compose, "command: [").into_iter();
    lists.map(|list| list.trim_end_matches(']').replace([',', '"'], "")).collect()
}

#[test]
fn every_yaml_file_parses() {
    for name in [
        "docker-compose.yml",
        "deploy/prometheus/alerts.yml",
        "deploy/prometheus/prometheus.yml",
        "deploy/grafana/provisioning/dashboards/holdfast.yml",
        "deploy/grafana/provisioning/datasources/prometheus.yml",
        ".github/workflows/ci.yml",
        ".github/workflows/nightly.yml",
    ] {
        let documents =
            YamlLoader::load_from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(documents.len(), 1, "{name}");
    }
}

#[test]
fn the_program_knows_every_command_and_variable() {
    let compose = compose();
    let commands = commands(&compose);
    assert_eq!(commands.len(), 7);
    for command in &commands {
        help(command);
    }
    let variables = words(&compose, "HOLDFAST_");
    assert!(variables.len() > 3, "{variables:?}");
    for variable in &variables {
        assert_reads("worker", variable);
    }
}

#[test]
fn every_file_that_is_named_exists_and_only_secrets_hold_passwords() {
    let compose = compose();
    let named = compose.split("./deploy/").skip(1).map(|rest| rest.split([':', ' ', '\n']).next().unwrap());
    let named: Vec<String> = named.map(|name| format!("deploy/{name}")).collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        assert!(path(&name).exists(), "{name}");
        let is_marked = name.starts_with("deploy/compose/secrets/") == read_any(&name).contains("demo-only-");
        assert!(is_marked, "{name}: exactly the secrets contain a password that is marked as demo-only");
    }
    assert!(!compose.contains("demo-only-"), "docker-compose.yml itself contains a password");
}

/// The text of a file; empty for a folder.
fn read_any(name: &str) -> String {
    if path(name).is_dir() { String::new() } else { read(name) }
}

#[test]
fn logins_are_the_same_on_both_sides() {
    let secret = |name: &str| read(&format!("deploy/compose/secrets/{name}")).trim().to_owned();
    for (url, password, user) in [
        ("database_owner_url", "database_owner_password", "holdfast_owner"),
        ("database_url", "database_password", "holdfast"),
    ] {
        let password = secret(password);
        let expected = format!("postgres://{user}:{password}@postgres:5432/holdfast?sslmode=disable");
        assert_eq!(secret(url), expected);
    }
    let broker = secret("rabbitmq.conf");
    let login = |key: &str| values(&broker, &format!("{key} ="))[0];
    let (user, password) = (login("default_user"), login("default_pass"));
    assert_eq!(secret("amqp_url"), format!("amqp://{user}:{password}@rabbitmq:5672/%2f"));
    let logins = read("deploy/compose/logins.sql");
    assert!(logins.contains("CREATE ROLE holdfast LOGIN") && logins.contains("IN ROLE holdfast_app"));
}

/// Whether the health check of a role accepts the answer of a process.
fn accepts(status: &'static str) -> bool {
    let compose = compose();
    let script = values(&compose, "- 'exec")[0].trim_end_matches('\'');
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
    let script = format!("exec {}", script.replace("$$", "$"));
    let mut check = Command::new("bash");
    check.args(["-c", &script]).env("HOLDFAST_LISTEN", format!("0.0.0.0:{port}"));
    let accepted = check.status().unwrap().success();
    answering.join().unwrap();
    accepted
}

#[test]
fn the_health_check_accepts_only_a_process_that_is_ready() {
    assert!(accepts("200 OK"));
    assert!(!accepts("503 Service Unavailable"));
}

#[test]
fn the_fleet_file_is_valid_and_fits_the_simulation() {
    let place = Place::new();
    let checked = place.json(&format!("config check --no-secrets --fleet {}", path(FLEET).display()));
    assert!(checked["valid"] == true && checked["problems"].as_array().unwrap().is_empty(), "{checked}");

    let compose = compose();
    let commands = commands(&compose);
    let simulator = commands.iter().find(|command| command.starts_with("simulate ")).unwrap();
    let after = |option: &str| simulator.split(' ').skip_while(|word| *word != option).nth(1).unwrap();
    let _azure = simulate(&place, &format!("--apps {} --seed {}", after("--apps"), after("--seed")));
    let written: toml::Table = std::fs::read_to_string(place.path("fleet.toml")).unwrap().parse().unwrap();
    let fleet: toml::Table = read(FLEET).parse().unwrap();
    assert_eq!(fleet["discover"], written["discover"], "the simulation has other subscriptions");
    for key in ["kind", "tenant", "client_id"] {
        assert_eq!(fleet["azure"]["credential"][key], written["azure"]["credential"][key], "{key}");
    }
    let endpoint = format!("http://{}", after("--listen"));
    let expected = written["storage"]["simulated"]["container"].as_str().unwrap();
    let expected = expected.replace(written["azure"]["endpoint"].as_str().unwrap(), &endpoint);
    assert_eq!(fleet["storage"]["simulated"]["container"].as_str(), Some(expected.as_str()));
    for key in ["endpoint", "authority"] {
        assert_eq!(fleet["azure"][key].as_str(), Some(endpoint.as_str()));
    }
    for (name, reference) in [
        ("client-secret", &fleet["azure"]["credential"]["secret"]),
        ("storage-key", &fleet["storage"]["simulated"]["sas"]["key"]),
    ] {
        assert!(place.path(name).exists());
        assert_eq!(reference.as_str(), Some(format!("file:{}/{name}", after("--dir")).as_str()));
    }
}
