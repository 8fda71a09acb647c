//! The API of a process over a simulated Azure: it does what commands do, and answers as its description says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use holdfast_tests::service;
use serde_json::{Value, json};

use crate::command::{Place, command};
use crate::simulated::simulate;

/// What must hold of each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";

/// A process that demands logins, ended with its guard.
pub struct Serving {
    child: Child,
    pub address: SocketAddr,
    pub token: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    pub fn start(place: &Place) -> Self {
        Self::start_with(place, "")
    }

    /// The same with options that say where the store and the broker are.
    pub fn start_with(place: &Place, options: &str) -> Self {
        let created = place.run(&format!("tokens create --name tester --role admin {options}"));
        let line = format!("run --listen 127.0.0.1:0 --require-login --log-format json {options}");
        let mut child = command(&place.path(""), line.trim())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let (mut address, mut is_known) = (None, false);
        while address.is_none() || !is_known {
            let line = lines.next().unwrap();
            is_known |= line.contains("the fleet is known");
            let found =
                line.split("\"address\":\"").nth(1).and_then(|rest| rest.split('"').next()?.parse().ok());
            address = address.or(found);
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.unwrap(), token: created.out.trim().to_owned() }
    }

    /// The status and the document of an answer.
    pub fn ask(&self, call: &str, body: Option<&Value>) -> (u16, Value) {
        let Self { address, token, .. } = self;
        let body = body.map(ToString::to_string).unwrap_or_default();
        let (method, path) = call.split_once(' ').unwrap();
        let head = format!("{method} /api/v1{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close");
        let kind = format!("Content-Type: application/json\r\nContent-Length: {}", body.len());
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{head}\r\nAuthorization: Bearer {token}\r\n{kind}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }
}

/// Puts what exists into the description, so that some of the requests find it.
fn with_examples(value: &mut Value, examples: &Value) {
    match value {
        Value::Object(members) => {
            if let (Some(name), true) =
                (members.get("name").and_then(Value::as_str), members.contains_key("in"))
                && let Some(example) = examples.get(name)
            {
                members.insert("example".to_owned(), example.clone());
            }
            if let Some(body) = members.get_mut("example").and_then(Value::as_object_mut) {
                for (name, field) in body {
                    if let Some(example) = examples.get(name) {
                        *field = if field.is_array() { json!([example]) } else { example.clone() };
                    }
                }
            }
            members.values_mut().for_each(|member| with_examples(member, examples));
        }
        Value::Array(values) => values.iter_mut().for_each(|member| with_examples(member, examples)),
        _ => {}
    }
}

#[test]
fn the_api_does_what_commands_do_and_answers_as_its_description_says() {
    let Some(schemathesis) = service("HOLDFAST_TEST_SCHEMATHESIS") else { return };
    let place = Place::new();
    let _azure = simulate(&place, "--apps 4 --seed 7");
    let app = place.json("apps discover")["apps"][0]["app"].as_str().unwrap().to_owned();
    let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
    place.write("fleet.toml", &format!("{fleet}\n[[app]]\nid = \"{app}\"\npolicy = \"gold\"\n"));
    let done = place.json(&format!("backup {app} --wait"));
    let (run, name) = (done[0]["run_id"].clone(), app.rsplit('/').next().unwrap());
    let serving = Serving::start(&place);
    // The pages know the fleet a moment after the process does.
    while serving.ask(&format!("GET /apps{app}"), None).0 == 404 {}

    let (_, catalog) = serving.ask(&format!("GET /backups?app={app}"), None);
    let number = catalog["value"][0]["backup"]["id"].clone();
    let about_one = json!({ "app": app, "backup": number });
    let deletion = json!({ "app": app, "backups": [number], "allow_last": true });
    for (call, body, status) in [
        (format!("GET /inventory?app={app}"), None, 200),
        (format!("GET /backups/{number}?app={app}"), None, 200),
        (format!("GET /doctor?app={app}"), None, 200),
        (format!("GET /retention?app={app}"), None, 200),
        (format!("GET /schedules?app={app}"), None, 200),
        ("GET /storages".to_owned(), None, 200),
        ("GET /problems".to_owned(), None, 200),
        ("GET /subscriptions".to_owned(), None, 200),
        ("POST /verifications".to_owned(), Some(&json!({ "apps": [app] })), 200),
        ("POST /backups/reveal".to_owned(), Some(&about_one), 200),
        ("POST /native-schedules/show".to_owned(), Some(&json!({ "apps": [app] })), 200),
        ("POST /native-schedules/drift".to_owned(), Some(&json!({ "apps": [app] })), 200),
        ("POST /sas/refresh".to_owned(), Some(&about_one), 202),
        ("POST /deletions/plan".to_owned(), Some(&deletion), 200),
        ("POST /deletions".to_owned(), Some(&deletion), 400),
    ] {
        let (found, answer) = serving.ask(&call, body);
        assert_eq!(found, status, "{call}: {answer}");
    }

    let described = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let mut described: Value = serde_json::from_str(&std::fs::read_to_string(described).unwrap()).unwrap();
    assert_eq!(serving.ask("GET /openapi.json", None), (200, described.clone()));
    let examples = json!({ "name": name, "id": run, "number": number, "app": app, "apps": app, "backup": number, "backups": number, "confirm": name });
    with_examples(&mut described["paths"], &examples);
    with_examples(&mut described["components"]["schemas"], &examples);
    place.write("described.json", &described.to_string());
    let mut asking = Command::new(schemathesis);
    asking.current_dir(place.path("")).args(["run", "described.json"]);
    asking.args(["--url", &format!("http://{}", serving.address), "--checks", CHECKS]);
    asking.args(["--header", &format!("Authorization: Bearer {}", serving.token)]);
    // One worker: CPython 3.11 confuses its parser when two threads use it at once.
    asking.args(
        "--phases examples,coverage,fuzzing --max-examples 5 --workers 1 --seed 7 --no-shrink --request-timeout 60 --warnings off"
            .split(' '),
    );
    asking.args("--generation-database none --suppress-health-check all --continue-on-failure".split(' '));
    let asked = asking.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(asked.status.success(), "{}{}", text(&asked.stdout), text(&asked.stderr));
}
