//! A change of the fleet: proposed with what it does, then appended as a revision.

use holdfast_config::{Fleet, FleetText, Invalid, Secrets};
use holdfast_model::{Actor, AppId, OperatorAction, Timestamp};
use holdfast_store::{Revision, RevisionHead, RunFilter, Store, sha256_hex};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::deletions::deletions;
use super::diff::{Comparison, FleetDiff, missing_storages};
use super::in_force::first_error;
use super::stored::{fleet_of, revision};
use crate::operator_actions::{about_app, optional_reason};
use crate::{Error, ErrorKind, counted};

/// Names that an error lists at most.
const NAMES_MAX: usize = 5;

/// A fleet that shall take the place of the one in force, and what that changes.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct Proposal {
    /// The revision that it replaces; `None` where there is none yet, so that the fleet file is in force.
    pub replaces: Option<u64>,
    /// The SHA-256 of its text, in lower-case hex.
    pub sha256: String,
    /// Whether its text is that of the revision in force.
    pub is_in_force: bool,
    /// What it changes.
    pub diff: FleetDiff,
    /// The earlier revision whose text it has again, if it is a rollback.
    pub rolled_back_to: Option<u64>,
    #[serde(skip)]
    text: String,
}

/// Who makes a revision, and why.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who.
    pub actor: Actor,
    /// Why; may be empty.
    pub reason: String,
    /// How many apps may leave the fleet or every policy.
    pub allowed_removals: usize,
}

/// Proposes a fleet. Checks the text without reading secrets, which each process reads by itself; changes nothing.
///
/// `running` is the fleet that is in force while there is no revision, where that is known.
pub async fn propose(store: &dyn Store, running: Option<&Fleet>, text: FleetText) -> Result<Proposal, Error> {
    let (now, newest) = (store.now().await?, store.newest_revision().await?);
    let new = checked(&text, now)?;
    if newest == 0 {
        return Proposal::of(store, (None, running.unwrap_or(&new)), (&new, text), now).await;
    }
    let in_force = revision(store, newest).await?;
    let old = fleet_of(&in_force, now)?;
    Proposal::of(store, (Some(&in_force.head), &old), (&new, text), now).await
}

/// The fleet of a text without a problem that makes it unusable, and without a secret.
pub fn checked(text: &FleetText, now: Timestamp) -> Result<Fleet, Error> {
    if let Some(place) = text.literal_secret() {
        let what = format!("{place} has what looks like a secret, and is kept nowhere");
        return Err(Error::new(ErrorKind::Refused, what).help(
            "put the secret into a file or the environment, and refer to it: `file:PATH` or `env:NAME`",
        ));
    }
    let checked = text.check(Secrets::Leave, now);
    checked.fleet.ok_or_else(|| Invalid(checked.problems).into())
}

impl Proposal {
    async fn of(
        store: &dyn Store,
        (head, old): (Option<&RevisionHead>, &Fleet),
        (new, text): (&Fleet, FleetText),
        now: Timestamp,
    ) -> Result<Self, Error> {
        let sha256 = sha256_hex(text.text.as_bytes());
        let is_in_force = head.is_some_and(|head| head.sha256 == sha256);
        let enrolled = store.status().await?;
        let comparison = Comparison { old, new, enrolled: &enrolled, now };
        let (mut diff, both) = comparison.diff();
        diff.deletions = deletions(store, &both, now).await?;
        diff.notes = notes(store, old, new).await?;
        let replaces = head.map(|head| head.number);
        Ok(Self { replaces, sha256, is_in_force, diff, rolled_back_to: None, text: text.text })
    }

