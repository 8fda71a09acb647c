//! Names of things. Each is a type of its own, so that one cannot stand where another is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use crate::Timestamp;

/// A site or a deployment slot, named by its ARM id.
///
/// ARM compares ids without regard to case, so the parts are kept in lower case: two spellings are one app.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppId {
    subscription: SubscriptionId,
    resource_group: String,
    site: String,
    slot: Option<String>,
}

/// The text is not the ARM id of an App Service app.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the ARM id of an app: expected \
     /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Web/sites/NAME, \
     with /slots/SLOT after it for a deployment slot"
)]
pub struct InvalidAppId(pub String);

impl AppId {
    /// An app from the parts of its id; `slot` is `None` for the site itself.
    pub fn new(subscription: &str, resource_group: &str, site: &str, slot: Option<&str>) -> Self {
        Self {
            subscription: SubscriptionId::new(subscription),
            resource_group: resource_group.to_lowercase(),
            site: site.to_lowercase(),
            slot: slot.map(str::to_lowercase),
        }
    }

    /// The subscription that pays for the app's API calls.
    pub fn subscription(&self) -> &SubscriptionId {
        &self.subscription
    }

    /// The resource group.
    pub fn resource_group(&self) -> &str {
        &self.resource_group
    }

    /// The site's name, without the slot.
    pub fn site(&self) -> &str {
        &self.site
    }

    /// The slot's name; `None` for the production slot.
    pub fn slot(&self) -> Option<&str> {
        self.slot.as_deref()
    }

    /// What people call it: `shop`, or `shop/staging` for a slot.
    pub fn short_name(&self) -> String {
        match &self.slot {
            Some(slot) => format!("{}/{slot}", self.site),
            None => self.site.clone(),
        }
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subscription, resource_group, site, slot } = self;
        write!(
            f,
            "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Web/sites/{site}"
        )?;
        slot.as_ref().map_or(Ok(()), |slot| write!(f, "/slots/{slot}"))
    }
}

impl fmt::Debug for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for AppId {
    type Err = InvalidAppId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAppId(text.chars().take(300).collect());
        let path = text.strip_prefix('/').ok_or_else(invalid)?;
        let parts: Vec<&str> = path.split('/').collect();
        let words = ["subscriptions", "resourcegroups", "providers", "microsoft.web", "sites", "slots"];
        let at = |i: usize, word: &str| parts.get(i).is_some_and(|p| p.eq_ignore_ascii_case(word));
        let names_hold = |i: &usize| parts.get(*i).is_some_and(|p| is_name(p));
        let fixed =
            at(0, words[0]) && at(2, words[1]) && at(4, words[2]) && at(5, words[3]) && at(6, words[4]);
        let slot = match parts.len() {
            8 => None,
            10 if at(8, words[5]) && names_hold(&9) => Some(parts[9]),
            _ => return Err(invalid()),
        };
        if !fixed || ![1, 3, 7].iter().all(names_hold) {
            return Err(invalid());
        }
        Ok(Self::new(parts[1], parts[3], parts[7], slot))
    }
}

/// Letters, digits and the few signs that Azure allows in names of groups, sites and slots.
fn is_name(part: &str) -> bool {
    !part.is_empty() && part.len() <= 90 && part.chars().all(|c| c.is_alphanumeric() || "-_.()".contains(c))
}

impl TryFrom<String> for AppId {
    type Error = InvalidAppId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AppId> for String {
    fn from(id: AppId) -> Self {
        id.to_string()
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name from its text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A policy's name in the fleet file, as in `[policy.gold]`.
    PolicyName
);
name!(
    /// A storage's name in the fleet file, as in `[storage.weu]`.
    StorageName
);
name!(
    /// The name given to one attempt's backup. Azure makes a blob of it, so no other attempt may bear it.
    BackupName
);

/// A subscription's id, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubscriptionId(String);

impl SubscriptionId {
    /// The id from its text, in any case.
    pub fn new(text: &str) -> Self {
        Self(text.to_lowercase())
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

/// Azure's number for a backup. Numbers are counted per stamp, not per app, so they start anywhere and skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BackupId(pub i64);

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A run's id: a version 7 UUID, so that ids sort by the time they were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// A new id from the time and the given randomness.
    pub fn new(now: Timestamp, rng: &mut fastrand::Rng) -> Self {
        let mut random = [0; 10];
        rng.fill(&mut random);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The id as a UUID.
    pub fn as_uuid(self) -> Uuid {
        self.0
    }

    /// The end of the id, random enough to tell an app's backups apart.
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

impl BackupName {
    /// The prefix of every backup that Holdfast takes.
    pub const PREFIX: &str = "hf-";

    /// The name of attempt `number` of a run of `app`.
    ///
    /// It holds the app, because one container serves many apps and equal names overwrite each other's blobs; the
    /// end of the run's id; and the attempt. `/` and signs that blob names escape become `-`.
    pub fn of_attempt(app: &AppId, run: RunId, number: u32) -> Self {
        let app: String = app
            .short_name()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(60)
            .collect();
        Self(format!("{}{number}", Self::run_prefix_of(&app, run)))
    }

    /// What the names of all attempts of a run begin with: used to find attempts whose answers were lost.
    pub fn of_run(app: &AppId, run: RunId) -> String {
        let first = Self::of_attempt(app, run, 0);
        first.0[..first.0.len() - 1].to_owned()
    }

    fn run_prefix_of(app: &str, run: RunId) -> String {
        format!("{}{app}-{}-", Self::PREFIX, run.tail())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str =
        "/subscriptions/0A0A/resourceGroups/Shops/providers/Microsoft.Web/sites/Shop/slots/Staging";

    #[test]
    fn two_spellings_of_an_arm_id_are_one_app() {
        let app: AppId = SHOP.parse().unwrap();
        assert_eq!(app, SHOP.to_uppercase().parse().unwrap());
        assert_eq!(app.short_name(), "shop/staging");
        assert_eq!(app.to_string().parse::<AppId>().unwrap(), app);
    }

    #[test]
    fn what_is_not_an_apps_id_is_refused() {
        for text in [
            "",
            "shop",
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.Web/sites/",
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.Web/serverfarms/x",
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.Web/sites/x/slots",
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.Web/sites/x?y=z",
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.Web/sites/x/slots/y/z",
        ] {
            assert!(text.parse::<AppId>().is_err(), "{text}");
        }
    }

    #[test]
    fn backup_names_differ_by_app_run_and_attempt_and_share_the_runs_prefix() {
        let mut rng = fastrand::Rng::with_seed(1);
        let app: AppId = SHOP.parse().unwrap();
        let (one, two) =
            (RunId::new(Timestamp::UNIX_EPOCH, &mut rng), RunId::new(Timestamp::UNIX_EPOCH, &mut rng));
        let name = BackupName::of_attempt(&app, one, 12);
        assert!(name.as_str().starts_with("hf-shop-staging-") && name.as_str().ends_with("-12"), "{name}");
        assert!(name.as_str().starts_with(&BackupName::of_run(&app, one)));
        assert!(!name.as_str().starts_with(&BackupName::of_run(&app, two)));
        assert_ne!(one, two);
    }
}
