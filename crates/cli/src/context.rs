//! The context of a command: its options, output, clock and telemetry.

use std::sync::Arc;

use holdfast_arm::{Arm, CallObserver};
use holdfast_config::{Fleet, Invalid, Secrets, summary};
use holdfast_control::dead_letters::DeadLetterBox;
use holdfast_control::egress::Destination;
use holdfast_control::pacing::{PacedArm, Pacer, PacerParts, Patience};
use holdfast_control::revisions::{InForce, newest_usable};
use holdfast_control::{ControlContext, Error, ErrorKind, Notify};
use holdfast_hardening::lax_mode;
use holdfast_identity::arm_clients;
use holdfast_model::{Actor, Clock};
use holdfast_queue::{Config, broker_wire};
use holdfast_storage::SecretRef;
use holdfast_store::{MemoryStore, Mode, PgStore, SqliteStore, Store, database_wire};
use holdfast_telemetry::{Telemetry, remember_secret};
use secrecy::SecretString;

use crate::args::Global;
use crate::output::Output;
use crate::runtime::logins::{Logins, login_words};
use holdfast_runtime::dead_letters::BrokerLetters;
use holdfast_runtime::fleet_parts::storages;
use holdfast_runtime::wires::{check_broker, check_database};

/// The context of a command.
#[derive(Debug)]
pub struct Context {
    /// The options of all commands.
    pub global: Global,
    /// Writes results and messages.
    pub out: Output,
    /// The clock of the process.
    pub clock: Arc<dyn Clock>,
    /// Traces, metrics and logs.
    pub telemetry: Telemetry,
}

impl Context {
    /// A context with the output that the options ask for.
    pub fn new(global: Global, clock: Arc<dyn Clock>, telemetry: Telemetry) -> Self {
        let out = Output::new(&global);
        Self { global, out, clock, telemetry }
    }

    /// Reads the fleet file and its secrets.
    ///
    /// Writes to stderr that there are warnings, and which storage's secret is unusable; fails with all errors.
    pub fn fleet(&self) -> anyhow::Result<Fleet> {
        self.fleet_with(Secrets::Read)
    }

    /// Reads the fleet file, and its secrets as `secrets` says.
    pub fn fleet_with(&self, secrets: Secrets) -> anyhow::Result<Fleet> {
        let checked = holdfast_config::check(&self.global.fleet, secrets, self.clock.now())?;
        let Some(fleet) = checked.fleet else { return Err(Invalid(checked.problems).into()) };
        if !checked.problems.is_empty() {
            let (file, count) = (self.global.fleet.display(), summary(&checked.problems));
            self.out.message(&format!("{file} has {count}: see `holdfast config check`"));
        }
        for unusable in checked.unusable {
            self.out.message(&unusable.to_string());
        }
        Ok(fleet)
    }

    /// The fleet that counts in this store: the newest revision that can be used here, or the fleet file while there is none.
    ///
    /// Writes to stderr what is to be known of it.
    pub async fn in_force(&self, store: &dyn Store, secrets: Secrets) -> anyhow::Result<InForce> {
        let Some(found) = newest_usable(store, secrets, self.clock.now()).await? else {
            return Ok(InForce::of_file(self.fleet_with(secrets)?));
        };
        found.unusable.iter().for_each(|unusable| self.out.message(&unusable.to_string()));
        if let Some(error) = &found.error {
            let used = found.revision.unwrap_or_default();
            self.out.message(&format!("warning: {error}; revision {used} is used instead"));
        }
        Ok(found)
    }

    /// The fleet that counts in this store, with its secrets.
    pub async fn fleet_in(&self, store: &dyn Store) -> anyhow::Result<Fleet> {
        Ok(self.in_force(store, Secrets::Read).await?.fleet)
    }

    /// The fleet that counts in the store, without its secrets; the fleet file where there is no store yet.
    pub async fn fleet_for_reading(&self) -> anyhow::Result<Fleet> {
        let Ok(store) = self.store(Mode::Read).await else { return self.fleet_with(Secrets::Leave) };
        let found = self.in_force(&*store, Secrets::Leave).await?;
        store.close().await;
        Ok(found.fleet)
    }

    /// Fails unless the fleet file is valid. Reads no secret.
    pub fn check_file(&self) -> anyhow::Result<()> {
        let checked = holdfast_config::check(&self.global.fleet, Secrets::Leave, self.clock.now())?;
        checked.fleet.map(drop).ok_or_else(|| Invalid(checked.problems).into())
    }

    /// Opens the store: the database if one is named, otherwise the file.
    pub async fn store(&self, mode: Mode) -> anyhow::Result<Arc<dyn Store>> {
        if let Some(url) = &self.global.database_url {
            let url = secret_url(url)?;
            let wire = check_database(&url, &self.global.allow_cleartext)?;
            let passwords = self.logins().database(&wire)?;
            return Ok(Arc::new(PgStore::connect_with(&url, passwords, mode).await?));
        }
        if let Some(permissions) = lax_mode(&self.global.store).filter(|_| mode == Mode::Own) {
            let store = self.global.store.display();
            tracing::warn!(%store, permissions, "other users may read the store: `chmod 600` its files");
        }
        Ok(Arc::new(SqliteStore::open(&self.global.store, Arc::clone(&self.clock), mode).await?))
    }