    /// Appends the revision, unless too many apps leave, or another one was appended since it was proposed.
    pub async fn append(
        &self,
        store: &dyn Store,
        order: &Order,
        rng: &mut fastrand::Rng,
    ) -> Result<RevisionHead, Error> {
        self.check_removals(order.allowed_removals)?;
        let (now, number) = (store.now().await?, self.replaces.unwrap_or(0) + 1);
        let (sha256, rolled_back_to) = (self.sha256.clone(), self.rolled_back_to);
        let (reason, by) = (optional_reason(&order.reason, "a revision")?, order.actor.clone());
        let head = RevisionHead {
            number,
            sha256: sha256.clone(),
            at: now,
            by,
            reason: reason.clone(),
            rolled_back_to,
        };
        let action = OperatorAction::RevisionApplied { number, sha256, reason, rolled_back_to };
        let record = about_app(&AppId::unknown(), (action, order.actor.clone()), now, rng);
        let revision = Revision { head, text: self.text.clone() };
        if store.append_revision(&revision, &record).await? {
            return Ok(revision.head);
        }
        Err(made_meanwhile(number))
    }

    /// An error where it does not replace the revision that a person saw it against, 0 for none.
    pub fn check_replaces(&self, seen: u64) -> Result<(), Error> {
        let newest = self.replaces.unwrap_or(0);
        if newest == seen { Ok(()) } else { Err(made_meanwhile(newest)) }
    }

    /// An error where this process cannot read a secret that the fleet refers to: it could not work by it.
    pub fn check_secrets(&self, now: Timestamp) -> Result<(), Error> {
        let text = FleetText { name: "text".to_owned(), text: self.text.clone() };
        let checked = text.check(Secrets::Read, now);
        if checked.fleet.is_some() {
            return Ok(());
        }
        let why = first_error(&checked.problems);
        Err(Error::new(ErrorKind::Refused, format!("the server cannot use this fleet: {why}"))
            .help("put the secret where the server finds it, and apply again"))
    }

    /// An error where more apps leave than are allowed to.
    pub fn check_removals(&self, allowed: usize) -> Result<(), Error> {
        let leaving = self.diff.leaving();
        if leaving <= allowed {
            return Ok(());
        }
        let apps = self.diff.lost.iter().chain(&self.diff.may_be_lost);
        let mut names: Vec<&str> = apps.take(NAMES_MAX).map(|change| change.name.as_str()).collect();
        let more = format!("{} more", leaving.saturating_sub(NAMES_MAX));
        if leaving > NAMES_MAX {
            names.push(&more);
        }
        let what =
            format!("{} would leave the fleet or its policy: {}", counted(leaving, "app"), names.join(", "));
        let help = format!("if that is meant, allow it with `--allow-removals {leaving}`");
        Err(Error::new(ErrorKind::Refused, what).help(help))
    }
}

fn made_meanwhile(number: u64) -> Error {
    let what =
        format!("revision {number} of the fleet was made meanwhile by another, and nothing was changed");
    Error::new(ErrorKind::Conflict, what)
        .help(format!("look at it with `holdfast revisions show {number}`, and apply again"))
}

/// What else is to be known of a change.
async fn notes(store: &dyn Store, old: &Fleet, new: &Fleet) -> Result<Vec<String>, Error> {
    let mut notes = Vec::new();
    let gone = missing_storages(old, new);
    if !gone.is_empty() {
        let runs = store.runs(&RunFilter { unfinished: true, ..RunFilter::default() }).await?;
        for storage in gone {
            let needing = runs.iter().filter(|run| run.policy_snapshot.storage.section() == storage).count();
            if needing > 0 {
                let runs = counted(needing, "run");
                notes.push(format!(
                    "{runs} under way need the storage `{storage}`, which goes: they will fail"
                ));
            }
        }
    }
    let changes = |prefix: &str| {
        let of = |fleet: &Fleet| {
            let all = fleet.settings.iter().filter(|(key, _)| key.starts_with(prefix));
            all.map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>()
        };
        of(old) != of(new)
    };
    if changes("azure.") {
        notes.push(
            "a process that logs in to the database or the broker by a section [azure] reads it from its own fleet file"
                .to_owned(),
        );
    }
    if changes("engine.concurrency") {
        notes.push(
            "how many messages a worker receives at once follows `engine.concurrency` at its next start"
                .to_owned(),
        );
    }
    Ok(notes)
}
