//! Selectors: the apps of the fleet that a request is about, by name or by what is known of them.

use std::collections::BTreeSet;

use holdfast_model::{AppId, Cause, PolicyName, RunId, TagFilter, Timestamp, fold_case};
use holdfast_store::Store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_resolver::AppSelection;
use crate::cancel::unfinished;
use crate::retry::unsuccessful;
use crate::views::fleet::FleetQuery;
use crate::views::{Condition, FleetReading, matching, read_fleet};
use crate::{Error, ErrorKind, app_names};

/// Which apps of the fleet are selected. Criteria of one kind are alternatives, but for tags; criteria of different
/// kinds all apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "policies": ["gold"], "conditions": ["failed"] }))]
pub struct Selector {
    /// ARM ids or short names; empty for all.
    pub names: Vec<String>,
    /// Patterns of short names, with `*` for any letters and `?` for one.
    pub patterns: Vec<String>,
    /// Policies.
    pub policies: BTreeSet<PolicyName>,
    /// Subscriptions, by id.
    pub subscriptions: BTreeSet<String>,
    /// Resource groups.
    pub resource_groups: BTreeSet<String>,
    /// Tags that an app must have, all of them: `team=shop`, or `team` with any value.
    pub tags: BTreeSet<TagFilter>,
    /// Conditions.
    pub conditions: BTreeSet<Condition>,
    /// Causes of the last failure or of the latest missed tick.
    pub causes: BTreeSet<Cause>,
}

impl Selector {
    /// Whether it names apps and asks for nothing else.
    pub fn has_names_alone(&self) -> bool {
        !self.names.is_empty() && Self { names: Vec::new(), ..self.clone() } == Self::default()
    }

    /// The apps of the reading that it selects; fails where there is none, because that is a mistake.
    pub fn apps(&self, reading: &FleetReading) -> Result<Vec<AppId>, Error> {
        let query = FleetQuery {
            policies: self.policies.iter().map(ToString::to_string).collect(),
            subscriptions: folded(&self.subscriptions),
            resource_groups: folded(&self.resource_groups),
            tags: self.tags.clone(),
            conditions: self.conditions.clone(),
            causes: self.causes.clone(),
            ..FleetQuery::default()
        };
        let named = self.named(reading)?;
        let patterns: Vec<String> = self.patterns.iter().map(|pattern| fold_case(pattern)).collect();
        let is_selected = |app: &AppId| {
            let is_named = named.is_empty() || named.contains(app);
            let matches = |pattern: &String| wildmatch::WildMatch::new(pattern).matches(&app.short_name());
            is_named && (patterns.is_empty() || patterns.iter().any(matches))
        };
        let found = matching(reading, &query).into_iter().map(|status| &status.app);
        let found: Vec<AppId> = found.filter(|app| is_selected(app)).cloned().collect();
        if found.is_empty() {
            let error = Error::new(ErrorKind::NotFound, "no app of the fleet is selected");
            return Err(error.help("`holdfast status` lists the apps, their policies and how they stand"));
        }
        Ok(found)
    }

    /// The selection that a request resolves itself: all apps, or names alone.
    pub fn unresolved(&self) -> Option<AppSelection> {
        let named = || AppSelection::Named(self.names.clone());
        if *self == Self::default() { Some(AppSelection::All) } else { self.has_names_alone().then(named) }
    }

    /// The same as names for a request that resolves them itself.
    pub async fn selection(&self, store: &dyn Store) -> Result<AppSelection, Error> {
        if let Some(selection) = self.unresolved() {
            return Ok(selection);
        }
        let apps = self.apps(&read_fleet(store, None).await?)?;
        Ok(AppSelection::Named(apps.iter().map(ToString::to_string).collect()))
    }

    fn named(&self, reading: &FleetReading) -> Result<BTreeSet<AppId>, Error> {
        let enrolled = reading.apps.iter().filter(|status| !status.removed);
        let ids: Vec<AppId> = enrolled.map(|status| status.app.clone()).collect();
        self.names.iter().map(|name| app_names::app(&ids, name)).collect()
    }
}

/// What a selector selects.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Selected {
    /// The store's time.
    pub as_of: Timestamp,
    /// The apps.
    pub apps: BTreeSet<AppId>,
    /// Those of them that a person has paused.
    pub paused: BTreeSet<AppId>,
    /// Their runs that have not ended.
    pub unfinished: Vec<RunId>,
    /// The last run of each that did not succeed, or its missed tick.
    pub unsuccessful: BTreeSet<RunId>,
}

