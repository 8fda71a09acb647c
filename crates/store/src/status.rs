//! The status of an app.

use std::time::Duration;

use holdfast_model::schedule::PauseWindow;
use holdfast_model::{
    AppId, Cause, DepartureReason, Outcome, PolicyName, RunId, RunKind, StateCode, Tags, Timestamp,
    Verification,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::IntoStaticStr;
use utoipa::ToSchema;

/// The status of an app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AppStatus {
    /// The app.
    pub app: AppId,
    /// Its policy.
    pub policy: Option<PolicyName>,
    /// The ARM id of its App Service plan, once Azure reported it.
    pub plan: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// Whether the fleet file suspends its scheduled runs.
    pub paused: bool,
    /// Whether it left the fleet.
    pub removed: bool,
    /// Its recovery point objective; `None` where its policy sets none.
    #[serde(
        rename = "recovery_point_objective_s",
        serialize_with = "seconds",
        deserialize_with = "of_seconds"
    )]
    #[schema(value_type = Option<u64>)]
    pub recovery_point_objective: Option<Duration>,
    /// When and why it left the fleet.
    pub departed: Option<Departed>,
    /// When Azure was asked for the answer that last showed it; `None` for an app that no answer showed.
    pub seen_at: Option<Timestamp>,
    /// Since when Azure's list leaves it out without proof that it is gone. Its ticks run.
    pub missing_since: Option<Timestamp>,
    /// When its next tick is due.
    pub next_tick: Option<Timestamp>,
    /// Its unfinished backup, restore or drill.
    pub running: Option<Running>,
    /// Its last backup run that ended and was neither missed nor cancelled.
    pub last: Option<LastRun>,
    /// Its latest tick that was not run.
    pub missed: Option<Missed>,
    /// When Azure accepted its latest good backup that is still there: its latest recovery point.
    pub last_good_at: Option<Timestamp>,
    /// When the SAS expires that Azure keeps with that backup; `None` where that is not known.
    pub sas_expiry: Option<Timestamp>,
    /// When a drill last proved that one of its backups can be restored.
    pub proven_at: Option<Timestamp>,
    /// Whether it is past its recovery point objective at the store's now. An app without a good backup has its first
    /// span from its enrolment.
    pub past_objective: bool,
    /// What checks of the catalog against Azure found.
    pub check: CheckStatus,
    /// The pause by a person that is in force.
    pub pause: Option<Pause>,
    /// What a person last acknowledged.
    pub acknowledged: Option<Acknowledgement>,
}

impl AppStatus {
    /// The status of an app that was enrolled and never looked at.
    pub fn new(app: AppId) -> Self {
        Self {
            app,
            policy: None,
            plan: None,
            tags: Tags::default(),
            paused: false,
            removed: false,
            recovery_point_objective: None,
            departed: None,
            seen_at: None,
            missing_since: None,
            next_tick: None,
            running: None,
            last: None,
            missed: None,
            last_good_at: None,
            sas_expiry: None,
            proven_at: None,
            past_objective: false,
            check: CheckStatus::default(),
            pause: None,
            acknowledged: None,
        }
    }
}

/// What checks of an app's catalog found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct CheckStatus {
    /// The last check that ended.
    pub last: Option<LastRun>,
    /// Backups that a restore could use and that were lost within [`Self::LOST_FOR`].
    pub lost: u64,
    /// Whether Azure's own schedule differed from the policy's in that check.
    pub drift: bool,
}

impl CheckStatus {
    /// How long a lost backup is reported.
    pub const LOST_FOR: Duration = Duration::from_hours(7 * 24);
}

#[expect(clippy::ref_option, reason = "serde gives the field by reference")]
fn seconds<S: Serializer>(span: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    span.map(|span| span.as_secs()).serialize(serializer)
}

fn of_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map(Duration::from_secs))
}

impl AppStatus {
    /// Whether its scheduled runs are suspended, by the fleet file or by a person.
    pub fn is_paused(&self) -> bool {
        self.paused || self.pause.is_some()
    }

    /// Whether a person has acknowledged a run of the app: it, or one that was created later.
    pub fn has_acknowledged(&self, run: RunId) -> bool {
        self.acknowledged.as_ref().is_some_and(|acknowledged| run <= acknowledged.run_id)
    }

    /// Why no objective watches over the app's backups; `None` where one does.
    pub fn unprotected(&self) -> Option<Unprotected> {
        if self.is_paused() {
            Some(Unprotected::Paused)
        } else if self.policy.is_none() {
            Some(Unprotected::NoPolicy)
        } else if self.recovery_point_objective.is_none() {
            Some(Unprotected::NoObjective)
        } else {
            None
        }
    }
}

/// Why an enrolled app can lose its backups without an alert of its objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Unprotected {
    /// The fleet file or a person pauses it: no tick is planned.
    Paused,
    /// It is in no policy: no tick is planned.
    NoPolicy,
    /// Its policy sets no recovery point objective: it is never past one.
    NoObjective,
}

/// A person's pause of the scheduled runs of an app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Pause {
    /// When they go on.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// The person's name: a claim.
    pub actor: String,
    /// When the app's runs were suspended; a later pause that takes the place of this one keeps it.
    pub since: Timestamp,
}

impl Pause {
    /// Its span.
    pub fn window(&self) -> PauseWindow {
        PauseWindow { since: self.since, until: self.until }
    }
}

/// What a person says about a run that did not succeed. It covers the app's runs that were created before, too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Acknowledgement {
    /// The run.
    pub run_id: RunId,
    /// What the person says.
    pub note: String,
    /// The person's name: a claim.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// When and why an app left the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Departed {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: DepartureReason,
}

/// An unfinished run of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Running {
    /// The run.
    pub run_id: RunId,
    /// Its kind.
    pub kind: RunKind,
    /// Its state.
    pub state: StateCode,
    /// Why it waits, if it waits for a cause.
    pub cause: Option<Cause>,
    /// When it was created.
    pub since: Timestamp,
    /// When its next step is due.
    pub next_try: Timestamp,
}

/// A tick of an app that was not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Missed {
    /// The run that records it.
    pub run_id: RunId,
    /// The tick.
    pub tick: Timestamp,
    /// Why it was not run.
    pub cause: Option<Cause>,
}

/// An app's last run that ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct LastRun {
    /// The run.
    pub run_id: RunId,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its cause.
    pub cause: Option<Cause>,
    /// What is known of its backup's blob.
    pub verification: Option<Verification>,
    /// When it ended.
    pub ended_at: Timestamp,
}
