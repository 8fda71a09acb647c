//! Channels of notifications that receive nothing. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{Timestamp, inert};
use holdfast_store::{Notification, NotificationState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wording::counted;

/// How far back notifications are looked at.
pub(crate) const SINCE: Duration = Duration::from_hours(48);

/// A notification that has waited for this long is late.
const LATE: Duration = Duration::from_mins(5);

/// A channel whose notifications of the last two days did not all arrive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct ChannelProblem {
    /// The channel.
    pub channel: String,
    /// Notifications that wait to be tried again.
    pub waiting: u32,
    /// Notifications that were given up.
    pub given_up: u32,
    /// Why the latest try failed.
    pub error: Option<String>,
}

/// The channels with problems, given their notifications, the newest first.
pub(crate) fn channel_problems(notifications: &[Notification], now: Timestamp) -> Vec<ChannelProblem> {
    let mut found: BTreeMap<&str, ChannelProblem> = BTreeMap::new();
    for one in notifications {
        let is_late = one.state == NotificationState::Pending && one.created_at + LATE < now;
        let is_given_up = one.state == NotificationState::GivenUp;
        if !is_late && !is_given_up {
            continue;
        }
        let problem = found.entry(&one.channel).or_insert_with(|| ChannelProblem {
            channel: one.channel.clone(),
            waiting: 0,
            given_up: 0,
            error: None,
        });
        problem.waiting += u32::from(is_late);
        problem.given_up += u32::from(is_given_up);
        problem.error = problem.error.take().or_else(|| one.error.clone());
    }
    found.into_values().collect()
}

impl ChannelProblem {
    /// What people should know.
    pub(crate) fn note(&self) -> String {
        let Self { channel, waiting, given_up, error } = self;
        let waiting = (*waiting > 0).then(|| format!("{} not sent yet", counted(*waiting, "notification")));
        let given_up = (*given_up > 0).then(|| format!("{} given up", counted(*given_up, "notification")));
        let parts: Vec<String> = waiting.into_iter().chain(given_up).collect();
        let why = error.as_deref().unwrap_or("no process sends");
        format!("channel {channel} has {}: {}; see `holdfast notify list`", parts.join(" and "), inert(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_with_late_or_given_up_notifications_is_named_with_its_latest_error() {
        let now = Timestamp::UNIX_EPOCH + Duration::from_hours(1);
        let one = |channel: &str, state, error: Option<&str>, age| Notification {
            id: String::new(),
            channel: channel.into(),
            incident: String::new(),
            number: 1,
            content: String::new(),
            state,
            attempts: 1,
            created_at: now - Duration::from_secs(age),
            due_at: now,
            ended_at: None,
            error: error.map(str::to_owned),
        };
        let all = [
            one("ops", NotificationState::Pending, Some("answered 503"), 10),
            one("ops", NotificationState::Pending, Some("answered 503"), 600),
            one("ops", NotificationState::GivenUp, Some("answered 404"), 900),
            one("mail", NotificationState::Sent, None, 900),
            one("hook", NotificationState::Pending, None, 900),
        ];
        let notes: Vec<String> = channel_problems(&all, now).iter().map(ChannelProblem::note).collect();
        assert_eq!(
            notes,
            [
                "channel hook has 1 notification not sent yet: no process sends; see `holdfast notify list`",
                "channel ops has 1 notification not sent yet and 1 notification given up: answered 503; see \
                 `holdfast notify list`"
            ]
        );
    }
}
