//! Signs the end of the audit's chain, and writes it where the owner of the database cannot change it.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::Timestamp;
use holdfast_storage::{SecretError, SecretRef, Secrets};
use holdfast_store::{CheckpointStatus, Link, Store, verify_chain};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::checkpoint::{Checkpoint, Statement};
use super::destination::Destination;
use super::key::SigningKey;
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

/// What became of a checkpoint.
#[derive(Debug, Serialize)]
pub struct CheckpointReport {
    /// The signed line; `None` where nothing could be signed.
    pub checkpoint: Option<String>,
    /// The last event that it covers.
    pub seq: Option<i64>,
    /// Where it was written.
    pub written: Vec<String>,
    /// Where it was not written, and why.
    pub failed: Vec<FailedWrite>,
}

/// A destination that did not receive a checkpoint.
#[derive(Debug, Serialize)]
pub struct FailedWrite {
    /// The destination.
    pub destination: String,
    /// Why.
    pub error: String,
}

impl Checkpointer {
    /// Writes a checkpoint to each destination where one is due, and records how that went.
    pub async fn write_due(&self) -> Result<CheckpointReport, Error> {
        let now = self.store.now().await?;
        let known = self.store.checkpoints().await?;
        let is_due = |name: &str| status_of(&known, name).is_none_or(|status| status.due_at <= now);
        self.write(&known, now, Continuity::Required, is_due).await
    }

    /// Writes a checkpoint to every destination now.
    pub async fn write_now(&self, continuity: Continuity) -> Result<CheckpointReport, Error> {
        let now = self.store.now().await?;
        let known = self.store.checkpoints().await?;
        self.write(&known, now, continuity, |_| true).await
    }

    /// How long until the next checkpoint is due; the pause after a failure where the store does not answer.
    pub async fn pause(&self) -> Duration {
        let (Ok(now), Ok(known)) = (self.store.now().await, self.store.checkpoints().await) else {
            return self.retry();
        };
        let due =
            self.destinations.iter().map(|of| status_of(&known, &of.name()).map_or(now, |of| of.due_at));
        let next = due.min().unwrap_or(now + self.every);
        // A row of a wrong clock does not end the checkpoints.
        (next - now).to_std().unwrap_or_default().min(self.every)
    }

    fn retry(&self) -> Duration {
        RETRY.min(self.every)
    }

    async fn write(
        &self,
        known: &[CheckpointStatus],
        now: Timestamp,
        continuity: Continuity,
        is_due: impl Fn(&str) -> bool,
    ) -> Result<CheckpointReport, Error> {
        let due: Vec<_> = self.destinations.iter().filter(|of| is_due(&of.name())).collect();
        let mut report =
            CheckpointReport { checkpoint: None, seq: None, written: Vec::new(), failed: Vec::new() };
        if due.is_empty() {
            return Ok(report);
        }
        let signed = self.sign(known, now, continuity).await;
        for destination in due {
            let name = destination.name();
            let written = match &signed {
                Ok(checkpoint) => destination.append(checkpoint).await,
                Err(error) => Err(with_causes(error)),
            };
            match written {
                Ok(()) => report.written.push(name),
                Err(error) => {
                    tracing::warn!(destination = name, error, "failed to write a checkpoint of the audit");
                    report.failed.push(FailedWrite { destination: name, error });
                }
            }
        }
        if let Ok(checkpoint) = &signed {
            (report.checkpoint, report.seq) = (Some(checkpoint.line()), Some(checkpoint.statement.seq));
        }
        self.store.record_checkpoints(&self.statuses(known, now, &report)).await?;
        Ok(report)
    }

    /// The status of every destination after a report.
    fn statuses(
        &self,
        known: &[CheckpointStatus],
        now: Timestamp,
        report: &CheckpointReport,
    ) -> Vec<CheckpointStatus> {
        let status = |destination: &Box<dyn Destination>| {
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
        self.destinations.iter().map(status).collect()
    }

    /// Signs the end of the chain, after following it from the last signed checkpoint.
    async fn sign(
        &self,
        known: &[CheckpointStatus],
        now: Timestamp,
        continuity: Continuity,
    ) -> Result<Checkpoint, Error> {
        let key = self.signing_key().await?;
        let base = match continuity {
            Continuity::Required => self.last_signed(known, &key),
            Continuity::AfterRestore => None,
        };
        let end = follow(&*self.store, base.as_ref()).await?;
        let (fleet, seq, hash) = (self.fleet.clone(), end.seq, end.hash);
        Ok(Checkpoint::sign(Statement { fleet, seq, hash, at: now }, &key))
    }

    async fn signing_key(&self) -> Result<SigningKey, Error> {
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
        statements.max_by_key(|statement| statement.seq)
    }
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
        last = verify_chain(&page, last).map_err(|broken| tampered(broken.to_string()))?;
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
            Err(tampered(format!("the audit no longer has the event {seq} that the last checkpoint covers")))
        }
    }
}

/// The place before the first event; months may have been removed before it.
async fn before_first(store: &dyn Store) -> Result<Link, Error> {
    let first = store.chain(0, 1).await?.pop();
    let before = |link: Link| Link { seq: link.seq - 1, hash: link.previous, ..Link::origin() };
    Ok(first.map_or_else(Link::origin, |row| before(row.link)))
}

fn tampered(what: String) -> Error {
    let help = "`holdfast audit verify --checkpoints` compares the audit with its checkpoints; where the store was restored \
                from a copy, `holdfast audit checkpoint --after-restore` begins again";
    Error::new(ErrorKind::Refused, format!("no checkpoint is signed: {what}")).help(help)
}
