//! Signs the end of the audit's chain, and writes it where the owner of the database cannot change it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Actor, AppId, OperatorAction, Timestamp};
use holdfast_storage::{SecretError, SecretRef, Secrets};
use holdfast_store::{CheckpointStatus, Link, Store, verify_chain};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::checkpoint::{Checkpoint, Statement};
use super::destination::Destination;
use super::key::SigningKey;
use crate::operator_actions::about_app;
use crate::{Error, ErrorKind};

/// Events per page.
const PAGE: u32 = 5_000;

/// The pause after a failure, unless checkpoints are due more often.
const RETRY: Duration = Duration::from_mins(1);

/// Which chain is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuity {
    /// One that continues the last signed checkpoint.
    Required,
    /// Any whole chain: the store was restored from a copy.
    AfterRestore,
}

/// Signs checkpoints, and writes each to its destinations.
pub struct Checkpointer {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Reads the signing key.
    pub secrets: Arc<dyn Secrets>,
    /// The signing key. It is read for each checkpoint, because it may be replaced.
    pub key: SecretRef,
    /// The name of the fleet in checkpoints.
    pub fleet: String,
    /// The interval between two checkpoints.
    pub every: Duration,
    /// Where they are written.
    pub destinations: Vec<Box<dyn Destination>>,
}

/// What a process knows of its checkpoints. The store is not asked: its owner could put off the next one.
#[derive(Debug, Default)]
pub struct CheckpointSchedule {
    due: BTreeMap<String, Timestamp>,
    /// What it signed last.
    last: Option<Statement>,
}

impl CheckpointSchedule {
    fn is_due(&self, destination: &str, now: Timestamp) -> bool {
        self.due.get(destination).is_none_or(|due| *due <= now)
    }
}

/// What became of a checkpoint.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct CheckpointReport {
    /// The signed line; `None` where nothing could be signed.
    pub checkpoint: Option<String>,
    /// The last event that it covers.
    pub seq: Option<i64>,
    #[serde(skip)]
    statement: Option<Statement>,
    /// Where it was written.
    pub written: Vec<String>,
    /// Where it was not written, and why.
    pub failed: Vec<FailedWrite>,
}

/// A destination that did not receive a checkpoint.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct FailedWrite {
    /// The destination.
    pub destination: String,
    /// Why.
    pub error: String,
}

impl Checkpointer {
    /// Writes a checkpoint to each destination where one is due, and records how that went. Returns the pause until the
    /// next one is due.
    pub async fn write_due(&self, schedule: &mut CheckpointSchedule) -> Result<Duration, Error> {
        let now = self.store.now().await?;
        let due = self.destinations.iter().filter(|of| schedule.is_due(&of.name(), now));
        let due: Vec<&dyn Destination> = due.map(AsRef::as_ref).collect();
        if !due.is_empty() {
            let known = self.store.checkpoints().await?;
            let signed = self.sign(&known, now, (Continuity::Required, schedule.last.as_ref())).await;
            let report = self.write(signed, &due).await;
            for destination in &due {
                let name = destination.name();
                let pause = if report.written.contains(&name) { self.every } else { self.retry() };
                schedule.due.insert(name, now + pause);
            }
            schedule.last = report.statement.clone().or(schedule.last.take());
            self.store.record_checkpoints(&self.statuses(&known, now, &report)).await?;
        }
        let next = schedule.due.values().min().copied().unwrap_or(now);
        Ok((next - now).to_std().unwrap_or_default().min(self.every))
    }

    /// Writes a checkpoint to every destination for a person, whom the audit and the checkpoint have.
    pub async fn write_for(
        &self,
        actor: Actor,
        continuity: Continuity,
        rng: &mut fastrand::Rng,
    ) -> Result<CheckpointReport, Error> {
        let after_restore = continuity == Continuity::AfterRestore;
        let action = OperatorAction::CheckpointRequested { after_restore };
        let record = about_app(&AppId::unknown(), (action, actor), self.store.now().await?, rng);
        self.store.add_run(&record).await?;
        self.write_now(continuity).await
    }