    /// How to connect to the broker; `None` where none is named.
    pub fn broker(&self) -> anyhow::Result<Option<Config>> {
        let Some(url) = &self.global.amqp_url else { return Ok(None) };
        let url = secret_url(url)?;
        let wire = check_broker(&url, &self.global.allow_cleartext)?;
        Ok(Some(Config { passwords: self.logins().broker(&wire)?, ..Config::new(url) }))
    }

    /// The dead letters of the broker; `None` where none is named. Connects for each request.
    pub fn dead_letters(&self) -> anyhow::Result<Option<Arc<dyn DeadLetterBox>>> {
        Ok(self.broker()?.map(|config| Arc::new(BrokerLetters(config)) as _))
    }

    fn logins(&self) -> Logins<'_> {
        Logins { global: &self.global, clock: &self.clock }
    }

    /// The database and the broker as destinations, without connecting.
    pub fn servers(&self) -> anyhow::Result<Vec<Destination>> {
        let mut servers = Vec::new();
        if let Some(url) = &self.global.database_url {
            let wire = database_wire(&secret_url(url)?)?;
            let login = login_words(self.global.database_credential.as_ref(), false);
            let receives = format!("{login}, sslmode={}", wire.ssl_mode);
            let host = wire.host.as_deref();
            servers.extend(host.map(|host| Destination::direct(host, wire.port, "PostgreSQL", &receives)));
        }
        if let Some(url) = &self.global.amqp_url {
            let wire = broker_wire(&secret_url(url)?)?;
            let how = if wire.is_verified { "by TLS" } else { "in the clear" };
            let login = login_words(self.global.amqp_credential.as_ref(), wire.has_certificate_login);
            let receives = format!("{login}, {how}");
            servers.push(Destination::direct(&wire.host, wire.port, "RabbitMQ", &receives));
        }
        Ok(servers)
    }

    /// The name of the store in messages, without a database's URL, which is a secret.
    pub fn place(&self) -> String {
        match self.global.database_url {
            Some(_) => "the database".to_owned(),
            None => format!("the store {}", self.global.store.display()),
        }
    }

    /// Opens the store for a command that reads, and whose calls to Azure draw on the shared budgets where they may.
    pub async fn store_for_calls(&self) -> anyhow::Result<Arc<dyn Store>> {
        match self.store(Mode::Join).await {
            // The file may be read-only. A database opens in both modes or in none.
            Err(_) if self.global.database_url.is_none() => self.store(Mode::Read).await,
            opened => opened,
        }
    }

    /// The client of ARM, whose calls are paced. Reads the credentials' secrets; sends nothing.
    ///
    /// `shared` has the budgets of all processes. Without it, or where it may not be written, this process keeps its own.
    pub fn azure(&self, fleet: &Fleet, shared: Option<&Arc<dyn Store>>) -> anyhow::Result<Arc<dyn Arm>> {
        let pacer = Arc::new(Pacer::new(PacerParts {
            shared: shared.cloned(),
            local: Arc::new(MemoryStore::new(Arc::clone(&self.clock))),
            limits: fleet.limits.clone(),
            observer: Arc::new(self.out.wait_line()),
        }));
        let observer = Arc::clone(&pacer) as Arc<dyn CallObserver>;
        let clouds = arm_clients(fleet, &self.clock, &observer, &mut self.rng(), remember_secret)?;
        Ok(Arc::new(PacedArm::new(Arc::new(clouds), pacer, Patience::Command)))
    }

    /// The context of a request. Reads secrets; sends nothing.
    pub async fn control<'a>(
        &self,
        fleet: &'a Fleet,
        store: &'a Arc<dyn Store>,
    ) -> anyhow::Result<ControlContext<'a>> {
        let arm = self.azure(fleet, Some(store))?;
        let storage = storages(fleet, &self.clock, self.rng())?;
        let (now, actor) = (store.now().await?, self.actor());
        Ok(ControlContext { fleet, store: &**store, arm, storage, now, actor, notify: self.notify() })
    }

    fn notify(&self) -> Notify {
        let out = self.out.clone();
        Arc::new(move |text: &str| out.message(text))
    }

    /// Who asks, for the audit: `--actor`, else the user who is logged in, else the number of the process's user.
    ///
    /// The number of the user and the name of the machine stand beside the name: a name is a claim.
    pub fn actor(&self) -> Actor {
        holdfast_control::person(self.global.actor.clone(), |name| std::env::var(name).ok())
    }

    /// Randomness that differs from process to process, for request ids, run ids and pauses.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the operating system")]
    #[expect(clippy::unused_self, reason = "callers are handed randomness as they are handed time")]
    pub fn rng(&self) -> fastrand::Rng {
        fastrand::Rng::new()
    }
}

/// A URL with a password: the text itself, or the content of `env:NAME` or `file:PATH`.
fn secret_url(text: &str) -> Result<SecretString, Error> {
    let url = match text.parse::<SecretRef>() {
        Ok(reference) => {
            reference.read().map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))?
        }
        Err(_) => SecretString::from(text),
    };
    remember_secret(&url);
    Ok(url)
}
