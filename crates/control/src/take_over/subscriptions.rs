//! The subscriptions of a credential, for people who do not name theirs.

use std::collections::BTreeSet;
use std::sync::Arc;

use holdfast_arm::{Arm, Subscription};
use holdfast_model::SubscriptionId;
use serde::Serialize;

use crate::error::{Context as _, Error, ErrorKind};

/// The subscriptions that a credential sees.
#[derive(Debug, Default, Serialize)]
pub struct SeenSubscriptions {
    /// The enabled ones.
    pub enabled: Vec<SubscriptionName>,
    /// The others.
    pub left_out: Vec<DisabledSubscription>,
}

/// A subscription with its name.
#[derive(Debug, Serialize)]
pub struct SubscriptionName {
    /// Its id.
    pub id: SubscriptionId,
    /// Its name.
    pub name: String,
}

/// A subscription that is not enabled.
#[derive(Debug, Serialize)]
pub struct DisabledSubscription {
    /// Which.
    #[serde(flatten)]
    pub subscription: SubscriptionName,
    /// Azure's word for its state, such as `Disabled` or `Warned`.
    pub state: String,
}

/// Asks Azure which subscriptions the credential sees. Fails when none of them is enabled.
pub async fn seen_subscriptions(arm: &Arc<dyn Arm>) -> Result<SeenSubscriptions, Error> {
    let listed = arm.subscriptions().await.context("failed to list the subscriptions")?;
    let seen = SeenSubscriptions::of(listed);
    if seen.enabled.is_empty() {
        let what = format!("the credential sees no enabled subscription, and {} others", seen.left_out.len());
        let help = "grant it Reader on the subscriptions, log in to their tenant, or name each with --subscription ID";
        return Err(Error::new(ErrorKind::Invalid, what).help(help));
    }
    Ok(seen)
}

impl SeenSubscriptions {
    /// Azure lists a subscription once for each way that leads to it.
    fn of(listed: Vec<Subscription>) -> Self {
        let (mut seen, mut ids) = (Self::default(), BTreeSet::new());
        for subscription in listed.into_iter().filter(|one| ids.insert(one.id.clone())) {
            let is_enabled = subscription.is_enabled();
            let Subscription { id, name, state } = subscription;
            let subscription = SubscriptionName { id, name };
            if is_enabled {
                seen.enabled.push(subscription);
            } else {
                seen.left_out.push(DisabledSubscription { subscription, state });
            }
        }
        seen
    }

    /// The ids of the enabled ones.
    pub fn ids(&self) -> BTreeSet<SubscriptionId> {
        self.enabled.iter().map(|one| one.id.clone()).collect()
    }

    /// One line for each subscription; none where people name theirs.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let looked = self.enabled.iter().map(|one| format!("looked at subscription {}", one.words()));
        let left_out = self.left_out.iter().map(|one| {
            let words = one.subscription.words();
            format!("left out subscription {words}: its state is {}, not Enabled", one.state)
        });
        looked.chain(left_out)
    }
}

impl SubscriptionName {
    fn words(&self) -> String {
        format!("{} ({})", self.name, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_enabled_subscriptions_are_looked_at_and_the_others_are_named() {
        let listed = [("0a", "shops", "Enabled"), ("0b", "old", "Disabled"), ("0a", "shops", "Enabled")];
        let listed = listed.map(|(id, name, state)| Subscription {
            id: SubscriptionId::new(id),
            name: name.into(),
            state: state.into(),
        });
        let seen = SeenSubscriptions::of(listed.into());
        assert_eq!(seen.ids(), BTreeSet::from([SubscriptionId::new("0a")]));
        let lines: Vec<String> = seen.lines().collect();
        assert_eq!(
            lines,
            [
                "looked at subscription shops (0a)",
                "left out subscription old (0b): its state is Disabled, not Enabled"
            ]
        );
    }
}
