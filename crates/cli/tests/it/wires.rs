//! Passwords and tokens on the wire, on the command line and in logs.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

use crate::command::{Ended, Place, command};

const PASSWORD: &str = "hunter2hunter2";

#[test]
fn a_server_off_the_machine_gets_no_password_in_the_clear_unless_it_is_named() {
    let place = Place::new();
    for (line, expected) in [
        (
            format!("status --database-url postgres://u:{PASSWORD}@db.invalid/x"),
            "error: the database at db.invalid:5432 is not on this machine, and sslmode=prefer does not verify",
        ),
        (
            format!("migrate --database-url postgres://u:{PASSWORD}@db.invalid/x?sslmode=require"),
            "error: the database at db.invalid:5432 is not on this machine, and sslmode=require does not verify",
        ),
        (
            format!("dead-letters list --amqp-url amqp://u:{PASSWORD}@broker.invalid/%2f"),
            "error: the broker at broker.invalid:5672 is not on this machine, and amqp:// sends",
        ),
    ] {
        let ended = place.run(&line);
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.contains(expected) && ended.err.contains("--allow-cleartext"), "{}", ended.err);
        assert!(ended.err.contains("warning: the command line holds a password"), "{}", ended.err);
        assert!(!ended.err.contains(PASSWORD), "{}", ended.err);
        let ended = place.run(&format!("{line} --allow-cleartext db.invalid,broker.invalid"));
        assert_eq!(ended.code, 3, "it is tried: {}", ended.err);
    }
}

#[test]
fn an_unknown_key_of_a_url_is_named_without_its_value() {
    let place = Place::new();
    place.write("url", &format!("postgres://u@127.0.0.1:1/x?pasword={PASSWORD}&sslmode=disable"));
    let ended = place.run("status --database-url file:url");
    assert!(ended.err.contains("pasword") && !ended.err.contains(PASSWORD), "{}", ended.err);
}

/// A broker that begins the handshake, and hangs up after it was given the login.
fn broker() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut read = [0; 4_096];
            let _ = stream.read(&mut read);
            // AMQP 0-9-1: connection.start, version 0-9, no properties.
            let mut method = vec![0, 10, 0, 10, 0, 9, 0, 0, 0, 0];
            for text in ["PLAIN", "en_US"] {
                method.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
                method.extend(text.bytes());
            }
            let mut frame = vec![1, 0, 0];
            frame.extend(u32::try_from(method.len()).unwrap().to_be_bytes());
            frame.extend(method);
            frame.push(0xce);
            let _ = stream.write_all(&frame);
            let _ = stream.read(&mut read);
        }
    });
    port
}

#[test]
fn no_filter_brings_the_login_of_the_broker_into_the_log() {
    let place = Place::new();
    place.write("url", &format!("amqp://someone:{PASSWORD}@127.0.0.1:{}/%2f", broker()));
    let mut command = command(&place.path(""), "dead-letters list --amqp-url file:url");
    command.env("HOLDFAST_LOG", "trace,lapin::frames=trace,lapin=trace,amq_protocol=trace");
    let ended = Ended::from(command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap());
    assert_eq!(ended.code, 3, "{}", ended.err);
    // PLAIN joins name and password with zero bytes, which a debug print shows as numbers.
    let bytes = PASSWORD.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ");
    for secret in [PASSWORD, &bytes] {
        assert!(!ended.err.contains(secret), "{}", ended.err);
    }
}

#[cfg(unix)]
#[test]
fn files_of_the_store_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new();
    assert_eq!(place.run("migrate").code, 0);
    let mode = std::fs::metadata(place.path("holdfast.sqlite")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(place.path("holdfast.sqlite"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ended = place.run("migrate");
    assert!(ended.code == 0 && ended.err.contains("other users may read the store"), "{}", ended.err);
}

#[test]
fn the_hosts_that_a_fleet_talks_to_are_printed_without_a_request() {
    let place = Place::new();
    place.write(
        "fleet.toml",
        r#"[azure]
credential = { kind = "client_secret", tenant = "t", client_id = "c", secret = "env:HOLDFAST_NOBODY_SETS_THIS" }
[storage.weu]
container = "https://acct.blob.core.windows.net/backups"
sas = { mint = "account_key", key = "env:HOLDFAST_NOBODY_SETS_THIS" }
[policy.gold]
schedule = "0 2 * * *"
storage = "weu"
[[discover]]
subscription = "0a0a"
policy = "gold"
"#,
    );
    place.write("url", &format!("postgres://u:{PASSWORD}@db.example:6432/x?sslmode=verify-full"));
    let found = place.json("doctor --egress --database-url file:url");
    let hosts: Vec<String> = found["destinations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| format!("{}:{}", found["host"].as_str().unwrap(), found["port"]))
        .collect();
    let expected = [
        "management.azure.com:443",
        "login.microsoftonline.com:443",
        "acct.blob.core.windows.net:443",
        "db.example:6432",
    ];
    assert_eq!(hosts, expected);
    assert!(!found.to_string().contains(PASSWORD));
}
