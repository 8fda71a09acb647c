//! Logs, metrics and traces of a process that backs up an app of a simulated Azure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use holdfast_model::{AppId, RunId, SystemClock, Timestamp};
use holdfast_simulator::{Azure, Client, Config, Fleet, Pace, Server};
use holdfast_store::{AppStatus, Mode, SqliteStore, Store};
use holdfast_tests::postgres::Database;
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::collector::{Collector, Span};
use crate::command::{Place, command};
use crate::kill::fleet_file;

/// Two apps, a policy that never fires by itself, and a storage.
struct World {
    place: Place,
    apps: Vec<AppId>,
    secrets: Vec<String>,
}

impl World {
    async fn new() -> Self {
        let fleet = Fleet::generate(2, 5);
        let config = Config { pace: Pace::demo(), ..Config::new(fleet.clone()) };
        let azure = Arc::new(Mutex::new(Azure::new(config, 5).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = Arc::new(SystemClock::default());
        let server = Server::start(listener, azure, clock, std::future::pending()).unwrap();
        let place = Place::new();
        let secret = Client::default().secret.expose_secret().to_owned();
        let key = fleet.accounts[0].key.expose_secret().to_owned();
        place.write("secret", &secret);
        place.write("key", &key);
        place.write("fleet.toml", &fleet_file(&place.path(""), &server, &fleet, "0 0 1 1 *"));
        Self { place, apps: fleet.apps().cloned().collect(), secrets: vec![secret, key] }
    }

    /// `holdfast` with what it logs in a file.
    fn start(&self, line: &str, collector: Option<&Collector>) -> Running {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.place.path("log")).unwrap();
        let mut command = command(&self.place.path(""), line);
        if let Some(collector) = collector {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
        }
        command.env("OTEL_BSP_SCHEDULE_DELAY", "200").env("OTEL_METRIC_EXPORT_INTERVAL", "500");
        Running(command.stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.place.path("log")).unwrap()
    }

    /// The lines of a log in JSON.
    fn log_lines(&self) -> Vec<Value> {
        self.log().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The address in the log, as soon as the log has it.
    fn listening(&self) -> SocketAddr {
        self.until(|| {
            let log = self.log();
            let said = log.split("\"address\":\"").nth(1)?;
            said.split('"').next()?.parse().ok()
        })
    }

    /// Backs up an app through the process that runs, and waits for the end.
    fn back_up(&self, app: &AppId, options: &str) -> RunId {
        let done = self.place.json(&format!("backup {app} --wait {options}"));
        assert_eq!(done[0]["outcome"], "succeeded", "{done} {}", self.log());
        done[0]["run_id"].as_str().unwrap().parse().unwrap()
    }

    async fn status(&self) -> Vec<AppStatus> {
        let path = self.place.path("holdfast.sqlite");
        let store = SqliteStore::open(&path, Arc::new(SystemClock::default()), Mode::Read).await.unwrap();
        store.status().await.unwrap()
    }

    fn until<T>(&self, mut found: impl FnMut() -> Option<T>) -> T {
        for _ in 0..600 {
            if let Some(found) = found() {
                return found;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        panic!("it did not come: {}", self.log())
    }
}

/// A process that is ended with its guard.
struct Running(Child);

impl Running {
    /// Asks it to stop, and waits.
    fn stop(mut self) -> i32 {
        let pid = self.0.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.0.wait().unwrap().code().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    use std::io::{Read as _, Write as _};
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), unchunked(head, body))
}

/// All pages of the console, and the same by its API.
fn pages(address: SocketAddr, run: RunId, app: &str) -> String {
    let of_app = ["/apps", "/api/v1/apps"].map(|path| format!("{path}/{app}"));
    let of_run = ["/runs", "/api/v1/runs"].map(|path| format!("{path}/{run}"));
    let fixed =
        ["/", "/fleet", "/activity", "/audit", "/capacity", "/fleet.csv", "/api/v1/audit", "/api/v1/runs"];
    let mut all = String::new();
    for path in fixed.map(str::to_owned).into_iter().chain(of_app).chain(of_run) {
        let (status, page) = get(address, &path);
        assert_eq!(status, 200, "{path}: {page}");
        all.push_str(&page);
    }
    assert!(all.contains(app));
    all
}

/// A large body comes in pieces, each after its length.
fn unchunked(head: &str, body: &str) -> String {
    if !head.to_lowercase().contains("transfer-encoding: chunked") {
        return body.to_owned();
    }
    let (mut text, mut rest) = (String::new(), body);
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        text.push_str(&after[..length]);
        rest = after[length..].trim_start_matches("\r\n");
    }
    text
}

/// The samples of Prometheus' text: each series with its value. A line that is none of the format fails.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut families = BTreeSet::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(families.insert(name.to_owned()), "twice: {line}");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let of = |suffix: &str| name.strip_suffix(suffix).is_some_and(|name| families.contains(name));
            let known = families.contains(name) || of("_bucket") || of("_sum") || of("_count");
            assert!(known && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{line}");
            let before = samples.insert(series.to_owned(), value.parse().unwrap());
            assert_eq!(before, None, "twice: {line}");
        }
    }
    samples
}

