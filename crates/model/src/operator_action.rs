//! What operators did or found, recorded beside the runs.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use utoipa::ToSchema;

use crate::{
    BackupFacts, BackupId, DepartureReason, NativeSchedule, PolicyName, RunId, StorageName, SubscriptionId,
    TagFilter, Tags, Timestamp,
};

/// What an operator did or found about an app or one of its backups.
///
/// It is stored as a run that has ended, as missed ticks are, so that the audit has one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OperatorAction {
    /// The SAS that Azure stores with the backup was shown to a person.
    Revealed {
        /// The backup.
        backup: BackupId,
    },
    /// The backup must not be deleted until it is released.
    Held {
        /// The backup.
        backup: BackupId,
        /// Its blob. Azure may give the number to another backup.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blob: Option<String>,
        /// Why.
        reason: String,
    },
    /// The hold was lifted.
    Released {
        /// The backup.
        backup: BackupId,
        /// Why.
        reason: String,
    },
    /// A backup created outside Holdfast was put into the catalog.
    TakenOver {
        /// The backup.
        backup: BackupFacts,
        /// The storage that holds its blob.
        storage: StorageName,
    },
    /// A check found the backup.
    Verified {
        /// The backup.
        backup: BackupId,
        /// The blob's size, where storage could be read.
        size_bytes: Option<i64>,
    },
    /// A check found the backup missing or incomplete.
    Lost {
        /// The backup.
        backup: BackupId,
        /// What is missing.
        detail: String,
    },
    /// A row of the store that could not be read was moved out of its table.
    RowRemoved {
        /// The table.
        table: String,
        /// The values of the row's key.
        key: String,
        /// Why it was removed.
        reason: String,
    },
    /// The closed budgets of a subscription were opened.
    BudgetsReopened {
        /// The subscription.
        subscription: SubscriptionId,
    },
    /// Azure's own schedule of the app was compared with the policy's.
    Drift {
        /// The schedule that Azure has.
        found: Option<NativeSchedule>,
        /// Each difference as text; empty when there is none.
        drift: Vec<String>,
    },
    /// The app came into the fleet, or came back.
    Enrolled {
        /// Its policy.
        policy: Option<PolicyName>,
        /// Whether its scheduled runs are suspended.
        paused: bool,
        /// Its tags.
        #[serde(default, skip_serializing_if = "Tags::is_empty")]
        tags: Tags,
    },
    /// The app is under another policy.
    PolicyChanged {
        /// The policy.
        policy: Option<PolicyName>,
    },
    /// The app has other tags.
    TagsChanged {
        /// All of its tags.
        tags: Tags,
    },
    /// The app's scheduled runs are suspended.
    Paused,
    /// The app's scheduled runs go on.
    Resumed,
    /// A person suspended the app's scheduled runs for a time.
    PausedUntil {
        /// When they go on.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// A person ended a pause before its time.
    PauseEnded {
        /// Why.
        reason: String,
    },
    /// A person has seen that a run did not succeed: it needs no attention until the next failure of the app.
    Acknowledged {
        /// The run.
        run: RunId,
        /// What the person says about it.
        note: String,
    },
    /// The fleet file differs from the one before.
    FleetFileChanged {
        /// The SHA-256 of the file, in lower-case hex.
        sha256: String,
    },
    /// A person made a revision of the fleet, which every process takes up.
    RevisionApplied {
        /// Its number.
        number: u64,
        /// The SHA-256 of its text, in lower-case hex.
        sha256: String,
        /// Why.
        reason: String,
        /// The earlier revision whose text it has again, if it is a rollback.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rolled_back_to: Option<u64>,
    },
    /// The app left the fleet, so that its schedule ended.
    LeftFleet {
        /// Why.
        reason: DepartureReason,
        /// What proved it.
        detail: String,
    },
    /// An API token was created.
    TokenCreated {
        /// Its name.
        token: String,
        /// Its id.
        id: String,
        /// Its role.
        role: String,
        /// The policies to whose apps its acts are limited; empty for no limit.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        policies: Vec<PolicyName>,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// An API token was revoked.
    TokenRevoked {
        /// Its name.
        token: String,
        /// Its id.
        id: String,
    },
    /// A person asked for what a second person must confirm. The id of this record is that of the request.
    ApprovalAsked {
        /// What is asked for.
        what: String,
        /// Why.
        reason: String,
        /// Until when the request can be confirmed.
        expires_at: Timestamp,
    },
    /// A second person confirmed a request.
    ApprovalConfirmed {
        /// The request.
        approval: RunId,
        /// The runs that it started.
        runs: Vec<RunId>,
    },
    /// A person declined a request.
    ApprovalDeclined {
        /// The request.
        approval: RunId,
        /// Why.
        reason: String,
    },
    /// The person who asked withdrew the request.
    ApprovalWithdrawn {
        /// The request.
        approval: RunId,
    },
    /// A person had dead letters sent again.
    DeadLettersRetried {
        /// The id of the letters; `None` for all.
        letter: Option<String>,
    },
    /// A person had dead letters removed.
    DeadLettersDropped {
        /// The id of the letters; `None` for all.
        letter: Option<String>,
    },
    /// A person asked for a signed checkpoint of the audit.
    CheckpointRequested {
        /// Whether it may follow an audit that does not continue the last checkpoint.
        after_restore: bool,
    },
    /// A person logged in to the console.
    LoggedIn,
    /// A person silenced notifications for a time. The id of this record is that of the silence; it is about the record's app
    /// where that is known.
    NotificationsSilenced {
        /// The rule; `None` for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        /// The policy; `None` for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<PolicyName>,
        /// The tags of the apps; none for all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schema(value_type = Vec<String>)]
        tags: Vec<TagFilter>,
        /// When it ends.
        until: Timestamp,
        /// Why.
        reason: String,
    },
    /// A person ended a silence before its time.
    SilenceEnded {
        /// The silence.
        silence: RunId,
        /// Why.
        reason: String,
    },
    /// A notification could not be sent, and is not tried again.
    NotificationGivenUp {
        /// Its id.
        notification: String,
        /// The channel.
        channel: String,
        /// Why the latest try failed.
        error: String,
    },
    /// A login failed, or a request was refused for want of a permission.
    AccessRefused {
        /// What was asked for.
        what: String,
        /// Why it was refused.
        reason: String,
        /// How many refusals of the same kind this record stands for.
        count: u64,
    },
}

impl OperatorAction {
    /// The backup it is about, if it is about one.
    pub fn backup(&self) -> Option<BackupId> {
        match self {
            Self::Revealed { backup }
            | Self::Held { backup, .. }
            | Self::Released { backup, .. }
            | Self::Verified { backup, .. }
            | Self::Lost { backup, .. } => Some(*backup),
            Self::TakenOver { backup, .. } => Some(backup.id),
            Self::Drift { .. }
            | Self::LeftFleet { .. }
            | Self::RowRemoved { .. }
            | Self::BudgetsReopened { .. }
            | Self::Enrolled { .. }
            | Self::PolicyChanged { .. }
            | Self::TagsChanged { .. }
            | Self::Paused
            | Self::Resumed
            | Self::PausedUntil { .. }
            | Self::PauseEnded { .. }
            | Self::Acknowledged { .. }
            | Self::FleetFileChanged { .. }
            | Self::RevisionApplied { .. }
            | Self::TokenCreated { .. }
            | Self::TokenRevoked { .. }
            | Self::ApprovalAsked { .. }
            | Self::ApprovalConfirmed { .. }
            | Self::ApprovalDeclined { .. }
            | Self::ApprovalWithdrawn { .. }
            | Self::DeadLettersRetried { .. }
            | Self::DeadLettersDropped { .. }
            | Self::CheckpointRequested { .. }
            | Self::LoggedIn
            | Self::NotificationsSilenced { .. }
            | Self::SilenceEnded { .. }
            | Self::NotificationGivenUp { .. }
            | Self::AccessRefused { .. } => None,
        }
    }

    /// The action's name in rows and output.
    pub fn as_str(&self) -> &'static str {
        self.into()
    }
}
