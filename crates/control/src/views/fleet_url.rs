//! A query of the fleet as the query string of a URL, and back.

use std::str::FromStr;

use holdfast_model::{Cause, TagFilter};
use url::form_urlencoded::{Serializer, parse};

use crate::views::condition::Condition;
use crate::views::fleet::{FleetQuery, Sort};
use crate::{Error, ErrorKind};

impl Sort {
    /// Every order.
    pub const ALL: [Self; 7] =
        [Self::Worst, Self::Name, Self::Age, Self::NextTick, Self::Size, Self::Sas, Self::Proven];

    /// Its name in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worst => "worst",
            Self::Name => "name",
            Self::Age => "age",
            Self::NextTick => "next_tick",
            Self::Size => "size",
            Self::Sas => "sas",
            Self::Proven => "proven",
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Worst => "worst first",
            Self::Name => "name",
            Self::Age => "oldest backup first",
            Self::NextTick => "next tick first",
            Self::Size => "largest first",
            Self::Sas => "SAS that expires next first",
            Self::Proven => "oldest proof first",
        }
    }
}

impl FleetQuery {
    /// The query string of a URL, without the question mark. The default query gives an empty one.
    pub fn to_url(&self) -> String {
        let mut pairs = Serializer::new(String::new());
        if !self.text.is_empty() {
            pairs.append_pair("q", &self.text);
        }
        let texts = [
            ("policy", &self.policies),
            ("subscription", &self.subscriptions),
            ("group", &self.resource_groups),
        ];
        for (name, values) in texts {
            for value in values {
                pairs.append_pair(name, value);
            }
        }
        for tag in &self.tags {
            pairs.append_pair("tag", &tag.to_string());
        }
        for condition in &self.conditions {
            pairs.append_pair("condition", condition.as_str());
        }
        for cause in &self.causes {
            pairs.append_pair("cause", cause.as_str());
        }
        if self.recent {
            pairs.append_pair("recent", "1");
        }
        if self.sas_lapsing {
            pairs.append_pair("sas", "lapsing");
        }
        if self.sort != Sort::default() {
            pairs.append_pair("sort", self.sort.as_str());
        }
        if self.reverse {
            pairs.append_pair("reverse", "1");
        }
        if let Some(after) = &self.after {
            pairs.append_pair("after", after);
        }
        pairs.finish()
    }

    /// The query of a URL's query string. Names that it does not know are ignored; an unknown value is an error.
    pub fn from_url(text: &str) -> Result<Self, Error> {
        let mut query = Self::default();
        for (name, value) in parse(text.as_bytes()) {
            match &*name {
                "q" => query.text = value.into_owned(),
                "policy" => drop(query.policies.insert(value.into_owned())),
                "subscription" => drop(query.subscriptions.insert(value.into_owned())),
                "group" => drop(query.resource_groups.insert(value.into_owned())),
                "tag" => drop(query.tags.insert(known::<TagFilter>("tag", &value)?)),
                "condition" => drop(query.conditions.insert(known::<Condition>("condition", &value)?)),
                "cause" => drop(query.causes.insert(known::<Cause>("cause", &value)?)),
                "recent" => query.recent = value == "1",
                "sas" if value == "lapsing" => query.sas_lapsing = true,
                "sas" => return Err(unknown("state of a SAS", &value)),
                "sort" => query.sort = sort(&value)?,
                "reverse" => query.reverse = value == "1",
                "after" if !value.is_empty() => query.after = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(query)
    }
}

fn sort(value: &str) -> Result<Sort, Error> {
    Sort::ALL.into_iter().find(|sort| sort.as_str() == value).ok_or_else(|| unknown("sort", value))
}

fn known<T: FromStr>(name: &str, value: &str) -> Result<T, Error> {
    value.parse().map_err(|_| unknown(name, value))
}

fn unknown(name: &str, value: &str) -> Error {
    let value: String = value.chars().take(60).collect();
    Error::new(ErrorKind::Invalid, format!("`{value}` is no {name} of a view of the fleet"))
        .help("open the list of the fleet without a filter and choose again")
}
