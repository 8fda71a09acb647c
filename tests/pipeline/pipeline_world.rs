//! The environment of a pipeline test: a fleet, a folder for files and logs, a database, a broker and the processes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;
use std::sync::Mutex;
use std::time::Duration;

use holdfast_model::{AppId, Run, RunState, Timestamp};
use holdfast_store::{Mode, PgStore, RunFilter, Store as _};
use holdfast_tests::collector::Collector;
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use url::Url;

use crate::fleet::{EACH_MINUTE, NEVER, Shape, Simulated};
use crate::process::{Process, command, fetched, logs};
use crate::secrets::files;
use crate::wait::eventually;

/// The URLs of the database and the broker, as given to the processes.
#[derive(Debug, Clone)]
pub(crate) struct ServiceUrls {
    pub database: String,
    pub broker: String,
}

/// The environment of a pipeline test.
pub(crate) struct PipelineWorld {
    folder: tempfile::TempDir,
    env: BTreeMap<&'static str, String>,
    database: String,
    /// Recorded texts with their sources, to be searched for secrets.
    recorded: Mutex<Vec<(String, String)>>,
    /// Receives the telemetry of every process.
    collector: Collector,
    pub simulated: Simulated,
    pub processes: Vec<Process>,
    /// The store, read directly and not through a proxy.
    pub store: PgStore,
}

impl PipelineWorld {
    /// A world with a migrated database and no processes. `direct` is the database owner's URL, without a proxy.
    pub(crate) async fn new(shape: Shape, service_urls: &ServiceUrls, direct: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let simulated = Simulated::serve(shape, folder.path()).await;
        simulated.write(folder.path(), EACH_MINUTE);
        let mut env = environment(service_urls);
        env.extend(simulated.env());
        let collector = Collector::start().await;
        env.insert("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
        let owner = environment(&ServiceUrls { database: direct.to_owned(), ..service_urls.clone() });
        let migrated = command(folder.path(), &["migrate"], &owner).output().await.unwrap();
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        let store = PgStore::connect(&direct.into(), Mode::Read).await.unwrap();
        let (database, recorded) = (direct.to_owned(), Mutex::default());
        Self { folder, env, database, recorded, collector, simulated, processes: Vec::new(), store }
    }

    /// Sets a variable for every process started from now on.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.env.insert(name, value);
    }

    /// The folder of files and logs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts processes and waits until all of them are ready.
    pub(crate) async fn start(&mut self, schedulers: usize, workers: usize) {
        let names = (1..=schedulers)
            .map(|number| format!("scheduler-{number}"))
            .chain((1..=workers).map(|number| format!("worker-{number}")));
        let start = |name: String| Process::start(&name, self.folder.path(), &self.env);
        self.processes = names.map(start).collect();
        for process in &mut self.processes {
            process.runs(Duration::from_mins(1)).await;
        }
    }

    /// Starts a process on the fleet file in `folder`.
    pub(crate) fn start_in(&self, name: &str, folder: &Path) -> Process {
        Process::start(name, folder, &self.env)
    }

    /// Starts a process that watches the fleet file in `folder`.
    pub(crate) fn start_watching(&self, name: &str, folder: &Path) -> Process {
        Process::start_with(name, &["--watch"], folder, &self.env)
    }

    /// Restarts all processes with a schedule that is never due.
    pub(crate) async fn stop_scheduling(&mut self) {
        self.simulated.write(self.folder.path(), NEVER);
        for process in &mut self.processes {
            process.kill().await;
        }
        for process in &mut self.processes {
            process.start_again();
            process.runs(Duration::from_mins(1)).await;
        }
    }

