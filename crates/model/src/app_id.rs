//! The id of an app.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::SubscriptionId;

/// The ARM id of a site or a deployment slot.
///
/// ARM compares ids without regard to case, so the parts are stored in lower case.
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
    /// An id from its parts; `slot` is `None` for the production slot.
    pub fn new(subscription: &str, resource_group: &str, site: &str, slot: Option<&str>) -> Self {
        Self {
            subscription: SubscriptionId::new(subscription),
            resource_group: resource_group.to_lowercase(),
            site: site.to_lowercase(),
            slot: slot.map(str::to_lowercase),
        }
    }

    /// The subscription whose budget the app's API calls draw on.
    pub fn subscription(&self) -> &SubscriptionId {
        &self.subscription
    }

    /// The resource group's name.
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

    /// The name in output: `shop`, or `shop/staging` for a slot.
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

/// Whether `part` has only characters that Azure allows in names of groups, sites and slots.
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
}
