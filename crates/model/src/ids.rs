//! Ids, each with its own type, so that the compiler rejects one in place of another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::{Builder, Uuid};

use crate::Timestamp;
use crate::letters::fold_case;

/// Declares an id as a newtype of a string.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            utoipa::ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use text_id;

text_id!(
    /// A policy's name in the fleet file, as in `[policy.gold]`.
    PolicyName
);
text_id!(
    /// A storage's name in the fleet file, as in `[storage.weu]`.
    StorageName
);

/// A subscription's id, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct SubscriptionId(String);

impl SubscriptionId {
    /// The id from its text, in any case.
    pub fn new(text: &str) -> Self {
        Self(fold_case(text))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Azure's number for a backup. Azure counts per stamp, not per app: numbers start anywhere and have gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct BackupId(pub i64);

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A run's id: a version 7 UUID, which sorts by its creation time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = "uuid")]
pub struct RunId(Uuid);

impl RunId {
    /// A new id from the time and the given randomness.
    pub fn new(now: Timestamp, rng: &mut fastrand::Rng) -> Self {
        let mut random = [0; 10];
        rng.fill(&mut random);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// A new id that sorts after `last`, where that one is of the same millisecond.
    ///
    /// Rows that are written together then lie together in the indexes of their ids, which random ids would scatter.
    pub fn after(last: Option<Self>, now: Timestamp, rng: &mut fastrand::Rng) -> Self {
        /// The bits of a version 7 UUID behind its variant.
        const RANDOM_BITS: u32 = 62;
        let new = Self::new(now, rng);
        let Some(last) = last.map(|last| last.0.as_u128()) else { return new };
        if (last ^ new.0.as_u128()) >> 80 != 0 {
            return new;
        }
        // The step is as random as the tail of an id.
        let next = last + 1 + u128::from(rng.u64(..) >> 24);
        if (last ^ next) >> RANDOM_BITS == 0 { Self(Uuid::from_u128(next)) } else { new }
    }

    /// The greatest id, after that of every run.
    pub const LAST: Self = Self(Uuid::max());

    /// The id as a UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }

    /// The last 10 hex digits, random enough to tell an app's runs apart.
    pub fn tail(self) -> String {
        let text = self.0.simple().to_string();
        text[text.len() - 10..].to_owned()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::from_str(text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn ids_of_one_millisecond_sort_as_they_were_made_and_have_different_tails() {
        let (mut rng, mut last) = (fastrand::Rng::with_seed(7), None);
        let mut made = Vec::new();
        for number in 0..10_000 {
            let now = Timestamp::UNIX_EPOCH + TimeDelta::milliseconds(number / 5_000);
            let id = RunId::after(last, now, &mut rng);
            assert_eq!(
                (id.as_uuid().get_version_num(), id.as_uuid().get_variant()),
                (7, uuid::Variant::RFC4122)
            );
            last = Some(id);
            made.push(id);
        }
        assert!(made.is_sorted());
        assert_eq!(made.iter().map(|id| id.tail()).collect::<BTreeSet<_>>().len(), made.len());
    }

    #[test]
    fn an_id_is_new_when_the_clock_moved_back_or_no_greater_one_is_left() {
        let mut rng = fastrand::Rng::with_seed(7);
        let later = Timestamp::UNIX_EPOCH + TimeDelta::seconds(1);
        let last = RunId::new(later, &mut rng);
        assert!(RunId::after(Some(last), Timestamp::UNIX_EPOCH, &mut rng) < last);
        let greatest = RunId(Uuid::from_u128(last.0.as_u128() | ((1 << 62) - 1)));
        let id = RunId::after(Some(greatest), later, &mut rng);
        assert!(id != greatest && id.as_uuid().get_variant() == uuid::Variant::RFC4122);
    }
}
