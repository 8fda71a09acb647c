//! A simulated Azure over HTTP with its fleet file, for `holdfast demo` and `holdfast simulate`.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use holdfast_model::Clock;
use holdfast_simulator::{Azure, Client, Config, Faults, Fleet, Pace, Server};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;

/// One app in this many has a slot `staging`.
const SLOTS: usize = 3;

/// A generated fleet in a simulated Azure.
#[derive(Debug, Clone)]
pub struct Simulation {
    fleet: Fleet,
    client: Client,
    seed: u64,
    hostile: bool,
}

/// What a fleet is generated from.
#[derive(Debug, Clone, Copy)]
pub struct FleetShape {
    /// Number of apps.
    pub apps: u32,
    /// Number of subscriptions that hold them; `None` for a number that follows from the apps.
    pub subscriptions: Option<u32>,
    /// The seed of everything else.
    pub seed: u64,
}

impl Simulation {
    /// Generates the fleet from its shape.
    pub fn new(shape: FleetShape, hostile: bool) -> Self {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let FleetShape { apps, subscriptions, seed } = shape;
        let fleet = match subscriptions {
            Some(subscriptions) => Fleet::generate_across(count(apps), count(subscriptions), seed),
            None => Fleet::generate(count(apps), seed),
        };
        Self { fleet, client: Client::default(), seed, hostile }
    }

    /// Serves it until `shutdown`, with backups that take seconds.
    pub fn serve(
        &self,
        listener: TcpListener,
        clock: Arc<dyn Clock>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<(Server, Arc<Mutex<Azure>>)> {
        let faults = if self.hostile { hostile() } else { Faults::none() };
        let client = self.client.clone();
        let config = Config {
            faults,
            client,
            pace: Pace::demo(),
            ..Config::new(self.fleet.clone().with_slots(SLOTS))
        };
        let azure = Azure::new(config, self.seed).context("failed to create the simulated azure")?;
        let azure = Arc::new(Mutex::new(azure));
        let server = Server::start(listener, Arc::clone(&azure), clock, shutdown);
        Ok((server.context("failed to serve the simulated azure")?, azure))
    }

    /// Writes `fleet.toml` and its secrets into `folder`, and returns the path of the fleet file.
    ///
    /// `policies` is the TOML of the policies `gold` and `silver`, with the storage `simulated`.
    pub fn write_files(&self, folder: &Path, server: &Server, policies: &str) -> anyhow::Result<PathBuf> {
        let failed = || format!("failed to write into {}", folder.display());
        fs::create_dir_all(folder).with_context(failed)?;
        let folder = std::path::absolute(folder).with_context(failed)?;
        let account = self.fleet.account(Fleet::ACCOUNT).context("the simulation has no storage account")?;
        write_secret(&folder.join("client-secret"), &self.client.secret).with_context(failed)?;
        write_secret(&folder.join("storage-key"), &account.key).with_context(failed)?;
        let path = folder.join("fleet.toml");
        fs::write(&path, self.fleet_file(&folder, server, policies)).with_context(failed)?;
        Ok(path)
    }

    fn fleet_file(&self, folder: &Path, server: &Server, policies: &str) -> String {
        let secret = |name: &str| quoted(&format!("file:{}", folder.join(name).display()));
        let mut text = format!(
            r#"# A fleet in a simulated Azure: nothing in it reaches the real one.

[azure]
credential = {{ kind = "client_secret", tenant = {tenant}, client_id = {client}, secret = {secret} }}
endpoint   = {url}
authority  = {url}

[storage.simulated]
container = {container}
sas = {{ mint = "account_key", key = {key}, lifetime = "48h" }}

{policies}"#,
            tenant = quoted(&self.client.tenant),
            client = quoted(&self.client.id),
            secret = secret("client-secret"),
            url = quoted(&server.url()),
            container = quoted(&server.container_url(Fleet::ACCOUNT, Fleet::CONTAINER)),
            key = secret("storage-key"),
        );
        for subscription in self.fleet.subscriptions() {
            for policy in ["gold", "silver"] {
                let id = quoted(subscription.as_str());
                let rule = format!(
                    "[[discover]]\nsubscription = {id}\ntags   = {{ backup = \"{policy}\" }}\npolicy = \"{policy}\""
                );
                // Writing to a String cannot fail.
                let _ = write!(text, "\n{rule}\n");
            }
        }
        text
    }
}

/// The faults of `--hostile`, as probabilities.
fn hostile() -> Faults {
    Faults {
        timed_out: 0.10,
        skipped: 0.05,
        partial: 0.02,
        failed_storage: 0.02,
        lost_post_answer: 0.05,
        throttle: 0.02,
        databases_dropped: 0.02,
        delete_failed: 0.03,
        deleted_lingers: 0.02,
        restore_failed: 0.05,
        ..Faults::none()
    }
}

/// The text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Writes a file that only its owner may read.
fn write_secret(path: &Path, secret: &SecretString) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, secret.expose_secret().as_bytes())
}
