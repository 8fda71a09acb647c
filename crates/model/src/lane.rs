//! Lanes: due runs grouped by what their next step needs from Azure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Call, SubscriptionId};

/// A queue of due runs whose next steps need the same budgets and places.
///
/// Whenever one run of a lane may start, the first may, so admission looks at heads of lanes only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lane {
    /// The next step starts an operation: one write, one place in the plan and one in the storage account.
    Begin {
        /// The subscription whose budget pays.
        subscription: SubscriptionId,
        /// The App Service plan or its substitute.
        plan: String,
        /// The storage account.
        account: String,
    },
    /// The next step polls an operation: one read.
    Poll {
        /// The subscription whose budget pays.
        subscription: SubscriptionId,
    },
    /// The next step makes one short change: one call of the given kind.
    Mutate {
        /// The subscription whose budget pays.
        subscription: SubscriptionId,
        /// `Write` or `Delete`.
        call: Call,
    },
    /// The next step calls storage only, which has no budget.
    Unmetered,
}

impl Lane {
    /// The budget that the step draws on; `None` where it draws on none.
    pub fn cost(&self) -> Option<(&SubscriptionId, Call)> {
        match self {
            Self::Begin { subscription, .. } => Some((subscription, Call::Write)),
            Self::Poll { subscription } => Some((subscription, Call::Read)),
            Self::Mutate { subscription, call } => Some((subscription, *call)),
            Self::Unmetered => None,
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin { subscription, plan, account } => write!(f, "begin|{subscription}|{plan}|{account}"),
            Self::Poll { subscription } => write!(f, "poll|{subscription}"),
            Self::Mutate { subscription, call } => write!(f, "mutate|{subscription}|{}", call.as_str()),
            Self::Unmetered => write!(f, "unmetered"),
        }
    }
}

/// The text is not the `Display` form of a [`Lane`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a lane")]
pub struct InvalidLane(String);

impl FromStr for Lane {
    type Err = InvalidLane;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidLane(text.chars().take(200).collect());
        let parts: Vec<&str> = text.split('|').collect();
        match parts[..] {
            ["begin", subscription, plan, account] => Ok(Self::Begin {
                subscription: SubscriptionId::new(subscription),
                plan: plan.to_owned(),
                account: account.to_owned(),
            }),
            ["poll", subscription] => Ok(Self::Poll { subscription: SubscriptionId::new(subscription) }),
            ["mutate", subscription, call] => Ok(Self::Mutate {
                subscription: SubscriptionId::new(subscription),
                call: call.parse().map_err(|_| invalid())?,
            }),
            ["unmetered"] => Ok(Self::Unmetered),
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_survives_a_text_round_trip() {
        let subscription = SubscriptionId::new("s");
        let begin =
            Lane::Begin { subscription: subscription.clone(), plan: "/p/x".into(), account: "acct".into() };
        for lane in [begin, Lane::Poll { subscription }, Lane::Unmetered] {
            assert_eq!(lane.to_string().parse::<Lane>(), Ok(lane));
        }
        assert!("begin|only".parse::<Lane>().is_err());
    }
}
