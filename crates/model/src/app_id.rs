//! The id of an app.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::SubscriptionId;
use crate::letters::fold_case;

/// The ARM id of a site or a deployment slot.
///
/// ARM compares ids without regard to case, so the parts are stored as [`fold_case`] writes them. Ids are ordered as
/// their texts are, byte by byte, like the keys of every store.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppId {
    subscription: SubscriptionId,
    resource_group: String,
    site: String,
    slot: Option<String>,
}

/// The text is not the ARM id of an App Service app.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the ARM id of an app: {why}")]
pub struct InvalidAppId {
    /// The text, shortened.
    pub text: String,
    /// What is wrong with it, and what to write instead.
    pub why: String,
}

const EXPECTED: &str = "expected /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Web/sites/NAME, \
     with /slots/SLOT after it for a deployment slot";

impl AppId {
    /// An id from its parts; `slot` is `None` or `production` for the production slot, which is the site itself.
    pub fn new(subscription: &str, resource_group: &str, site: &str, slot: Option<&str>) -> Self {
        Self {
            subscription: SubscriptionId::new(subscription),
            resource_group: fold_case(resource_group),
            site: fold_case(site),
            slot: slot.map(fold_case).filter(|slot| slot != "production"),
        }
    }

    /// The app of an operator action about a row whose app cannot be read.
    pub fn unknown() -> Self {
        Self::new("unknown", "unknown", "unknown", None)
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
        parse(text).map_err(|why| InvalidAppId { text: text.chars().take(300).collect(), why })
    }
}

/// Reads an id. The error says what is wrong.
fn parse(text: &str) -> Result<AppId, String> {
    let parts: Vec<&str> = text.strip_prefix('/').ok_or(EXPECTED)?.split('/').collect();
    let words = [
        (0, "subscriptions"),
        (2, "resourcegroups"),
        (4, "providers"),
        (5, "microsoft.web"),
        (6, "sites"),
        (8, "slots"),
    ];
    let is_fixed =
        |(at, word): &(usize, &str)| parts.get(*at).is_none_or(|part| part.eq_ignore_ascii_case(word));
    if !matches!(parts.len(), 8 | 10) || parts.contains(&"") || !words.iter().all(is_fixed) {
        return Err(EXPECTED.to_owned());
    }
    for (at, what) in [(1, "subscription"), (3, "resource group"), (7, "site"), (9, "slot")] {
        if let Some(name) = parts.get(at).filter(|name| !is_name(name)) {
            return Err(format!(
                "`{name}` cannot be the name of a {what}: a name has 1 to 90 letters, digits and characters of \
                 `-_.()`, and does not end with a period"
            ));
        }
    }
    Ok(AppId::new(parts[1], parts[3], parts[7], parts.get(9).copied()))
}

/// Whether `part` is a name that Azure allows for groups, sites and slots, and one segment of a path.
///
/// Azure counts characters, and allows letters of every script with their combining marks.
fn is_name(part: &str) -> bool {
    let is_allowed =
        |c: char| c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c) || "-_.()".contains(c);
    (1..=90).contains(&part.chars().count()) && part.chars().all(is_allowed) && !part.ends_with('.')
}

impl PartialOrd for AppId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for AppId {
    fn cmp(&self, other: &Self) -> Ordering {
        let after_site = |id: &Self| id.slot.is_some().then_some(b'/');
        part_order(self.subscription.as_str(), Some(b'/'), other.subscription.as_str(), Some(b'/'))
            .then_with(|| part_order(&self.resource_group, Some(b'/'), &other.resource_group, Some(b'/')))
            .then_with(|| part_order(&self.site, after_site(self), &other.site, after_site(other)))
            .then_with(|| self.slot.cmp(&other.slot))
    }
}

/// The order of two texts that begin with these parts, each followed by a slash or by the end of its text.
fn part_order(one: &str, after_one: Option<u8>, other: &str, after_other: Option<u8>) -> Ordering {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let common = one.len().min(other.len());
    let next = |part: &[u8], after| part.get(common).copied().or(after);
    one[..common].cmp(&other[..common]).then_with(|| next(one, after_one).cmp(&next(other, after_other)))
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

    fn in_group(group: &str) -> Result<AppId, InvalidAppId> {
        format!("/subscriptions/0a0a/resourceGroups/{group}/providers/Microsoft.Web/sites/shop").parse()
    }

    #[test]
    fn a_part_that_could_lead_to_another_path_is_refused_and_named() {
        for group in
            ["..", ".", "%2e%2e", "a%2Fb", "a\u{1}b", "a b", "a\nb", "a\u{202e}b", "a\u{200b}b", "a.", "a\\b"]
        {
            let refusal = in_group(group).unwrap_err().to_string();
            assert!(
                refusal.contains(&format!("`{group}` cannot be the name of a resource group")),
                "{refusal}"
            );
        }
        for text in [
            "/subscriptions/../resourceGroups/g/providers/Microsoft.Web/sites/shop",
            "/subscriptions/0a0a/resourceGroups/g/providers/Microsoft.Web/sites/..",
            "/subscriptions/0a0a/resourceGroups/g/providers/Microsoft.Web/sites/shop/slots/..",
            "//subscriptions/0a0a/resourceGroups/g/providers/Microsoft.Web/sites/shop",
            "/subscriptions/0a0a/resourceGroups//providers/Microsoft.Web/sites/shop",
        ] {
            assert!(text.parse::<AppId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_is_measured_in_characters() {
        assert!(in_group(&"ü".repeat(90)).is_ok() && in_group(&"グループ名".repeat(18)).is_ok());
        assert!(in_group(&"a".repeat(91)).is_err() && in_group(&"ü".repeat(91)).is_err());
    }

    #[test]
    fn the_production_slot_is_the_site_itself() {
        let site = in_group("g").unwrap();
        for slot in ["production", "Production"] {
            assert_eq!(format!("{site}/slots/{slot}").parse::<AppId>().unwrap(), site);
            assert_eq!(AppId::new("0a0a", "g", "shop", Some(slot)), site);
        }
    }

    #[test]
    fn an_id_survives_its_own_text_whatever_its_letters() {
        for group in
            ["İzmir-üretim", "İZMİR-ÜRETİM", "straße", "ſ", "\u{212a}elvin", "i\u{307}zmir", "Ǆ", "ΑΣ"]
        {
            let id = in_group(group).unwrap();
            assert_eq!(id.to_string().parse::<AppId>().unwrap(), id, "{group}");
            assert_eq!(serde_json::from_str::<AppId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
        }
        assert_eq!(in_group("İzmir-Üretim").unwrap(), in_group("İZMIR-ÜRETIM").unwrap());
        assert_ne!(in_group("İzmir").unwrap(), in_group("izmir").unwrap());
        assert_eq!(in_group("İzmir-üretim").unwrap().resource_group(), "İzmir-üretim");
    }

    #[test]
    fn ids_are_ordered_as_their_texts_are() {
        let mut ids: Vec<AppId> = [
            ("shop", None),
            ("shop", Some("x")),
            ("shop-a", None),
            ("shop", Some("b")),
            ("sho", None),
            ("şhop", None),
        ]
        .map(|(site, slot)| AppId::new("s", "g", site, slot))
        .into();
        let mut texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        ids.sort();
        texts.sort();
        assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), texts);
    }
}
