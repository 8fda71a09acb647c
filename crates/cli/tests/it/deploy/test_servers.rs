//! deploy/compose/tests.yml, from which the tests' servers come where a machine has only an engine.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{entries, read, texts, yaml};

fn compose() -> Value {
    yaml("deploy/compose/tests.yml")
}

#[test]
fn the_tests_servers_are_those_of_the_demonstration() {
    let (tests, demonstration) = (compose(), yaml("docker-compose.yml"));
    let names: BTreeSet<_> = entries(&tests["services"]).map(|(name, _)| name).collect();
    assert_eq!(names, BTreeSet::from(["azurite", "postgres", "rabbitmq"]));
    for name in ["postgres", "rabbitmq"] {
        assert_eq!(tests["services"][name]["image"], demonstration["services"][name]["image"], "{name}");
    }
}

#[test]
fn the_tests_azurite_is_the_one_that_npm_installs() {
    let (compose, install) = (compose(), read("crates/xtask/src/services/install.rs"));
    let (_, version) = install.split_once("\"azurite@").unwrap();
    let (version, _) = version.split_once('"').unwrap();
    let image = compose["services"]["azurite"]["image"].as_str().unwrap();
    assert_eq!(image, format!("mcr.microsoft.com/azure-storage/azurite:{version}"));
}

#[test]
fn the_tests_servers_listen_on_loopback_alone_and_are_waited_for() {
    let compose = compose();
    let mut inside = BTreeSet::new();
    for (name, service) in entries(&compose["services"]) {
        for port in texts(&service["ports"]) {
            let (host, rest) = port.split_once(':').unwrap();
            assert_eq!(host, "127.0.0.1", "{name}");
            let (variable, container) = rest.rsplit_once(':').unwrap();
            assert!(variable.starts_with("${HOLDFAST_TEST_") && variable.ends_with("_PORT:?}"), "{port}");
            inside.insert(container.parse::<u16>().unwrap());
        }
        assert_eq!(texts(&service["healthcheck"]["test"])[0], "CMD", "{name}");
        // A server that a test killed must stay so.
        assert!(service["restart"].is_null() && service["volumes"].is_null(), "{name}");
    }
    assert_eq!(inside, BTreeSet::from([5432, 5672, 10_000, 15_672]));
}

#[test]
fn the_tests_passwords_are_made_up_elsewhere() {
    let compose = compose();
    let secrets = [
        &compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"],
        &compose["services"]["rabbitmq"]["environment"]["RABBITMQ_DEFAULT_PASS"],
    ];
    for secret in secrets {
        let secret = secret.as_str().unwrap();
        assert!(secret.starts_with("${HOLDFAST_TEST_") && secret.ends_with("_PASSWORD:?}"), "{secret}");
    }
    let configs: Vec<_> = entries(&compose["configs"]).map(|(name, _)| name).collect();
    assert_eq!(configs, [compose["services"]["rabbitmq"]["configs"][0]["source"].as_str().unwrap()]);
}
