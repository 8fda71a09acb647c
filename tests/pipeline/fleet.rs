//! A fleet in a simulated Azure, which the test serves over HTTP, and its fleet file.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use holdfast_model::SystemClock;
use holdfast_simulator::{Azure, BucketSize, BucketSizes, Client, Config, Faults, Fleet, Pace, Server};
use holdfast_tests::fleet_file::SimulatedAzure;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;

use crate::kinds;

/// A crontab that is due each minute; the spread differs by app.
pub(crate) const EACH_MINUTE: &str = "* * * * *";
/// A crontab that is not due during a test.
pub(crate) const NEVER: &str = "0 0 1 1 *";

/// The parameters of a fleet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// The number of apps, without slots.
    pub apps: usize,
    /// Whether the fleet file configures every kind of run, or backups only.
    pub every_kind: bool,
    /// The faults of Azure.
    pub faults: Faults,
    /// The delay of a slow response.
    pub slow_answer: Duration,
    /// The lease of a step.
    pub lease: Duration,
    /// The timeout of a call.
    pub call_timeout: Duration,
}

/// A fleet and its simulated Azure.
pub(crate) struct Simulated {
    shape: Shape,
    server: Server,
    azure: Arc<Mutex<Azure>>,
    fleet: Fleet,
}

impl Simulated {
    /// Serves Azure while the test runs, and writes the secrets that the fleet file refers to into `folder`.
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

    /// The simulated Azure.
    pub(crate) fn azure(&self) -> MutexGuard<'_, Azure> {
        self.azure.lock().unwrap()
    }

    /// The lease of a step.
    pub(crate) fn lease(&self) -> Duration {
        self.shape.lease
    }

    /// The number of apps.
    pub(crate) fn apps(&self) -> usize {
        self.fleet.sites.len()
    }

    /// The ARM id of an app.
    pub(crate) fn app(&self, index: usize) -> String {
        self.fleet.sites[index].site.id.to_string()
    }

    /// The number of apps in a policy.
    pub(crate) fn scheduled(&self) -> usize {
        if self.shape.every_kind { self.apps() - kinds::WITHOUT_POLICY } else { self.apps() }
    }

    /// The URL of Azure.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The container of all backups.
    pub(crate) fn container(&self) -> String {
        self.server.container_url(Fleet::ACCOUNT, Fleet::CONTAINER)
    }

    /// The simulated sites.
    pub(crate) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The environment variables that the fleet file refers to.
    pub(crate) fn env(&self) -> Vec<(&'static str, String)> {
        if self.shape.every_kind { kinds::env() } else { Vec::new() }
    }

    /// The secrets that the fleet file refers to.
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
        let container = self.server.container_url(Fleet::ACCOUNT, Fleet::CONTAINER);
        let (tenant, client, url) = (&client.tenant, &client.id, &self.server.url());
        let azure = SimulatedAzure { tenant, client, url, container: &container, folder }.tables();
        let mut text = format!(
            r#"{azure}[policy.gold]
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
