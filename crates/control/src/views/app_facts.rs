//! What the views derive from the status of one app.

use std::time::Duration;

use holdfast_model::{Cause, Outcome, Timestamp};
use holdfast_store::AppStatus;

use crate::status_waits::missed_since_good;
use crate::views::condition::Condition;
use crate::views::reading::FleetReading;
use crate::views::sas_state::SasState;

/// How long a failure counts as recent.
pub const RECENT: Duration = Duration::from_hours(24);

/// An app of a reading, with what follows from its status.
#[derive(Debug, Clone, Copy)]
pub struct AppFacts<'a> {
    /// Its status.
    pub status: &'a AppStatus,
    /// Its condition.
    pub condition: Condition,
    /// Its current trouble.
    pub trouble: Option<Trouble>,
    /// How the SAS of its storage stands.
    pub sas: Option<SasState>,
}

/// Why an app's last backup run did not succeed, or why its latest tick was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// The cause.
    pub cause: Cause,
    /// When the run ended, or the tick was due.
    pub at: Timestamp,
}

impl<'a> AppFacts<'a> {
    /// The facts of an app at `now`.
    pub fn of(status: &'a AppStatus, now: Timestamp) -> Self {
        Self { status, condition: Condition::of(status, now), trouble: trouble(status), sas: None }
    }

    /// The facts of every app of a reading.
    pub fn of_all(reading: &'a FleetReading) -> Vec<Self> {
        let of = |status: &'a AppStatus| {
            let is_minted = status.policy.as_ref().is_some_and(|policy| reading.minted.contains(policy));
            let sas = SasState::of(status, is_minted, reading.at);
            Self { sas, ..Self::of(status, reading.at) }
        };
        reading.apps.iter().map(of).collect()
    }

    /// The cause of its trouble.
    pub fn cause(&self) -> Option<Cause> {
        self.trouble.map(|trouble| trouble.cause)
    }

    /// Whether its trouble is of the last 24 hours.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        self.trouble.is_some_and(|trouble| trouble.at + RECENT > now)
    }

    /// Whether people should renew the SAS of its storage.
    pub fn has_lapsing_sas(&self) -> bool {
        self.sas.is_some_and(SasState::needs_attention)
    }

    /// Whether it can be backed up now: it is in the fleet and in a policy, and nothing is under way.
    pub fn can_be_backed_up(&self) -> bool {
        !self.status.removed && self.status.policy.is_some() && self.status.running.is_none()
    }
}

/// The age of an app's latest recovery point in thousandths of its objective.
pub fn age_permille(status: &AppStatus, now: Timestamp) -> Option<u32> {
    let objective = status.recovery_point_objective?.as_millis().max(1);
    let age = (now - status.last_good_at?).to_std().unwrap_or_default().as_millis();
    Some(u32::try_from(age.saturating_mul(1_000) / objective).unwrap_or(u32::MAX))
}

fn trouble(status: &AppStatus) -> Option<Trouble> {
    let failed = status.last.as_ref().filter(|last| last.outcome != Outcome::Succeeded);
    let failed = failed.filter(|last| !status.has_acknowledged(last.run_id));
    let failed = failed.and_then(|last| Some(Trouble { cause: last.cause?, at: last.ended_at }));
    let missed = missed_since_good(status).filter(|missed| !status.has_acknowledged(missed.run_id));
    let missed = missed.and_then(|missed| Some(Trouble { cause: missed.cause?, at: missed.tick }));
    match (failed, missed) {
        (Some(failed), Some(missed)) if missed.at > failed.at => Some(missed),
        (failed, missed) => failed.or(missed),
    }
}
