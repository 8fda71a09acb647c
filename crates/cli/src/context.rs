//! What every command is given.

use std::sync::Arc;

use holdfast_model::{AppId, Clock, SystemClock};
use holdfast_store::{Mode, SqliteStore, Store};

use crate::args::Global;
use crate::config::{self, Fleet, Invalid, Secrets};
use crate::find;
use crate::output::Output;

/// What every command is given.
#[derive(Debug)]
pub struct Context {
    /// What all commands have on their command line.
    pub global: Global,
    /// Where results go.
    pub out: Output,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Context {
    /// On this machine's clock.
    pub fn new(global: Global) -> Self {
        let out = Output::new(&global);
        Self { global, out, clock: Arc::new(SystemClock::default()) }
    }

    /// The fleet, with its secrets tried. Warnings go to stderr; errors, all of them, are the answer.
    pub fn fleet(&self) -> anyhow::Result<Fleet> {
        self.fleet_with(Secrets::Read)
    }

    /// The fleet, for commands that say themselves whether they need secrets.
    pub fn fleet_with(&self, secrets: Secrets) -> anyhow::Result<Fleet> {
        let checked = config::check(&self.global.fleet, secrets, self.clock.now())?;
        let Some(fleet) = checked.fleet else { return Err(Invalid(checked.problems).into()) };
        checked.problems.iter().for_each(|problem| self.out.message(&problem.to_string()));
        Ok(fleet)
    }

    /// The store.
    pub async fn store(&self, mode: Mode) -> Result<SqliteStore, holdfast_store::Error> {
        SqliteStore::open(&self.global.store, Arc::clone(&self.clock), mode).await
    }

    /// The app of the store that `text` names.
    pub async fn app_in(&self, store: &dyn Store, text: &str) -> anyhow::Result<AppId> {
        let apps: Vec<AppId> = store.status().await?.into_iter().map(|status| status.app).collect();
        Ok(find::app(&apps, text)?)
    }

    /// Randomness for what must differ from process to process: request ids, run ids, pauses.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    #[expect(clippy::unused_self, reason = "callers are handed randomness as they are handed time")]
    pub fn rng(&self) -> fastrand::Rng {
        fastrand::Rng::new()
    }
}