    /// Writes a checkpoint to every destination now.
    pub async fn write_now(&self, continuity: Continuity) -> Result<CheckpointReport, Error> {
        let now = self.store.now().await?;
        let known = self.store.checkpoints().await?;
        let signed = self.sign(&known, now, (continuity, None)).await;
        let all: Vec<&dyn Destination> = self.destinations.iter().map(AsRef::as_ref).collect();
        let report = self.write(signed, &all).await;
        self.store.record_checkpoints(&self.statuses(&known, now, &report)).await?;
        Ok(report)
    }

    /// The pause after a failure.
    pub fn retry(&self) -> Duration {
        RETRY.min(self.every)
    }

    /// Writes what was signed, or reports why nothing was.
    async fn write(&self, signed: Result<Checkpoint, Error>, due: &[&dyn Destination]) -> CheckpointReport {
        let (mut written, mut failed) = (Vec::new(), Vec::new());
        for destination in due {
            let name = destination.name();
            let appended = match &signed {
                Ok(checkpoint) => destination.append(checkpoint).await,
                Err(error) => Err(with_causes(error)),
            };
            match appended {
                Ok(()) => written.push(name),
                Err(error) => {
                    tracing::warn!(destination = name, error, "failed to write a checkpoint of the audit");
                    failed.push(FailedWrite { destination: name, error });
                }
            }
        }
        let signed = signed.ok();
        let checkpoint = signed.as_ref().map(Checkpoint::line);
        let statement = signed.map(|signed| signed.statement);
        let seq = statement.as_ref().map(|statement| statement.seq);
        CheckpointReport { checkpoint, seq, statement, written, failed }
    }

    /// The status of every destination after a report.
    fn statuses(
        &self,
        known: &[CheckpointStatus],
        now: Timestamp,
        report: &CheckpointReport,
    ) -> Vec<CheckpointStatus> {
        let status = |destination: &dyn Destination| {
            let destination = destination.name();
            let before = status_of(known, &destination).cloned();
            let before = before.unwrap_or_else(|| unwritten(&destination, now));
            if report.written.contains(&destination) {
                let (checkpoint, due_at) = (report.checkpoint.clone(), now + self.every);
                return CheckpointStatus {
                    checkpoint,
                    written_at: Some(now),
                    due_at,
                    ..unwritten(&destination, now)
                };
            }
            let Some(failed) = report.failed.iter().find(|failed| failed.destination == destination) else {
                return before;
            };
            let failed_since = before.failed_since.or(Some(now));
            let (error, due_at) = (Some(failed.error.clone()), now + self.retry());
            CheckpointStatus { failed_since, error, due_at, ..before }
        };
        self.destinations.iter().map(|destination| status(&**destination)).collect()
    }

    /// Signs the end of the chain, after following it from the last signed checkpoint.
    async fn sign(
        &self,
        known: &[CheckpointStatus],
        now: Timestamp,
        (continuity, own): (Continuity, Option<&Statement>),
    ) -> Result<Checkpoint, Error> {
        let key = self.signing_key().await?;
        let recorded = self.last_signed(known, &key);
        let last = recorded.iter().chain(own).max_by_key(|statement| statement.at);
        let base = last.filter(|_| continuity == Continuity::Required);
        let end = follow(&*self.store, base).await?;
        let (fleet, seq, hash) = (self.fleet.clone(), end.seq, end.hash);
        Ok(Checkpoint::sign(Statement { fleet, seq, hash, at: now }, &key))
    }

