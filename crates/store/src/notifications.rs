//! Notifications: what the notifier has read, and what it sends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{AppId, NewRun, Tags, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

use crate::error::Result;

/// What the notifiers of all processes share: a place in the audit, what follows from the events up to it, and the
/// notifications that are to be sent.
#[async_trait]
pub trait NotificationStore: Send + Sync + Debug {
    /// How far the notifier has read; `None` before its first pass.
    async fn notifier(&self) -> Result<Option<NotifierPlace>>;

    /// Moves the notifier's place and adds notifications, in one transaction. Returns false, and changes nothing, where
    /// another process has moved it since. Notifications that ended more than [`KEPT_FOR`] ago are deleted.
    async fn advance_notifier(&self, advance: &NotifierAdvance) -> Result<bool>;

    /// Leases at most `most` due notifications of a channel, in one transaction, each for `lasts`: after that it is due again.
    ///
    /// A notification waits for the earlier ones of its incident on the channel.
    async fn lease_notifications(
        &self,
        channel: &str,
        most: u32,
        lasts: Duration,
    ) -> Result<Vec<Notification>>;

    /// Writes what became of a notification, with the operator action `record` where it is given up, in one transaction.
    /// Returns false, and changes nothing, where it is no longer pending.
    async fn settle_notification(
        &self,
        notification: &Notification,
        delivery: &Delivery,
        record: Option<&NewRun>,
    ) -> Result<bool>;

    /// The tags of these apps. Those that were never enrolled are left out.
    async fn app_tags(&self, apps: &BTreeSet<AppId>) -> Result<BTreeMap<AppId, Tags>>;

    /// At most `most` notifications that were created after a time, the newest first.
    async fn list(&self, since: Timestamp, most: u32) -> Result<Vec<Notification>>;
}

/// How long a notification is kept after it was sent or given up.
pub const KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// How far the notifier has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifierPlace {
    /// The number of its moves.
    pub version: i64,
    /// The sequence number of the last audit event that it has read.
    pub through: i64,
    /// What follows from the events up to there, as the notifier wrote it.
    pub state: String,
}

/// A move of the notifier's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifierAdvance {
    /// The version that it was decided on; 0 for the first move.
    pub from: i64,
    /// The last event that was read.
    pub through: i64,
    /// What follows from the events up to there.
    pub state: String,
    /// The notifications that follow.
    pub notifications: Vec<NewNotification>,
}

/// A notification that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// Its id, the same however often it is sent.
    pub id: String,
    /// The channel that it is sent to.
    pub channel: String,
    /// The incident that it tells of.
    pub incident: String,
    /// Its number among those of the incident, from 1.
    pub number: u32,
    /// What it says, as the notifier wrote it.
    pub content: String,
}

/// A notification, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// Its id.
    pub id: String,
    /// The channel.
    pub channel: String,
    /// The incident that it tells of.
    pub incident: String,
    /// Its number among those of the incident.
    pub number: u32,
    /// What it says.
    pub content: String,
    /// What became of it.
    pub state: NotificationState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it is due, or due again should its sender be gone.
    pub due_at: Timestamp,
    /// When it was sent or given up.
    pub ended_at: Option<Timestamp>,
    /// Why the latest try failed.
    pub error: Option<String>,
}

/// What became of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NotificationState {
    /// It is not sent yet.
    Pending,
    /// The receiver accepted it.
    Sent,
    /// It was tried for as long as it may be, or the receiver refused it for good.
    GivenUp,
}

/// The result of a try to send a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver accepted it.
    Sent,
    /// It failed, and is tried again.
    Failed {
        /// When.
        retry_at: Timestamp,
        /// Why.
        error: String,
    },
    /// It failed for good.
    GivenUp {
        /// Why.
        error: String,
    },
}

impl Notification {
    /// A new notification at the store's time.
    pub(crate) fn created(new: &NewNotification, now: Timestamp) -> Self {
        let NewNotification { id, channel, incident, number, content } = new.clone();
        Self {
            id,
            channel,
            incident,
            number,
            content,
            state: NotificationState::Pending,
            attempts: 0,
            created_at: now,
            due_at: now,
            ended_at: None,
            error: None,
        }
    }

    /// The notification after a try.
    pub(crate) fn settled(mut self, delivery: &Delivery, now: Timestamp) -> Self {
        let (state, ended_at) = match delivery {
            Delivery::Sent => (NotificationState::Sent, Some(now)),
            Delivery::Failed { .. } => (NotificationState::Pending, None),
            Delivery::GivenUp { .. } => (NotificationState::GivenUp, Some(now)),
        };
        (self.state, self.ended_at) = (state, ended_at);
        match delivery {
            Delivery::Sent => {}
            Delivery::Failed { retry_at, error } => {
                (self.due_at, self.error) = (crate::columns::stamp(*retry_at), Some(error.clone()));
            }
            Delivery::GivenUp { error } => self.error = Some(error.clone()),
        }
        self
    }
}
