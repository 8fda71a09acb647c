//! What the next step of a run needs from Azure, so that admission control can count it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::SubscriptionId;

/// The kinds of calls that ARM counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// GET.
    Read,
    /// POST and PUT.
    Write,
    /// DELETE.
    Delete,
}

impl Call {
    /// The call of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Read, Self::Write, Self::Delete].into_iter().find(|call| call.as_str() == word)
    }

    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

/// A line in which due runs wait. All runs of one lane need the same things from Azure, so the first of them may go
/// whenever any may, and what waits in one lane costs the others nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Lane {
    /// The next step begins an operation: one write, and a place in the plan and in the storage account.
    Begin {
        /// Whose budget pays.
        subscription: SubscriptionId,
        /// The App Service plan, or what stands for it.
        plan: String,
        /// The storage account.
        account: String,
    },
    /// The next step asks about an operation under way: one read.
    Poll {
        /// Whose budget pays.
        subscription: SubscriptionId,
    },
    /// The next step changes something that Azure does not work on for long: one call of this kind.
    Mutate {
        /// Whose budget pays.
        subscription: SubscriptionId,
        /// A write or a delete.
        call: Call,
    },
    /// The next step asks storage alone, which has no budget.
    Unmetered,
}

impl Lane {
    /// The subscription whose budget the step draws on, and for what kind of call.
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

/// The text is not a lane's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a lane")]
pub struct InvalidLane(String);

impl FromStr for Lane {
    type Err = InvalidLane;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
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
                call: Call::from_word(call).ok_or_else(|| InvalidLane(text.chars().take(200).collect()))?,
            }),
            ["unmetered"] => Ok(Self::Unmetered),
            _ => Err(InvalidLane(text.chars().take(200).collect())),
        }
    }
}

/// A token bucket: so many calls at once, and so many more each second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Tokens when full.
    pub capacity: f64,
    /// Tokens that come back each second.
    pub per_second: f64,
}

/// What admission control allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Reads of one subscription under one credential.
    pub reads: Budget,
    /// Writes, likewise.
    pub writes: Budget,
    /// Deletes, likewise.
    pub deletes: Budget,
    /// Operations under way in one App Service plan.
    pub per_plan: u32,
    /// Operations under way into one storage account.
    pub per_account: u32,
    /// Messages handed out and not yet worked off.
    pub outstanding: u32,
}

impl Limits {
    /// The budget for a kind of call.
    pub fn budget(&self, call: Call) -> Budget {
        match call {
            Call::Read => self.reads,
            Call::Write => self.writes,
            Call::Delete => self.deletes,
        }
    }
}

impl Default for Limits {
    /// ARM's own buckets since 2024 (learn.microsoft.com, request limits and throttling): reads 250 and 25 a second,
    /// writes and deletes 200 and 10 a second.
    fn default() -> Self {
        Self {
            reads: Budget { capacity: 250.0, per_second: 25.0 },
            writes: Budget { capacity: 200.0, per_second: 10.0 },
            deletes: Budget { capacity: 200.0, per_second: 10.0 },
            per_plan: 4,
            per_account: 50,
            outstanding: 256,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_comes_back_from_its_text() {
        let subscription = SubscriptionId::new("s");
        let begin =
            Lane::Begin { subscription: subscription.clone(), plan: "/p/x".into(), account: "acct".into() };
        for lane in [begin, Lane::Poll { subscription }, Lane::Unmetered] {
            assert_eq!(lane.to_string().parse::<Lane>(), Ok(lane));
        }
        assert!("begin|only".parse::<Lane>().is_err());
    }
}