    /// The key, read now.
    pub async fn signing_key(&self) -> Result<SigningKey, Error> {
        let wrong = |why: String| {
            let what = format!("the key of checkpoints in `{}` cannot be used: {why}", self.key);
            Error::new(ErrorKind::Invalid, what).help("correct `key` in the fleet file's [audit]")
        };
        let key = match (self.secrets.read(&self.key).await, &self.key) {
            (Ok(secret), _) => SigningKey::read(secret.expose_secret().as_bytes()),
            // DER is no text.
            (Err(SecretError::NotText(_)), SecretRef::File(path)) => {
                SigningKey::read(&std::fs::read(path).map_err(|error| wrong(error.to_string()))?)
            }
            (Err(error), _) => return Err(wrong(error.to_string())),
        };
        key.map_err(|error| wrong(error.to_string()))
    }

    /// The statement of the last checkpoint that this key signed for this fleet.
    ///
    /// The owner of the database may remove it, but cannot make another one.
    fn last_signed(&self, known: &[CheckpointStatus], key: &SigningKey) -> Option<Statement> {
        let public = key.verifying_key()?;
        let lines = known.iter().filter_map(|status| Checkpoint::parse(status.checkpoint.as_deref()?).ok());
        let ours = lines.filter(|line| line.is_signed_by(std::slice::from_ref(&public)));
        let statements = ours.map(|line| line.statement).filter(|statement| statement.fleet == self.fleet);
        statements.max_by_key(|statement| statement.at)
    }
}

/// The error where the fleet file asks for no checkpoints.
pub fn no_checkpoints() -> Error {
    Error::new(ErrorKind::Invalid, "the fleet file asks for no checkpoints")
        .help("add `checkpoint` to its section [audit]: see docs/audit.md")
}

fn unwritten(destination: &str, now: Timestamp) -> CheckpointStatus {
    CheckpointStatus {
        destination: destination.to_owned(),
        checkpoint: None,
        written_at: None,
        failed_since: None,
        error: None,
        due_at: now,
    }
}

fn status_of<'a>(known: &'a [CheckpointStatus], destination: &str) -> Option<&'a CheckpointStatus> {
    known.iter().find(|status| status.destination == destination)
}

fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// Follows the chain to its end, from `base` or from its first event.
async fn follow(store: &dyn Store, base: Option<&Statement>) -> Result<Link, Error> {
    let mut last = match base {
        Some(base) => signed_event(store, base).await?,
        None => before_first(store).await?,
    };
    loop {
        let page = store.chain(last.seq, PAGE).await?;
        if page.is_empty() {
            return Ok(last);
        }
        last = verify_chain(&page, last).map_err(|broken| tampered(&broken.to_string()))?;
    }
}

/// The event that a checkpoint covers, if the chain still has it.
async fn signed_event(store: &dyn Store, base: &Statement) -> Result<Link, Error> {
    let Statement { seq, hash, .. } = base;
    if *seq == 0 {
        return Ok(Link::origin());
    }
    let row = store.chain(seq - 1, 1).await?.pop();
    match row.map(|row| row.link).filter(|link| (link.seq, &link.hash) == (*seq, hash)) {
        Some(link) => Ok(link),
        None => {
            Err(tampered(&format!("the audit no longer has the event {seq} that the last checkpoint covers")))
        }
    }
}

/// The place before the first event; months may have been removed before it.
async fn before_first(store: &dyn Store) -> Result<Link, Error> {
    let first = store.chain(0, 1).await?.pop();
    let before = |link: Link| Link { seq: link.seq - 1, hash: link.previous, ..Link::origin() };
    let removed = first.map(|row| row.link).filter(|link| link.seq > 1);
    Ok(removed.map_or_else(Link::origin, before))
}

fn tampered(what: &str) -> Error {
    let help = "`holdfast audit verify --checkpoints` compares the audit with its checkpoints; where the store was restored \
                from a copy, `holdfast audit checkpoint --after-restore` begins again";
    Error::new(ErrorKind::Refused, format!("no checkpoint is signed: {what}")).help(help)
}