    /// Runs a command of the program, and records its output.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let output = self.run_unrecorded(arguments).await;
        for bytes in [&output.stdout, &output.stderr] {
            self.record_output(
                format!("holdfast {}", arguments.join(" ")),
                String::from_utf8_lossy(bytes).into_owned(),
            );
        }
        output
    }

    /// Runs a command whose output contains a secret, and does not record the output.
    pub(crate) async fn run_unrecorded(&self, arguments: &[&str]) -> Output {
        command(self.folder.path(), arguments, &self.env).output().await.unwrap()
    }

    /// Runs a command with a SQLite store and no broker. Records its output and the store's files.
    pub(crate) async fn run_embedded(&self, arguments: &[&str]) -> Output {
        let env = self.simulated.env().into_iter().collect();
        let output = command(self.folder.path(), arguments, &env).output().await.unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            self.record_output("the embedded form".to_owned(), String::from_utf8_lossy(bytes).into_owned());
        }
        self.recorded.lock().unwrap().extend(files(self.folder.path(), &[".sqlite", ".sqlite-wal"]));
        output
    }

    /// Records a text that must contain no secret.
    pub(crate) fn record_output(&self, source: String, text: String) {
        self.recorded.lock().unwrap().push((source, text));
    }

    /// Records the messages that the broker delivered since it was tapped.
    pub(crate) fn record_messages(&self, broker: &VirtualHost) {
        let messages = broker.tapped();
        assert!(messages.contains("run_id") && messages.contains("traceparent"), "messages were tapped");
        self.record_output("the broker's messages".to_owned(), messages);
    }

    /// The recorded texts, and the telemetry of all processes.
    pub(crate) fn recorded(&self) -> Vec<(String, String)> {
        let telemetry = self.collector.text();
        assert!(telemetry.contains("holdfast"), "telemetry was sent");
        let recorded = self.recorded.lock().unwrap().clone();
        recorded.into_iter().chain([("the collector".to_owned(), telemetry)]).collect()
    }

    /// The HTTP pages that the processes serve now.
    pub(crate) async fn metrics(&self) -> Vec<(String, String)> {
        let mut pages = Vec::new();
        for process in &self.processes {
            for path in ["/metrics", "/readyz"] {
                let Some(address) = process.listens_at() else { continue };
                let page = fetched(address, path).await;
                pages.push((format!("{path} of {}", process.name()), page));
            }
        }
        pages
    }

    /// The database owner's URL, without a proxy.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Runs a command and returns its JSON output.
    pub(crate) async fn ask(&self, arguments: &[&str]) -> Value {
        let answer = self.run(&[arguments, &["--output", "json"]].concat()).await;
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        serde_json::from_slice(&answer.stdout).unwrap()
    }

    /// The ids and reasons of all dead letters.
    pub(crate) async fn dead_letters(&self) -> Vec<(String, String)> {
        let letters = self.ask(&["dead-letters", "list"]).await;
        let text = |letter: &Value, name: &str| letter[name].as_str().unwrap().to_owned();
        let of = |letter: &Value| (text(letter, "id"), text(letter, "reason"));
        letters.as_array().unwrap().iter().map(of).collect()
    }

    /// Restarts processes that ended by themselves. Returns a description of each that had been ready.
    pub(crate) fn revive(&mut self) -> Vec<String> {
        self.processes.iter_mut().filter_map(Process::revive).collect()
    }

    /// All runs; `None` while the database does not answer.
    pub(crate) async fn try_runs(&self) -> Option<Vec<Run>> {
        self.store.runs(&RunFilter::default()).await.ok()
    }

    /// All runs of each app, in order of their ticks.
    pub(crate) async fn runs_by_app(&self) -> BTreeMap<AppId, Vec<Run>> {
        let mut by_app: BTreeMap<AppId, Vec<Run>> = BTreeMap::new();
        for run in self.store.runs(&RunFilter::default()).await.unwrap() {
            by_app.entry(run.app.clone()).or_default().push(run);
        }
        for runs in by_app.values_mut() {
            runs.sort_by_key(|run| run.tick);
        }
        by_app
    }

    /// Waits until each scheduled app has a run for its last tick before `until`.
    pub(crate) async fn planned(&self, until: Timestamp, within: Duration) {
        let what = format!("every app's ticks before {until} are planned");
        eventually(&what, within, async || {
            let mut last: BTreeMap<AppId, Timestamp> = BTreeMap::new();
            for run in self.try_runs().await? {
                let Some(tick) = run.tick else { continue };
                let known = last.entry(run.app).or_insert(tick);
                *known = tick.max(*known);
            }
            let minute = chrono::TimeDelta::minutes(1);
            let caught_up = last.values().all(|tick| *tick + minute > until);
            (last.len() == self.simulated.scheduled() && caught_up).then_some(())
        })
        .await;
    }

    /// Requests a manual backup of every app.
    pub(crate) async fn back_up_all(&self) {
        let apps: Vec<String> = (0..self.simulated.apps()).map(|index| self.simulated.app(index)).collect();
        let arguments: Vec<&str> = ["backup"].into_iter().chain(apps.iter().map(String::as_str)).collect();
        let asked = self.run(&arguments).await;
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    }

    /// Waits until every run has ended. Returns the processes that ended by themselves meanwhile.
    pub(crate) async fn ended(&mut self, within: Duration) -> Vec<String> {
        self.ended_before(Timestamp::MAX_UTC, within).await
    }

    /// Like [`ended`](Self::ended), for the runs created before `until`.
    pub(crate) async fn ended_before(&mut self, until: Timestamp, within: Duration) -> Vec<String> {
        let (mut died, mut unfinished) = (Vec::new(), Vec::new());
        let ended = eventually("every run has ended", Duration::MAX, async || {
            died.extend(self.revive());
            unfinished = self.try_runs().await?;
            unfinished.retain(|run| !run.state.is_ended() && run.created_at < until);
            unfinished.is_empty().then_some(())
        });
        let in_time = tokio::time::timeout(within, ended).await.is_ok();
        assert!(in_time, "not within {within:?}: every run has ended: {unfinished:#?}");
        died
    }

    /// Every secret of this test.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let seen = self.simulated.azure().secrets_seen();
        let seen = seen.iter().map(|secret| secret.expose_secret().to_owned());
        let service_urls = ["HOLDFAST_DATABASE_URL", "HOLDFAST_AMQP_URL"].map(|name| &self.env[name]);
        let passwords =
            service_urls.into_iter().chain([&self.database]).map(|url| url.parse::<Url>().unwrap());
        let passwords = passwords.map(|url| url.password().unwrap().to_owned());
        seen.chain(self.simulated.secrets()).chain(passwords).collect()
    }

    /// The number of expired leases, from the logs of the schedulers.
    pub(crate) fn leases_passed(&self) -> u64 {
        let counts = logs(self.folder()).into_values().flat_map(|log| {
            let lines = log.lines().filter(|line| line.contains("reclaimed="));
            let counts = lines.map(|line| line.split("reclaimed=").nth(1).unwrap().to_owned());
            counts.collect::<Vec<_>>()
        });
        counts.map(|text| text.trim_end().parse::<u64>().unwrap()).sum()
    }
}

/// The environment variables of a process.
pub(crate) fn environment(service_urls: &ServiceUrls) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("HOLDFAST_DATABASE_URL", service_urls.database.clone()),
        ("HOLDFAST_AMQP_URL", service_urls.broker.clone()),
    ])
}

/// Whether the run has started and not ended.
pub(crate) fn is_begun(run: &Run) -> bool {
    !matches!(run.state, RunState::Planned | RunState::Ended { .. })
}
