//! How a running process takes up the newest revision of the fleet, and makes one of its fleet file.

mod file;
mod followers;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use holdfast_config::{Fleet, FleetText, Secrets};
use holdfast_control::revisions::{InForce, Order, Submitted, read_revision, submit_file};
use holdfast_model::{Actor, Clock, RunId};
use holdfast_notify::NotifierHealth;
use holdfast_store::{ProcessStatus, Store};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Role;
use file::WatchedFile;
pub use followers::{Commit, Follower, Task, Tasks, engine, site, task};

/// Pause between two looks at the newest revision and at the fleet file. A look is one short statement.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Pause before a revision that could not be taken up is tried again: what it lacks may have come.
const TRY_AGAIN: Duration = Duration::from_secs(30);
/// How often the process is recorded without news; less than it is kept.
const RECORD_EVERY: Duration = Duration::from_secs(30);

/// What a process takes up revisions with.
pub struct TakeUpParts {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What the process does.
    pub role: Role,
    /// Who runs it.
    pub person: Actor,
    /// Its fleet file.
    pub file: PathBuf,
    /// Whether the file becomes a revision when it changes.
    pub watch: bool,
    /// The fleet that it works by.
    pub in_force: InForce,
    /// Replaces `engine.concurrency` of every fleet.
    pub concurrency: Option<u32>,
    /// What works by the fleet.
    pub followers: Vec<Follower>,
    /// How its notifier fares.
    pub notifier: NotifierHealth,
    /// Randomness for ids.
    pub rng: fastrand::Rng,
}

/// Takes up revisions while a process runs.
pub struct TakeUp {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    role: Role,
    person: Actor,
    file: WatchedFile,
    watch: bool,
    fleet: Fleet,
    concurrency: Option<u32>,
    followers: Vec<Follower>,
    notifier: NotifierHealth,
    rng: fastrand::Rng,
    process: ProcessStatus,
    /// Why the fleet file was refused.
    refusal: Option<String>,
    /// What the fleet file says differently.
    difference: Option<String>,
    /// The content of the fleet file that the log has named as different.
    told_of: Option<String>,
    /// Whether the fleet file is to be compared with the revision.
    compares: bool,
    /// The revision that could not be taken up, and when it is tried again, by the monotonic clock.
    refused: Option<(u64, Duration)>,
    /// When the process is recorded again without news, by the monotonic clock.
    record_at: Duration,
    store_failed: bool,
}

impl TakeUp {
    /// A process as it starts.
    pub fn new(parts: TakeUpParts) -> Self {
        let TakeUpParts {
            store,
            clock,
            role,
            person,
            file,
            watch,
            in_force,
            concurrency,
            followers,
            notifier,
            mut rng,
        } = parts;
        let now = clock.now();
        let process = ProcessStatus {
            id: RunId::new(now, &mut rng),
            role: role.as_str().to_owned(),
            host: person.host.clone(),
            started_at: now,
            seen_at: now,
            revision: in_force.revision,
            revision_error: in_force.error,
            file_note: None,
            notifier_error: None,
        };
        Self {
            file: WatchedFile::new(file),
            refusal: None,
            difference: None,
            told_of: None,
            compares: true,
            refused: None,
            record_at: Duration::ZERO,
            store_failed: false,
            fleet: in_force.fleet,
            store,
            clock,
            role,
            person,
            watch,
            concurrency,
            followers,
            notifier,
            rng,
            process,
        }
    }

