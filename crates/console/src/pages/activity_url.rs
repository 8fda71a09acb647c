//! A query of the activity as the query string of an address, and back.

use holdfast_control::views::activity::ActivityQuery;
use holdfast_model::AppId;
use url::form_urlencoded::{Serializer, parse};

use crate::failure::Failure;

/// The query string, without the question mark.
pub fn to_url(query: &ActivityQuery) -> String {
    let mut pairs = Serializer::new(String::new());
    if let Some(app) = &query.app {
        pairs.append_pair("app", &app.to_string());
    }
    if let Some(kind) = query.kind {
        pairs.append_pair("kind", kind.as_str());
    }
    for outcome in &query.outcomes {
        pairs.append_pair("outcome", outcome.as_str());
    }
    if let Some(cause) = query.cause {
        pairs.append_pair("cause", cause.as_str());
    }
    if let Some(trigger) = query.trigger {
        pairs.append_pair("trigger", trigger.as_str());
    }
    if query.unfinished {
        pairs.append_pair("unfinished", "1");
    }
    if let Some(after) = &query.after {
        pairs.append_pair("after", after);
    }
    pairs.finish()
}

/// The query of a query string. Names that it does not know are ignored; an unknown value is an error.
pub fn from_url(text: &str) -> Result<ActivityQuery, Failure> {
    let mut query = ActivityQuery::default();
    for (name, value) in parse(text.as_bytes()) {
        match &*name {
            "app" => query.app = Some(known::<AppId>(&name, &value)?),
            "kind" => query.kind = Some(known(&name, &value)?),
            "outcome" => drop(query.outcomes.insert(known(&name, &value)?)),
            "cause" => query.cause = Some(known(&name, &value)?),
            "trigger" => query.trigger = Some(known(&name, &value)?),
            "unfinished" => query.unfinished = value == "1",
            "after" if !value.is_empty() => query.after = Some(value.into_owned()),
            _ => {}
        }
    }
    Ok(query)
}

/// A value that has a meaning.
pub fn known<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Failure> {
    let shown: String = value.chars().take(80).collect();
    value.parse().map_err(|_| Failure::bad_query(format!("`{shown}` is no {name}.")))
}

#[cfg(test)]
mod tests {
    use holdfast_model::{Cause, Outcome, RunKind, Trigger};

    use super::*;

    #[test]
    fn a_query_survives_its_address() {
        let query = ActivityQuery {
            app: Some(AppId::new("s", "g", "shop", Some("x"))),
            kind: Some(RunKind::Backup),
            outcomes: [Outcome::Failed, Outcome::Missed].into(),
            cause: Some(Cause::Throttled),
            trigger: Some(Trigger::Manual),
            unfinished: true,
            after: Some("a/b&c".into()),
        };
        assert_eq!(from_url(&to_url(&query)).unwrap(), query);
        assert_eq!(from_url("utm=1&after=").unwrap(), ActivityQuery::default());
        assert_eq!(from_url("outcome=%3Cb%3E").unwrap_err().status.as_u16(), 400);
        assert!(from_url("app=shop").is_err());
    }
}
