//! A fleet in a simulated Azure, served over HTTP by the test itself, and the fleet file that fits it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use holdfast_model::SystemClock;
use holdfast_simulator::{Azure, BucketSize, BucketSizes, Client, Config, Faults, Fleet, Pace, Server};
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;

use crate::kinds;

/// Due each minute, every app at its own place in it.
pub(crate) const EACH_MINUTE: &str = "* * * * *";
/// Never due.
pub(crate) const NEVER: &str = "0 0 1 1 *";

/// What a test varies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Apps, without the slots that a fleet for every kind of run has besides.
    pub apps: usize,
    /// Whether the fleet file asks for every kind of run, and not for backups alone.
    pub every_kind: bool,
    /// What goes wrong at Azure.
    pub faults: Faults,
    /// How late a slow answer is.
    pub slow_answer: Duration,
    /// How long a step may take until it is handed out again.
    pub lease: Duration,
    /// How long a call may take.
    pub call_timeout: Duration,
}

/// The fleet and its Azure.
pub(crate) struct Simulated {
    shape: Shape,
    server: Server,
    azure: Arc<Mutex<Azure>>,
    fleet: Fleet,
}

impl Simulated {
    /// Serves it as long as the test runs, and puts the secrets that the fleet file names into `folder`.
    pub(crate) async fn serve(shape: Shape, folder: &Path) -> Self {
        let mut fleet = Fleet::generate(shape.apps, 20);
        if shape.every_kind {
            kinds::furnish(&mut fleet);
        }
        let plenty = BucketSize { capacity: 1_000_000, refill_per_second: 1_000_000 };
        let config = Config {
            faults: shape.faults,
            pace: Pace { slow_answer: shape.slow_answer, ..Pace::demo() },
            remembers_secrets: true,
            buckets: BucketSizes { reads: plenty, writes: plenty, deletes: plenty },
            ..Config::new(fleet.clone())
        };
        let azure = Arc::new(Mutex::new(Azure::new(config, 20).unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = Arc::new(SystemClock::default());
        let server = Server::start(listener, Arc::clone(&azure), clock, std::future::pending()).unwrap();
        std::fs::write(folder.join("secret"), Client::default().secret.expose_secret()).unwrap();
        std::fs::write(folder.join("key"), fleet.accounts[0].key.expose_secret()).unwrap();
        if shape.every_kind {
            kinds::put_secrets(folder, &server.container_url(Fleet::ACCOUNT, Fleet::CONTAINER));
        }
        Self { shape, server, azure, fleet }
    }

    /// Azure itself.
    pub(crate) fn azure(&self) -> MutexGuard<'_, Azure> {
        self.azure.lock().unwrap()
    }

    /// How long a step may take.
    pub(crate) fn lease(&self) -> Duration {
        self.shape.lease
    }

    /// How many apps there are.
    pub(crate) fn apps(&self) -> usize {
        self.fleet.sites.len()
    }

    /// The ARM id of an app.
    pub(crate) fn app(&self, index: usize) -> String {
        self.fleet.sites[index].site.id.to_string()
    }

    /// How many apps are in a policy.
    pub(crate) fn scheduled(&self) -> usize {
        if self.shape.every_kind { self.apps() - kinds::WITHOUT_POLICY } else { self.apps() }
    }

    /// Where Azure is.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The container of all backups.
    pub(crate) fn container(&self) -> String {
        self.server.container_url(Fleet::ACCOUNT, Fleet::CONTAINER)
    }

    /// The apps themselves.
    pub(crate) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// What the fleet file refers to in the environment.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        if self.shape.every_kind { kinds::env() } else { Vec::new() }
    }

    /// What the fleet file refers to and nobody may read.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let (secret, key) = (Client::default().secret, &self.fleet.accounts[0].key);
        let mut secrets = [&secret, key].map(|secret| secret.expose_secret().to_owned()).to_vec();
        if self.shape.every_kind {
            secrets.extend(kinds::secrets());
        }
        secrets
    }

    /// Writes the fleet file.
    pub(crate) fn write(&self, folder: &Path, schedule: &str) {
        std::fs::write(folder.join("fleet.toml"), self.file(folder, schedule)).unwrap();
    }

    fn file(&self, folder: &Path, schedule: &str) -> String {
        let (client, shape) = (Client::default(), self.shape);
        let mut text = format!(
            r#"[azure]
credential = {{ kind = "client_secret", tenant = "{tenant}", client_id = "{id}", secret = "file:{folder}/secret" }}
endpoint = "{url}"
authority = "{url}"
[storage.sim]
container = "{container}"
sas = {{ mint = "account_key", key = "file:{folder}/key", lifetime = "48h" }}
[policy.gold]
schedule = "{schedule}"
spread = "50s"
catch_up = "1h"
storage = "sim"
deadline = "5m"
poll = {{ first = "500ms", max = "2s" }}
retry.timed_out = {{ attempts = 6, first = "1s", max = "2s" }}
retry.transient = {{ attempts = 6, first = "1s", max = "2s" }}
[limits]
reads = {{ capacity = 10000, per_second = 1000 }}
writes = {{ capacity = 10000, per_second = 1000 }}
per_plan = 10
per_account = 500
outstanding = 500
[engine]
lease = "{lease}s"
settle = "2s"
call_timeout = "{call_timeout}s"
"#,
            tenant = client.tenant,
            id = client.id,
            url = self.server.url(),
            container = self.server.container_url(Fleet::ACCOUNT, Fleet::CONTAINER),
            folder = folder.display(),
            lease = shape.lease.as_secs(),
            call_timeout = shape.call_timeout.as_secs(),
        );
        if shape.every_kind {
            return kinds::fleet_file(&text, &self.fleet, (&self.url(), folder));
        }
        for app in self.fleet.apps() {
            writeln!(text, "[[app]]\nid = \"{app}\"\npolicy = \"gold\"").unwrap();
        }
        text
    }
}
