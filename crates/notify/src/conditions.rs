//! What no event tells: conditions that a look at the store finds. Pure.

use std::time::Duration;

use holdfast_config::NotifyOn;
use holdfast_control::freshness::unplanned;
use holdfast_model::{Cause, PolicyName, SubscriptionId, Tags, Timestamp, Verification};
use holdfast_store::{AppStatus, SubscriptionStatus};

/// How long before the end of a SAS it lapses: it should have been replaced hours before.
const LAPSES_WITHIN: Duration = Duration::from_hours(1);

/// One condition of an app, a policy or a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionFound {
    /// Its kind.
    pub on: NotifyOn,
    /// The id of what has it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The policy.
    pub policy: Option<PolicyName>,
    /// The tags of an app; none of a policy or a subscription.
    pub tags: Tags,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
}

/// The conditions of a fleet at a time. An app may have several: none hides another, as it would in a status.
pub fn conditions(
    apps: &[AppStatus],
    subscriptions: &[SubscriptionStatus],
    now: Timestamp,
) -> Vec<ConditionFound> {
    let mut found = Vec::new();
    for status in apps.iter().filter(|status| !status.removed) {
        found.extend(of_app(status, now).into_iter().map(|on| ConditionFound {
            on,
            id: status.app.to_string(),
            name: status.app.short_name(),
            policy: status.policy.clone(),
            tags: status.tags.clone(),
            subscription: Some(status.app.subscription().clone()),
        }));
    }
    found.extend(unplanned(apps).map(|policy| ConditionFound {
        on: NotifyOn::NothingPlanned,
        id: policy.to_string(),
        name: policy.to_string(),
        policy: Some(policy.clone()),
        tags: Tags::default(),
        subscription: None,
    }));
    let unanswered = subscriptions.iter().filter(|status| status.unanswered_since.is_some());
    found.extend(unanswered.map(|status| ConditionFound {
        on: NotifyOn::Discovery,
        id: status.subscription.to_string(),
        name: status.subscription.to_string(),
        policy: None,
        tags: Tags::default(),
        subscription: Some(status.subscription.clone()),
    }));
    found
}

fn of_app(status: &AppStatus, now: Timestamp) -> Vec<NotifyOn> {
    let last = status.last.as_ref();
    let is_unverified =
        |verification| matches!(verification, Some(Verification::Unreachable | Verification::Unusable));
    let all = [
        (NotifyOn::Objective, status.past_objective),
        (NotifyOn::NeverBackedUp, status.policy.is_some() && status.last_good_at.is_none() && last.is_some()),
        (NotifyOn::Shrinking, last.is_some_and(|last| last.cause == Some(Cause::BlobShrunk))),
        (NotifyOn::Unverified, last.is_some_and(|last| is_unverified(last.verification))),
        (NotifyOn::Missing, status.missing_since.is_some()),
        (NotifyOn::SasLapsing, status.sas_expiry.is_some_and(|end| end <= now + LAPSES_WITHIN)),
    ];
    all.into_iter().filter_map(|(on, is_so)| is_so.then_some(on)).collect()
}

#[cfg(test)]
mod tests {
    use holdfast_model::AppId;

    use super::*;

    #[test]
    fn an_app_may_have_several_conditions_and_one_that_left_has_none() {
        let now = Timestamp::UNIX_EPOCH;
        let bad = AppStatus {
            policy: Some(PolicyName::new("gold")),
            past_objective: true,
            missing_since: Some(now),
            sas_expiry: Some(now + Duration::from_mins(30)),
            next_tick: Some(now),
            ..AppStatus::new(AppId::new("s", "g", "shop", None))
        };
        let found = |status: &AppStatus| -> Vec<NotifyOn> {
            conditions(std::slice::from_ref(status), &[], now).iter().map(|one| one.on).collect()
        };
        assert_eq!(found(&bad), [NotifyOn::Objective, NotifyOn::Missing, NotifyOn::SasLapsing]);
        assert_eq!(found(&AppStatus { removed: true, ..bad }), []);
    }
}