/// The one sample of a metric that has a label of this value.
fn sample(samples: &BTreeMap<String, f64>, metric: &str, label: &str) -> f64 {
    let mut found =
        samples.iter().filter(|(name, _)| name.starts_with(&format!("{metric}{{")) && name.contains(label));
    let (_, value) = found.next().unwrap_or_else(|| panic!("no {metric} with {label}"));
    assert!(found.next().is_none(), "several {metric} with {label}");
    *value
}

/// What `scheduler` sent and `worker` did is one trace, each step below the message that asked for it.
fn assert_one_trace(spans: &[Span], run: RunId, (scheduler, worker): (&str, &str)) {
    let trace = run.to_string().replace('-', "");
    let of_run: Vec<&Span> = spans
        .iter()
        .filter(|span| span.attributes.get("holdfast.run.id") == Some(&run.to_string()))
        .collect();
    assert!(of_run.iter().all(|span| span.trace == trace), "{of_run:#?}");
    let named = |name: &str| spans.iter().filter(|span| span.trace == trace && span.name == name).collect();
    let (whole, sent, steps): (Vec<&Span>, Vec<&Span>, Vec<&Span>) =
        (named("backup run"), named("send step"), named("process step"));
    assert_eq!((whole.len(), whole[0].parent.as_str()), (1, ""), "one span stands for the run");
    assert_eq!(whole[0].attributes["holdfast.outcome"], "succeeded");
    assert!(!sent.is_empty() && sent.iter().all(|span| span.parent == whole[0].id && span.kind == 4));
    assert!(sent.iter().all(|span| span.service == scheduler), "{sent:#?}");
    let sent: BTreeSet<&str> = sent.iter().map(|span| span.id.as_str()).collect();
    assert!(
        !steps.is_empty() && steps.iter().all(|step| sent.contains(step.parent.as_str()) && step.kind == 5)
    );
    assert!(steps.iter().all(|step| step.attributes["holdfast.attempt"] == "1"), "{steps:#?}");
    let steps: BTreeSet<&str> = steps.iter().map(|span| span.id.as_str()).collect();
    for (name, method) in [("arm backup", "POST"), ("arm get_backup", "GET")] {
        let calls: Vec<&Span> = named(name);
        assert!(!calls.is_empty(), "no {name}");
        for call in calls {
            assert!(steps.contains(call.parent.as_str()) && call.kind == 3, "{call:?}");
            assert_eq!(
                (call.attributes["http.request.method"].as_str(), call.service.as_str()),
                (method, worker)
            );
            for id in ["azure.client.request.id", "azure.service.request.id", "http.response.status_code"] {
                assert!(call.attributes.contains_key(id), "{id}: {call:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_one_trace_its_success_is_a_metric_and_no_secret_is_exported() {
    let (world, collector) = (World::new().await, Collector::start().await);
    let line = "run --listen 127.0.0.1:0 --log debug --log-format json";
    let running = world.start(line, Some(&collector));
    let address = world.listening();
    world.until(|| (get(address, "/readyz").0 == 200).then_some(()));
    let last_success = |samples: &BTreeMap<String, f64>| {
        let found = samples.iter().filter(|(name, _)| name.starts_with("holdfast_last_success_"));
        found.map(|(_, at)| *at).collect::<Vec<f64>>()
    };
    // Two apps that were never backed up.
    world.until(|| (last_success(&samples(&get(address, "/metrics").1)) == [0.0, 0.0]).then_some(()));
    let run = world.back_up(&world.apps[0], "");
    world.until(|| {
        last_success(&samples(&get(address, "/metrics").1)).iter().any(|at| *at > 0.0).then_some(())
    });
    let text = get(address, "/metrics").1;
    let after = samples(&text);
    let pages = pages(address, run, &world.apps[0].short_name());

    for status in world.status().await {
        let label = format!("app=\"{}\"", status.app.short_name());
        let expected = status
            .last_good_at
            .map_or(0.0, |at| (at - Timestamp::UNIX_EPOCH).to_std().unwrap().as_secs_f64());
        let shown = sample(&after, "holdfast_last_success_timestamp_seconds", &label);
        assert!((shown - expected).abs() < 0.0005, "{label}: {shown} and not {expected}");
    }
    let ended = sample(&after, "holdfast_runs_ended_total", "outcome=\"succeeded\"");
    assert!((ended - 1.0).abs() < 0.1);
    let posts = sample(&after, "http_client_request_duration_seconds_count", "holdfast_operation=\"backup\"");
    assert!((posts - 1.0).abs() < 0.1);
    let lapses = sample(&after, "holdfast_sas_expiry_timestamp_seconds", "storage=");
    assert!(lapses > last_success(&after).into_iter().fold(0.0, f64::max), "the SAS outlives its backup");

    assert_eq!(running.stop(), 0, "{}", world.log());
    assert_one_trace(&collector.spans(), run, ("holdfast", "holdfast"));
    assert!(collector.metrics().iter().any(|name| name == "holdfast.last_success.timestamp"));
    let logs = collector.logs();
    assert!(logs.iter().any(|(said, _)| said.starts_with("stopped")), "{logs:?}");

    let in_step = |line: &Value| {
        let spans = line["spans"].as_array().into_iter().flatten().chain(line.get("span"));
        let mut steps = spans.filter(|span| span["name"] == "step");
        steps.any(|step| step["run"] == run.to_string() && step["app"].is_string() && step["attempt"] == 1)
    };
    let lines = world.log_lines();
    assert!(lines.iter().any(in_step), "{}", world.log());
    let of_run = |line: &&Value| line["target"] == "holdfast::runs" && line["run"] == run.to_string();
    let said: Vec<&Value> = lines.iter().filter(of_run).collect();
    let messages = said.iter().filter_map(|line| line["message"].as_str());
    let messages: Vec<&str> = messages.filter(|message| message.starts_with("backup")).collect();
    assert_eq!(messages, ["backup started", "backup succeeded"], "each once");
    let ended = said.iter().find(|line| line["outcome"] == "succeeded").unwrap();
    assert_eq!(ended["app"], world.apps[0].short_name());
    assert!(ended["size_bytes"].as_i64() > Some(0) && ended["took_seconds"].as_f64() > Some(0.0), "{ended}");
    for told in [world.log(), text, collector.text(), pages] {
        assert!(!told.is_empty());
        for secret in world.secrets.iter().map(String::as_str).chain(["sig=", "sig%3D", "Bearer "]) {
            assert!(!told.contains(secret), "`{secret}` is told");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_continues_from_the_scheduler_through_the_broker_to_the_worker() {
    let (Some(database), Some(broker)) = (Database::new().await, VirtualHost::new()) else { return };
    let (world, collector) = (World::new().await, Collector::start().await);
    world.place.write("database", database.url().expose_secret());
    world.place.write("broker", broker.url().expose_secret());
    let shared = format!(
        "--database-url file:{} --amqp-url file:{}",
        world.place.path("database").display(),
        world.place.path("broker").display()
    );
    let migrated = world.place.run(&format!("migrate {shared}"));
    assert_eq!(migrated.code, 0, "{}", migrated.err);
    let roles = ["scheduler", "worker"]
        .map(|role| world.start(&format!("{role} {shared} --log info --log-format json"), Some(&collector)));
    let run = world.back_up(&world.apps[0], &shared);
    for role in roles {
        assert_eq!(role.stop(), 0, "{}", world.log());
    }
    assert_one_trace(&collector.spans(), run, ("holdfast-scheduler", "holdfast-worker"));
    let passwords = [database.url(), broker.url()].map(|url| {
        let url = url::Url::parse(url.expose_secret()).unwrap();
        url.password().unwrap().to_owned()
    });
    for password in passwords.iter().filter(|password| password.len() > 5) {
        assert!(!world.log().contains(password) && !collector.text().contains(password));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_never_answers_neither_fails_the_work_nor_holds_up_its_end() {
    let world = World::new().await;
    // It accepts connections, and that is all.
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut command = command(&world.place.path(""), &format!("backup {} --wait", world.apps[0]));
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", deaf.local_addr().unwrap()));
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("the last telemetry could not be exported"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_export_is_logged_and_the_process_continues() {
    let world = World::new().await;
    let mut command = command(&world.place.path(""), &format!("backup {} --wait", world.apps[0]));
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("traces cannot be exported: OTLP is spoken as http/protobuf"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_named_with_what_to_do() {
    let world = World::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let ended = world.place.run(&format!("run --listen {address} --log error"));
    assert_eq!(ended.code, 2, "{}", ended.err);
    let expected = format!(
        "error: cannot listen on {address}: another process uses the address\n\
         help: choose another address with --listen; port 0 chooses a free one\n"
    );
    assert_eq!(ended.err, expected);
}
