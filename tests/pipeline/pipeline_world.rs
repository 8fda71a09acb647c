//! A fleet, a folder for its files and logs, a database and a broker, and the processes that meet there.

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

/// Where the processes are told that their database and their broker are.
#[derive(Debug, Clone)]
pub(crate) struct ServiceUrls {
    pub database: String,
    pub broker: String,
}

/// Everything that a test has around it.
pub(crate) struct PipelineWorld {
    folder: tempfile::TempDir,
    env: BTreeMap<&'static str, String>,
    database: String,
    /// What was heard, by place, to be searched for secrets.
    recorded: Mutex<Vec<(String, String)>>,
    /// Where every process sends its telemetry.
    collector: Collector,
    pub simulated: Simulated,
    pub processes: Vec<Process>,
    /// The truth, read past every proxy.
    pub store: PgStore,
}

impl PipelineWorld {
    /// A world whose database has its schema, and in which nothing runs yet. `direct` is the database past its proxy, as
    /// its owner.
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

    /// Sets a variable for everything that is started from here on.
    pub(crate) fn set(&mut self, name: &'static str, value: String) {
        self.env.insert(name, value);
    }

    /// Where files and logs are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts so many of each and waits until all of them work.
    pub(crate) async fn start(&mut self, schedulers: usize, workers: usize) {
        let names = (1..=schedulers)
            .map(|number| format!("scheduler-{number}"))
            .chain((1..=workers).map(|number| format!("worker-{number}")));
        let start = |name: String| Process::start(&name, self.folder.path(), &self.env);
        self.processes = names.map(start).collect();
        for process in &mut self.processes {
            process.runs(Duration::from_secs(30)).await;
        }
    }

    /// From here on nothing new becomes due. The processes are killed and started with the changed fleet file.
    pub(crate) async fn stop_scheduling(&mut self) {
        self.simulated.write(self.folder.path(), NEVER);
        for process in &mut self.processes {
            process.kill().await;
        }
        for process in &mut self.processes {
            process.start_again();
            process.runs(Duration::from_secs(30)).await;
        }
    }

    /// A command of the program, carried out.
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

    /// As [`run`](Self::run), of a command that is to answer with a secret.
    pub(crate) async fn run_unrecorded(&self, arguments: &[&str]) -> Output {
        command(self.folder.path(), arguments, &self.env).output().await.unwrap()
    }

