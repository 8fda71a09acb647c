//! The meaning of the sections `[channel.…]` and `[notify.…]`: who is told what.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{Cause, PolicyName, TagFilter, Zone};
use holdfast_storage::SecretRef;

use crate::clock_time::{ClockTime, QuietTime};

/// The channels and the rules of a fleet file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notifications {
    /// The sections `[channel.…]`.
    pub channels: BTreeMap<String, Channel>,
    /// The sections `[notify.…]`.
    pub rules: BTreeMap<String, NotifyRule>,
}

/// A receiver of notifications. Addresses that let anyone post are references, as secrets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// An HTTP endpoint that takes CloudEvents, signed as Standard Webhooks.
    Webhook {
        /// Its URL.
        url: SecretRef,
        /// The key of the signature, `whsec_…`; `None` for no signature.
        secret: Option<SecretRef>,
    },
    /// An incoming webhook of Slack.
    Slack {
        /// Its URL.
        url: SecretRef,
    },
    /// A workflow of Teams that posts cards.
    Teams {
        /// Its URL.
        url: SecretRef,
    },
    /// PagerDuty Events v2.
    PagerDuty {
        /// The integration key.
        key: SecretRef,
        /// The URL of another region or of a test; `None` for PagerDuty's own.
        url: Option<SecretRef>,
    },
    /// An Apprise API, which passes on to all else.
    Apprise {
        /// Its URL, with the key of its configuration.
        url: SecretRef,
        /// The tag of the receivers; `None` for all.
        tag: Option<String>,
    },
    /// E-mail.
    Email(Email),
    /// A URL that is requested while backups are planned, and watched by a dead-man's switch.
    Heartbeat {
        /// Its URL.
        url: SecretRef,
        /// The interval.
        every: Duration,
    },
}

/// A channel of e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The SMTP server.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: MailTls,
    /// The sender.
    pub from: String,
    /// The receivers.
    pub to: Vec<String>,
    /// The login, if the server asks for one.
    pub login: Option<(String, SecretRef)>,
}

/// How a connection to an SMTP server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// From the start.
    Implicit,
    /// After STARTTLS, which the server must offer.
    StartTls,
    /// Not at all: this machine's own server.
    None,
}

/// A rule: what is told, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifyRule {
    /// The channels.
    pub channels: Vec<String>,
    /// The policies; empty for all, and for what is in no policy.
    pub policies: Vec<PolicyName>,
    /// The tags that an app must have, all of them; without any, also what is about no app.
    pub tags: Vec<TagFilter>,
    /// What is told.
    pub on: Vec<NotifyOn>,
    /// The causes; empty for all.
    pub causes: Vec<Cause>,
    /// Failures of an app in a row that open an incident.
    pub failures: u32,
    /// Successes of an app in a row after which it has recovered.
    pub successes: u32,
    /// Whether the end of an incident is told.
    pub recovery: bool,
    /// How long an incident gathers apps before it is told.
    pub gather: Duration,
    /// How often an open incident is told again; `None` for never.
    pub reminder: Option<Duration>,
    /// When a digest of the day is sent; `None` for none.
    pub digest: Option<ClockTime>,
    /// When nothing is told; it is told at the end, if it lasts.
    pub quiet: Vec<QuietTime>,
    /// The zone of the times of day.
    pub zone: Zone,
}

/// What a rule tells.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NotifyOn {
    /// A backup run failed, or used up its attempts.
    Failure,
    /// A backup run made a partial backup.
    Partial,
    /// A tick was not run.
    Missed,
    /// A person cancelled a backup run.
    Cancelled,
    /// A restore did not succeed.
    Restore,
    /// A drill did not succeed.
    Drill,
    /// A deletion did not succeed.
    Delete,
    /// A SAS that Azure keeps could not be replaced.
    Sas,
    /// A check of the catalog did not succeed.
    Check,
    /// A backup is lost.
    Lost,
    /// An app left the fleet, because Azure no longer has it.
    Departure,
    /// An app is past its recovery point objective.
    Objective,
    /// An app has no good backup, and its first run did not succeed.
    NeverBackedUp,
    /// An app's last backup is much smaller than the one before.
    Shrinking,
    /// An app's last backup could not be checked.
    Unverified,
    /// Azure's list leaves an app out.
    Missing,
    /// The SAS that Azure keeps with an app's latest good backup ends within the hour, or has ended.
    SasLapsing,
    /// No tick is planned for any app of a policy.
    NothingPlanned,
    /// Azure does not list the apps of a subscription.
    Discovery,
}

impl NotifyOn {
    /// What a rule tells that does not say it.
    pub const USUAL: [Self; 11] = [
        Self::Failure,
        Self::Missed,
        Self::Restore,
        Self::Drill,
        Self::Sas,
        Self::SasLapsing,
        Self::Lost,
        Self::Departure,
        Self::Objective,
        Self::NothingPlanned,
        Self::Discovery,
    ];

    /// The name in the fleet file.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether it lasts while a look at the store finds it. All else is an event.
    pub fn is_condition(self) -> bool {
        matches!(
            self,
            Self::Objective
                | Self::NeverBackedUp
                | Self::Shrinking
                | Self::Unverified
                | Self::Missing
                | Self::SasLapsing
                | Self::NothingPlanned
                | Self::Discovery
        )
    }
}