    /// Looks for news until `stop`. Each message of `reload` asks to make a revision of the fleet file.
    pub async fn run(mut self, mut reload: mpsc::Receiver<()>, stop: CancellationToken) {
        let mut asked = false;
        while !stop.is_cancelled() {
            if let Err(error) = self.pass(asked).await {
                self.store_fails(&error);
            } else {
                self.store_failed = false;
            }
            let waiting = async {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => false,
                    Some(()) = reload.recv() => true,
                }
            };
            asked = tokio::time::timeout(LOOK_EVERY, waiting).await.unwrap_or(false);
        }
        let _ = self.store.forget_process(self.process.id).await;
    }

    /// Looks once at the fleet file and the newest revision, and records what is new.
    async fn pass(&mut self, asked: bool) -> Result<(), holdfast_control::Error> {
        let before = self.process.clone();
        self.compares |= self.file.look();
        if asked {
            self.submit("SIGHUP").await;
        } else if self.watch && self.file.is_settled() {
            self.submit("watch").await;
        }
        let newest = self.store.newest_revision().await?;
        let is_news = newest != 0 && self.process.revision != Some(newest);
        let is_put_off = |(number, at): (u64, Duration)| number == newest && self.clock.elapsed() < at;
        if is_news && !self.refused.is_some_and(is_put_off) {
            self.take_up(newest).await?;
        }
        self.compares |= before.revision != self.process.revision;
        if self.compares {
            self.compare_file().await?;
            self.compares = false;
        }
        self.process.file_note = self.refusal.clone().or_else(|| self.difference.clone());
        self.process.notifier_error = self.notifier.error();
        let elapsed = self.clock.elapsed();
        if self.process != before || elapsed >= self.record_at {
            self.store.record_process(&self.process).await?;
            self.record_at = elapsed + RECORD_EVERY;
        }
        Ok(())
    }

    /// Takes up a revision, or keeps the fleet and says why.
    async fn take_up(&mut self, number: u64) -> Result<(), holdfast_control::Error> {
        let read = read_revision(&*self.store, number, Secrets::Read, self.clock.now()).await;
        let taken = match read {
            Ok(found) => self.change_to(found),
            Err(error) if error.kind() == holdfast_control::ErrorKind::Store => return Err(error),
            Err(error) => Err(error.into()),
        };
        match taken {
            Ok(()) => {
                tracing::info!(revision = number, "a revision of the fleet is taken up");
                (self.process.revision, self.process.revision_error, self.refused) =
                    (Some(number), None, None);
            }
            Err(error) => {
                let why = format!("{error:#}");
                if self.process.revision_error.as_ref() != Some(&why) {
                    let keeps = self
                        .process
                        .revision
                        .map_or_else(|| "the fleet file".to_owned(), |old| format!("revision {old}"));
                    tracing::warn!(
                        revision = number,
                        error = why,
                        "a revision of the fleet cannot be taken up; this process keeps {keeps}"
                    );
                }
                self.process.revision_error = Some(why);
                self.refused = Some((number, self.clock.elapsed() + TRY_AGAIN));
            }
        }
        Ok(())
    }

    /// Prepares everything for a fleet, and only then changes anything.
    fn change_to(&mut self, InForce { mut fleet, unusable, .. }: InForce) -> anyhow::Result<()> {
        fleet.engine.concurrency = self.concurrency.unwrap_or(fleet.engine.concurrency);
        let prepare = |follower: &mut Follower| follower(&fleet);
        let commits: Vec<Commit> = self.followers.iter_mut().map(prepare).collect::<anyhow::Result<_>>()?;
        for storage in unusable {
            tracing::warn!("{storage}");
        }
        for commit in commits {
            commit();
        }
        self.fleet = fleet;
        Ok(())
    }

    /// Makes a revision of the fleet file, or says why not.
    async fn submit(&mut self, through: &str) {
        self.refusal = match self.try_submit(through).await {
            Ok(Submitted::Appended(revision)) => {
                tracing::info!(revision, through, "the fleet file is a revision now");
                None
            }
            Ok(Submitted::InForce) => None,
            Err(error) => {
                tracing::warn!(
                    error = &*error,
                    through,
                    "the fleet file was refused; the fleet stays as it is"
                );
                Some(format!("its fleet file was refused: {error:#}"))
            }
        };
        self.file.submitted();
    }

    async fn try_submit(&mut self, through: &str) -> anyhow::Result<Submitted> {
        anyhow::ensure!(
            self.role.plans(),
            "a worker only takes revisions up; signal a scheduler, or use `holdfast apply`"
        );
        let text = FleetText::read(self.file.path()).context("the fleet file cannot be read")?;
        let actor = Actor { through: Some(through.to_owned()), ..self.person.clone() };
        let reason = format!("{} changed", self.file.path().display());
        let order = Order { actor, reason, allowed_removals: 0 };
        Ok(submit_file(&*self.store, &self.fleet, text, &order, &mut self.rng).await?)
    }

    /// Notes whether the fleet file says what the revision says.
    async fn compare_file(&mut self) -> Result<(), holdfast_control::Error> {
        let Some(number) = self.process.revision else { return Ok(()) };
        let Some(revision) = self.store.revision(number).await? else { return Ok(()) };
        if self.file.sha256() == Some(revision.head.sha256.as_str()) {
            (self.refusal, self.difference) = (None, None);
            return Ok(());
        }
        let file = self.file.path().display();
        self.difference = Some(format!(
            "its fleet file {file} differs from revision {number}, which counts: copy `holdfast revisions show {number}` into \
             it, or make it the newest with `holdfast apply`"
        ));
        // Later revisions are followed on purpose, and the file is as old as it was.
        let content = self.file.sha256().unwrap_or_default();
        if self.told_of.as_deref() != Some(content) {
            tracing::warn!(
                %file,
                revision = number,
                "the fleet file differs from the revision, which counts: copy `holdfast revisions show` into it, or make it the newest with `holdfast apply`"
            );
            self.told_of = Some(content.to_owned());
        }
        Ok(())
    }

    fn store_fails(&mut self, error: &holdfast_control::Error) {
        if !std::mem::replace(&mut self.store_failed, true) {
            let error = error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "the newest revision of the fleet cannot be read; looking again every few seconds"
            );
        }
    }
}
