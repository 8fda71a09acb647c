//! What one notification says, before it has the form of a channel.

use holdfast_config::NotifyOn;
use holdfast_model::{Cause, PolicyName, RunId, SubscriptionId, Timestamp};
use holdfast_store::NewNotification;
use serde::{Deserialize, Serialize};

use crate::state::{Day, Incident};

/// What one notification says. It holds names and causes, and no text of Azure's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The incident.
    pub incident: String,
    /// The number of this notice among those of the incident.
    pub number: u32,
    /// Why it is sent.
    pub kind: NoticeKind,
    /// The rule.
    pub rule: String,
    /// When it was decided.
    pub at: Timestamp,
    /// When the incident opened.
    pub opened_at: Timestamp,
    /// The kind of trouble; `None` for a digest or a test.
    pub on: Option<NotifyOn>,
    /// The policy.
    pub policy: Option<PolicyName>,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// The cause.
    pub cause: Option<Cause>,
    /// How many were in trouble since it opened.
    pub affected: u32,
    /// How many still are.
    pub in_trouble: u32,
    /// The names of the first of them.
    pub names: Vec<String>,
    /// A run of the first of them.
    pub run: Option<RunId>,
    /// The day, for a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
}

/// Why a notice is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NoticeKind {
    /// Something went wrong.
    Opened,
    /// It still is.
    Reminder,
    /// It is over.
    Resolved,
    /// The summary of a day.
    Digest,
    /// A person tries a channel.
    Test,
}

/// A day, and what is open at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The day.
    #[serde(flatten)]
    pub day: Day,
    /// Open incidents of the rule.
    pub open: u32,
}

impl Notice {
    /// What an incident says now.
    pub fn of(incident: &Incident, kind: NoticeKind, at: Timestamp) -> Self {
        let Incident { id, key, opened_at, told, troubles, affected, names, .. } = incident;
        Self {
            incident: id.clone(),
            number: *told,
            kind,
            rule: key.rule.clone(),
            at,
            opened_at: *opened_at,
            on: Some(key.on),
            policy: key.policy.clone(),
            subscription: key.subscription.clone(),
            cause: key.cause,
            affected: *affected,
            in_trouble: u32::try_from(troubles.len()).unwrap_or(u32::MAX),
            names: names.clone(),
            run: troubles.values().find_map(|trouble| trouble.run),
            digest: None,
        }
    }

    /// The digest of a rule.
    pub fn digest(rule: &str, digest: Digest, at: Timestamp) -> Self {
        let incident = format!("digest-{rule}-{}", digest.day.since.timestamp());
        let opened_at = digest.day.since;
        let digest = Some(digest);
        Self { incident, opened_at, digest, ..Self::empty(rule, NoticeKind::Digest, at) }
    }

    /// A notice about nothing.
    pub fn empty(rule: &str, kind: NoticeKind, at: Timestamp) -> Self {
        Self {
            incident: format!("{kind}-{}", at.timestamp_millis()),
            number: 1,
            kind,
            rule: rule.to_owned(),
            at,
            opened_at: at,
            on: None,
            policy: None,
            subscription: None,
            cause: None,
            affected: 0,
            in_trouble: 0,
            names: Vec::new(),
            run: None,
            digest: None,
        }
    }

    /// Its id on a channel, the same however often it is sent.
    pub fn id_on(&self, channel: &str) -> String {
        format!("{}-{}-{channel}", self.incident, self.number)
    }

    /// The notification of a channel.
    pub fn to(&self, channel: &str) -> NewNotification {
        NewNotification {
            id: self.id_on(channel),
            channel: channel.to_owned(),
            incident: self.incident.clone(),
            number: self.number,
            content: serde_json::to_string(self).unwrap_or_default(),
        }
    }
}
