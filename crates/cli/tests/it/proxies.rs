//! What never goes through a proxy: identity endpoints, and servers on this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};

use crate::command::{Ended, Place, command};
use crate::simulated::simulate;

/// A server that answers every request alike, and sends on what it was asked.
pub fn server(body: impl Into<String>) -> (String, Receiver<String>) {
    let body = body.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = vec![0; 8_192];
            let count = stream.read(&mut head).unwrap_or_default();
            let _ = sender.send(String::from_utf8_lossy(&head[..count]).into_owned());
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (url, asked)
}

fn run_behind(proxy: &str, place: &Place, line: &str, more: &[(&str, &str)]) -> Ended {
    let mut command = command(&place.path(""), line);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, proxy);
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy").envs(more.iter().copied());
    Ended::from(command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap())
}

#[test]
fn the_token_of_a_managed_identity_never_passes_a_proxy() {
    let place = Place::new();
    place.write(
        "fleet.toml",
        r#"[azure]
credential = { kind = "managed_identity" }

[[discover]]
subscription = "0b1f6471-1bf0-4dda-aec3-111122223333"
policy = "gold"

[storage.weu]
container = "https://acct.blob.core.windows.net/backups"
sas = { mint = "account_key", key = "env:HOLDFAST_TEST_KEY" }

[policy.gold]
schedule = "30 2 * * *"
timezone = "Europe/Paris"
storage  = "weu"
"#,
    );
    let (proxy, by_proxy) = server("{}");
    let (identity, asked) =
        server(r#"{"access_token":"S3CR3T","expires_on":"4102444800","resource":"x","token_type":"Bearer"}"#);
    let key = format!("{}==", "A".repeat(86));
    let set = [
        ("IDENTITY_ENDPOINT", identity.as_str()),
        ("IDENTITY_HEADER", "h"),
        ("HOLDFAST_TEST_KEY", key.as_str()),
    ];
    let ended = run_behind(&proxy, &place, "apps discover", &set);
    assert_ne!(ended.code, 0, "nothing but the identity answers");
    let request = asked.try_iter().next().unwrap_or_default();
    assert!(request.starts_with("GET /?") && request.contains("resource="), "{request}{}", ended.err);
    for request in by_proxy.try_iter() {
        assert!(request.starts_with("CONNECT ") && !request.contains("S3CR3T"), "{request}");
    }
}

#[test]
fn what_runs_on_this_machine_is_reached_without_a_proxy() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 1 --seed 3");
    let app = place.json("apps discover")["apps"][0]["app"].as_str().unwrap().to_owned();
    let (proxy, by_proxy) = server("{}");
    assert_eq!(place.run("migrate").code, 0);
    let ended = run_behind(&proxy, &place, &format!("backup {app} --wait"), &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert_eq!(by_proxy.try_iter().next(), None);
}