/// The apps that a selector selects, and the runs of theirs that people steer.
pub async fn selected(store: &dyn Store, selector: &Selector) -> Result<Selected, Error> {
    let reading = read_fleet(store, None).await?;
    let apps: BTreeSet<AppId> = selector.apps(&reading)?.into_iter().collect();
    let (unfinished, unsuccessful) = (unfinished(store, &apps).await?, unsuccessful(&reading, &apps));
    let is_paused = |app: &&AppId| reading.status_of(app).is_some_and(|status| status.pause.is_some());
    let paused = apps.iter().filter(is_paused).cloned().collect();
    Ok(Selected { as_of: reading.at, apps, paused, unfinished, unsuccessful })
}

fn folded(texts: &BTreeSet<String>) -> BTreeSet<String> {
    texts.iter().map(|text| fold_case(text)).collect()
}

#[cfg(test)]
mod tests {
    use holdfast_model::{Outcome, RunId, Timestamp};
    use holdfast_store::{AppStatus, LastRun};

    use super::*;

    fn status(group: &str, name: &str, policy: &str) -> AppStatus {
        let policy = (!policy.is_empty()).then(|| PolicyName::new(policy));
        AppStatus { policy, ..AppStatus::new(AppId::new("s", group, name, None)) }
    }

    fn reading() -> FleetReading {
        let run_id = RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(1));
        let last = LastRun {
            run_id,
            outcome: Outcome::Failed,
            cause: Some(Cause::StorageRefused),
            verification: None,
            ended_at: Timestamp::UNIX_EPOCH,
        };
        let good = Some(Timestamp::UNIX_EPOCH);
        let failed = AppStatus { last: Some(last), last_good_at: good, ..status("web", "shop-eu", "gold") };
        let left = AppStatus { removed: true, ..status("web", "shop-old", "gold") };
        let tags = [("Team", "web"), ("env", "prod")].into_iter().collect();
        let tagged = AppStatus { tags, ..status("web", "shop-us", "gold") };
        let apps = vec![failed, tagged, status("data", "wiki", "silver"), left];
        FleetReading { apps, ..FleetReading::default() }
    }

    fn names(selector: &Selector) -> Vec<String> {
        selector.apps(&reading()).unwrap().iter().map(AppId::short_name).collect()
    }

    #[test]
    fn criteria_of_different_kinds_all_apply_and_those_of_one_kind_are_alternatives() {
        assert_eq!(names(&Selector::default()), ["shop-eu", "shop-us", "wiki"], "without what left");
        let gold = Selector { policies: [PolicyName::new("gold")].into(), ..Selector::default() };
        assert_eq!(names(&gold), ["shop-eu", "shop-us"]);
        assert_eq!(
            names(&Selector { patterns: vec!["*-US".into(), "blog".into()], ..gold.clone() }),
            ["shop-us"]
        );
        assert_eq!(names(&Selector { conditions: [Condition::Failed].into(), ..gold.clone() }), ["shop-eu"]);
        assert_eq!(
            names(&Selector { causes: [Cause::StorageRefused].into(), ..Selector::default() }),
            ["shop-eu"]
        );
        let groups = ["DATA".to_owned(), "web".to_owned()].into();
        let wiki = Selector { patterns: vec!["w?ki".into()], resource_groups: groups, ..Selector::default() };
        assert_eq!(names(&wiki), ["wiki"]);
        assert_eq!(names(&Selector { names: vec!["wiki".into(), "shop-us".into()], ..gold }), ["shop-us"]);
    }

    #[test]
    fn an_app_must_have_every_tag() {
        let tagged = |tags: &[&str]| {
            let tags = tags.iter().map(|tag| tag.parse().unwrap()).collect();
            Selector { tags, ..Selector::default() }
                .apps(&reading())
                .map(|apps| apps.len())
                .unwrap_or_default()
        };
        assert_eq!([tagged(&["team"]), tagged(&["TEAM=web", "env=prod"])], [1, 1]);
        assert_eq!([tagged(&["team=Web"]), tagged(&["team=web", "env=test"])], [0, 0]);
    }

    #[test]
    fn a_selector_that_selects_nothing_is_an_error() {
        let none = Selector { patterns: vec!["blog*".into()], ..Selector::default() };
        assert_eq!(none.apps(&reading()).unwrap_err().kind(), ErrorKind::NotFound);
        let unknown = Selector { names: vec!["shop-old".into()], ..Selector::default() };
        assert_eq!(unknown.apps(&reading()).unwrap_err().kind(), ErrorKind::NotFound, "it left the fleet");
    }

    #[test]
    fn names_alone_are_resolved_elsewhere() {
        let named = Selector { names: vec!["shop".into()], ..Selector::default() };
        assert!(named.has_names_alone());
        assert!(!Selector { patterns: vec!["*".into()], ..named }.has_names_alone());
        assert!(!Selector::default().has_names_alone());
    }
}