    /// A command of the program that knows of no database and no broker: its store is a file. What it said is kept, and so is
    /// what is in that file.
    pub(crate) async fn run_embedded(&self, arguments: &[&str]) -> Output {
        let env = self.simulated.env().into_iter().collect();
        let output = command(self.folder.path(), arguments, &env).output().await.unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            self.record_output("the embedded form".to_owned(), String::from_utf8_lossy(bytes).into_owned());
        }
        self.recorded.lock().unwrap().extend(files(self.folder.path(), &[".sqlite", ".sqlite-wal"]));
        output
    }

    /// Keeps a text in which no secret may be.
    pub(crate) fn record_output(&self, place: String, text: String) {
        self.recorded.lock().unwrap().push((place, text));
    }

    /// Keeps what the broker handed out since it was tapped.
    pub(crate) fn record_messages(&self, broker: &VirtualHost) {
        let messages = broker.tapped();
        assert!(messages.contains("run_id") && messages.contains("traceparent"), "messages were tapped");
        self.record_output("the broker's messages".to_owned(), messages);
    }

    /// What was heard so far, and what processes sent as telemetry.
    pub(crate) fn recorded(&self) -> Vec<(String, String)> {
        let telemetry = self.collector.text();
        assert!(telemetry.contains("holdfast"), "telemetry was sent");
        let recorded = self.recorded.lock().unwrap().clone();
        recorded.into_iter().chain([("the collector".to_owned(), telemetry)]).collect()
    }

    /// The pages that the processes serve now.
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

    /// Where the database is, past every proxy.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// What the program answers to programs.
    pub(crate) async fn ask(&self, arguments: &[&str]) -> Value {
        let answer = self.run(&[arguments, &["--output", "json"]].concat()).await;
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        serde_json::from_slice(&answer.stdout).unwrap()
    }

    /// The messages that the broker or a worker refused: their ids, and why.
    pub(crate) async fn dead_letters(&self) -> Vec<(String, String)> {
        let letters = self.ask(&["dead-letters", "list"]).await;
        let text = |letter: &Value, name: &str| letter[name].as_str().unwrap().to_owned();
        let of = |letter: &Value| (text(letter, "id"), text(letter, "reason"));
        letters.as_array().unwrap().iter().map(of).collect()
    }

    /// Starts processes that ended by themselves again; those that should not have are told of.
    pub(crate) fn revive(&mut self) -> Vec<String> {
        self.processes.iter_mut().filter_map(Process::revive).collect()
    }

    /// All runs; `None` while the database does not answer.
    pub(crate) async fn try_runs(&self) -> Option<Vec<Run>> {
        self.store.runs(&RunFilter::default()).await.ok()
    }

    /// All runs of each app, by tick.
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

    /// Waits until each app that is in a policy has a run for its last tick before `until`: the planner has caught up.
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

    /// Asks for a backup of every app, as people do.
    pub(crate) async fn back_up_all(&self) {
        let apps: Vec<String> = (0..self.simulated.apps()).map(|index| self.simulated.app(index)).collect();
        let arguments: Vec<&str> = ["backup"].into_iter().chain(apps.iter().map(String::as_str)).collect();
        let asked = self.run(&arguments).await;
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    }

    /// Waits until every run has ended. Answers which processes ended by themselves meanwhile.
    pub(crate) async fn ended(&mut self, within: Duration) -> Vec<String> {
        self.ended_before(Timestamp::MAX_UTC, within).await
    }

    /// As [`ended`](Self::ended), of the runs that came to be before `until`.
    pub(crate) async fn ended_before(&mut self, until: Timestamp, within: Duration) -> Vec<String> {
        let mut died = Vec::new();
        eventually("every run has ended", within, async || {
            died.extend(self.revive());
            let runs = self.try_runs().await?;
            runs.iter().all(|run| run.state.is_ended() || run.created_at >= until).then_some(())
        })
        .await;
        died
    }

    /// What nobody may read anywhere.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let seen = self.simulated.azure().secrets_seen();
        let seen = seen.iter().map(|secret| secret.expose_secret().to_owned());
        let service_urls = ["HOLDFAST_DATABASE_URL", "HOLDFAST_AMQP_URL"].map(|name| &self.env[name]);
        let passwords =
            service_urls.into_iter().chain([&self.database]).map(|url| url.parse::<Url>().unwrap());
        let passwords = passwords.map(|url| url.password().unwrap().to_owned());
        seen.chain(self.simulated.secrets()).chain(passwords).collect()
    }

    /// How many leases passed, as the schedulers tell it.
    pub(crate) fn leases_passed(&self) -> u64 {
        let counts = logs(self.folder()).into_values().flat_map(|log| {
            let lines = log.lines().filter(|line| line.contains("leases passed"));
            let counts = lines.map(|line| line.split("reclaimed=").nth(1).unwrap().to_owned());
            counts.collect::<Vec<_>>()
        });
        counts.map(|text| text.trim_end().parse::<u64>().unwrap()).sum()
    }
}

/// The environment of processes.
pub(crate) fn environment(service_urls: &ServiceUrls) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("HOLDFAST_DATABASE_URL", service_urls.database.clone()),
        ("HOLDFAST_AMQP_URL", service_urls.broker.clone()),
    ])
}

/// Is it under way, and not only planned?
pub(crate) fn is_begun(run: &Run) -> bool {
    !matches!(run.state, RunState::Planned | RunState::Ended { .. })
}
