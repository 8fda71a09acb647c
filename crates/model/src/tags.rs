//! The tags of an app, and what people select apps by.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::letters::fold_case;

/// The tags of an app by name. Azure compares names without regard to case, so they are in lower case; values keep theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(from = "BTreeMap<String, String>")]
#[schema(value_type = BTreeMap<String, String>, example = json!({ "team": "shop" }))]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// The most tags of a resource, which Azure allows.
    pub const MOST: usize = 50;

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each name with its value, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether they satisfy a filter.
    pub fn satisfy(&self, filter: &TagFilter) -> bool {
        let found = self.0.get(&filter.name);
        found.is_some_and(|found| filter.value.as_ref().is_none_or(|value| value == found))
    }

    /// Whether they satisfy every filter.
    pub fn satisfy_all<'a>(&self, filters: impl IntoIterator<Item = &'a TagFilter>) -> bool {
        filters.into_iter().all(|filter| self.satisfy(filter))
    }

    /// These tags, and of `others` those with other names.
    #[must_use]
    pub fn or(&self, others: &Self) -> Self {
        let mut tags = others.0.clone();
        tags.extend(self.0.clone());
        Self(tags)
    }
}

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, value)) in self.iter().enumerate() {
            let between = if place == 0 { "" } else { ", " };
            write!(f, "{between}{name}={value}")?;
        }
        Ok(())
    }
}

/// Of names that differ in case alone, the first one counts. A NUL, which no row can hold, is replaced.
impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(tags: I) -> Self {
        let mut found = BTreeMap::new();
        for (name, value) in tags {
            let [name, value] = [name.as_ref(), value.as_ref()].map(|text| text.replace('\0', "\u{fffd}"));
            found.entry(fold_case(&name)).or_insert(value);
        }
        Self(found)
    }
}

impl From<BTreeMap<String, String>> for Tags {
    fn from(tags: BTreeMap<String, String>) -> Self {
        tags.into_iter().collect()
    }
}

/// A tag that apps must have: `team=shop`, or `team` with any value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TagFilter {
    /// The name, in lower case.
    name: String,
    /// The value; `None` for any.
    value: Option<String>,
}

/// The text names no tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a tag such as `team=shop`, or its name alone")]
pub struct InvalidTagFilter;

impl TagFilter {
    /// The filter for one value of a tag.
    pub fn new(name: &str, value: &str) -> Self {
        Self { name: fold_case(name), value: Some(value.to_owned()) }
    }
}

impl FromStr for TagFilter {
    type Err = InvalidTagFilter;

    /// The name ends at the first `=`: a value may have more of them.
    fn from_str(text: &str) -> Result<Self, InvalidTagFilter> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        if name.trim().is_empty() {
            return Err(InvalidTagFilter);
        }
        Ok(Self { name: fold_case(name), value: value.map(str::to_owned) })
    }
}

impl TryFrom<String> for TagFilter {
    type Error = InvalidTagFilter;

    fn try_from(text: String) -> Result<Self, InvalidTagFilter> {
        text.parse()
    }
}

impl From<TagFilter> for String {
    fn from(filter: TagFilter) -> Self {
        filter.to_string()
    }
}

impl fmt::Display for TagFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}={value}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> TagFilter {
        text.parse().unwrap()
    }

    #[test]
    fn names_of_tags_have_no_case_and_values_have() {
        let tags: Tags = [("Team", "Shop"), ("TEAM", "other"), ("env", "")].into_iter().collect();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("env", ""), ("team", "Shop")], "the first one counts");
        for (text, is_satisfied) in [
            ("tEAm=Shop", true),
            ("team", true),
            ("team=shop", false),
            ("env", true),
            ("env=", true),
            ("env=x", false),
            ("other", false),
        ] {
            assert_eq!(tags.satisfy(&filter(text)), is_satisfied, "{text}");
        }
        assert!(!tags.satisfy_all(&[filter("team"), filter("env=x")]), "all must hold");
    }

    #[test]
    fn a_filter_is_the_same_after_a_round_trip_and_has_a_name() {
        for text in ["team", "team=", "team=a=b", "team=\u{202e}x\n"] {
            assert_eq!(filter(text).to_string(), text);
            let json = serde_json::to_string(&filter(text)).unwrap();
            assert_eq!(serde_json::from_str::<TagFilter>(&json).unwrap(), filter(text));
        }
        for text in ["", "=", "=shop", " =shop"] {
            assert_eq!(text.parse::<TagFilter>(), Err(InvalidTagFilter));
        }
    }

    #[test]
    fn tags_that_were_written_otherwise_are_read_the_same() {
        let tags: Tags = serde_json::from_str(r#"{ "Team": "a\u0000b" }"#).unwrap();
        assert_eq!(serde_json::to_string(&tags).unwrap(), "{\"team\":\"a\u{fffd}b\"}");
        let others: Tags = [("team", "x"), ("env", "y")].into_iter().collect();
        assert_eq!(tags.or(&others).iter().collect::<Vec<_>>(), [("env", "y"), ("team", "a\u{fffd}b")]);
    }
}
