//! What changes when one fleet takes the place of another. Pure.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_config::Fleet;
use holdfast_model::{App, AppId, Policy, PolicyName, Tags, Timestamp};
use holdfast_store::AppStatus;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::changes::{self, DeletionChange, FieldChange, PolicyChange};
use super::membership::{Membership, Memberships};

/// An app under two fleets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct AppChange {
    /// The app.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// Its policy before.
    pub before: Option<PolicyName>,
    /// Its policy after; `None` for none, or where its tags decide.
    pub after: Option<PolicyName>,
}

/// An app whose next tick moves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TickChange {
    /// The app.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// The next tick before; `None` where none was due.
    pub before: Option<Timestamp>,
    /// The next tick after; `None` where none is due any more.
    pub after: Option<Timestamp>,
}

/// What changes when one fleet takes the place of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FleetDiff {
    /// Apps that come into the fleet or into a policy.
    pub gained: Vec<AppChange>,
    /// Apps that leave the fleet or every policy: their backups end.
    pub lost: Vec<AppChange>,
    /// Apps that may leave every policy: their tags decide, which only Azure knows, because the file named the apps.
    pub may_be_lost: Vec<AppChange>,
    /// Apps that go to another policy.
    pub moved: Vec<AppChange>,
    /// Apps that keep a policy, and whose tags decide which.
    pub may_move: Vec<AppChange>,
    /// Apps whose schedule the file suspends.
    pub paused: Vec<AppId>,
    /// Apps whose schedule the file suspends no longer.
    pub resumed: Vec<AppId>,
    /// Apps with other databases.
    pub databases: Vec<AppId>,
    /// Apps whose entries have other tags.
    pub tags: Vec<AppId>,
    /// Policies that come, go or change.
    pub policies: Vec<PolicyChange>,
    /// Rules that are new or written differently.
    pub rules_added: Vec<String>,
    /// Rules that are gone or written differently.
    pub rules_removed: Vec<String>,
    /// Other values that change.
    pub settings: Vec<FieldChange>,
    /// Apps whose next tick moves.
    pub ticks: Vec<TickChange>,
    /// Backups that retention would delete now, and would not have before.
    pub deletions: Vec<DeletionChange>,
    /// What else is to be known.
    pub notes: Vec<String>,
}

/// Two fleets, and the apps of the store.
#[derive(Clone, Copy)]
pub struct Comparison<'a> {
    /// The fleet so far.
    pub old: &'a Fleet,
    /// The fleet that takes its place.
    pub new: &'a Fleet,
    /// The apps of the store.
    pub enrolled: &'a [AppStatus],
    /// The store's time.
    pub now: Timestamp,
}

/// An app under both fleets.
pub(super) struct Both<'a> {
    pub id: &'a AppId,
    pub before: Option<&'a Policy>,
    pub after: Option<&'a Policy>,
}

/// An app of the fleet so far.
struct AppBefore<'a> {
    id: &'a AppId,
    policy: Option<&'a PolicyName>,
    paused: bool,
    entry: Option<&'a App>,
    /// Its tags in Azure, where they are known.
    tags: Option<&'a Tags>,
    is_enrolled: bool,
}

impl FleetDiff {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Apps that leave the fleet or every policy, for certain or perhaps.
    pub fn leaving(&self) -> usize {
        self.lost.len() + self.may_be_lost.len()
    }

    fn compare_entries(&mut self, id: &AppId, before: Option<&App>, after: Option<&App>) {
        let none = App::new(id.clone());
        let [before, after] = [before, after].map(|entry| entry.unwrap_or(&none));
        self.databases.extend((before.databases != after.databases).then(|| id.clone()));
        self.tags.extend((before.tags != after.tags).then(|| id.clone()));
    }
}

impl<'a> Comparison<'a> {
    /// What changes, but for what retention deletes, and the apps under both fleets.
    pub(super) fn diff(&self) -> (FleetDiff, Vec<Both<'a>>) {
        let Self { old, new, .. } = *self;
        let mut diff = FleetDiff {
            policies: changes::policies(old, new),
            rules_added: changes::rules_beyond(new, old),
            rules_removed: changes::rules_beyond(old, new),
            settings: changes::settings(old, new),
            ..FleetDiff::default()
        };
        let (members, mut both) = (Memberships::new(new), Vec::new());
        let apps = self.apps();
        for app in apps.values() {
            self.compare(app, &members, &mut diff, &mut both);
        }
        for entry in new.apps.iter().filter(|entry| !apps.contains_key(&entry.id)) {
            self.compare(&AppBefore::unknown(&entry.id), &members, &mut diff, &mut both);
        }
        (diff, both)
    }

    /// The apps so far: those of the store, and those of the file that are not enrolled yet.
    fn apps(&self) -> BTreeMap<&'a AppId, AppBefore<'a>> {
        let listed: BTreeMap<&AppId, &App> = self.old.apps.iter().map(|app| (&app.id, app)).collect();
        let enrolled = self.enrolled.iter().filter(|status| !status.removed);
        let demanded: Tags = self.new.discover.iter().flat_map(|rule| &rule.tags).collect();
        let (none, no_tags) = (PolicyName::new(""), Tags::default());
        let mut apps: BTreeMap<&AppId, AppBefore<'_>> = enrolled
            .map(|status| {
                let entry = listed.get(&status.app).copied();
                let policy = entry.map_or(status.policy.as_ref(), |entry| entry.policy.as_ref());
                let paused = entry.is_some_and(|entry| entry.paused);
                let given = self.old.tags.of_policies.get(policy.unwrap_or(&none)).unwrap_or(&no_tags);
                let tags = Some(&status.tags).filter(|_| decides(status, (entry, given), &demanded));
                (&status.app, AppBefore { id: &status.app, policy, paused, entry, tags, is_enrolled: true })
            })
            .collect();
        for app in &self.old.apps {
            let (policy, paused, entry) = (app.policy.as_ref(), app.paused, Some(app));
            let unknown = AppBefore { policy, paused, entry, ..AppBefore::unknown(&app.id) };
            apps.entry(&app.id).or_insert(unknown);
        }
        apps
    }

    fn compare(
        &self,
        app: &AppBefore<'a>,
        members: &Memberships<'a>,
        diff: &mut FleetDiff,
        both: &mut Vec<Both<'a>>,
    ) {
        let (membership, entry) = (members.of(app.id, app.tags), members.entry(app.id));
        let is_new = !app.is_enrolled && app.entry.is_none();
        let after = match &membership {
            Membership::In(policy) => policy.clone(),
            Membership::Left | Membership::ByTags { .. } => None,
        };
        let (id, name, before) = (app.id.clone(), app.id.short_name(), app.policy.cloned());
        let change = AppChange { app: id.clone(), name, before: before.clone(), after: after.clone() };
        match (&membership, before) {
            (Membership::ByTags { protected: false }, Some(_)) => diff.may_be_lost.push(change),
            (Membership::ByTags { .. }, Some(_)) => diff.may_move.push(change),
            (Membership::ByTags { .. }, None) => {}
            (_, Some(_)) if after.is_none() => diff.lost.push(change),
            (Membership::Left, None) => diff.lost.push(change),
            (_, None) if after.is_some() || is_new => diff.gained.push(change),
            (_, before) if before != after => diff.moved.push(change),
            _ => {}
        }
        let paused = entry.is_some_and(|entry| entry.paused);
        if after.is_some() && paused != app.paused {
            if paused { diff.paused.push(id) } else { diff.resumed.push(id) }
        }
        if after.is_some() && !is_new {
            diff.compare_entries(app.id, app.entry, entry);
        }
        if matches!(membership, Membership::ByTags { .. }) {
            return;
        }
        let before = app.policy.and_then(|name| self.old.policies.get(name));
        let after = after.and_then(|name| self.new.policies.get(&name));
        let due = (before.filter(|_| !app.paused), after.filter(|_| !paused));
        diff.ticks.extend(self.tick_change(app.id, due));
        both.push(Both { id: app.id, before, after });
    }

    /// The next tick by the policies that are not suspended, where it moves.
    fn tick_change(
        &self,
        app: &AppId,
        (before, after): (Option<&Policy>, Option<&Policy>),
    ) -> Option<TickChange> {
        let print = |policy: &Policy| policy.schedule.fingerprint();
        if before.map(print) == after.map(print) {
            return None;
        }
        let next = |policy: &Policy| policy.schedule.next_tick(app, self.now);
        let (before, after) = (before.and_then(next), after.and_then(next));
        let change = || TickChange { app: app.clone(), name: app.short_name(), before, after };
        (before != after).then(change)
    }
}

impl<'a> AppBefore<'a> {
    fn unknown(id: &'a AppId) -> Self {
        Self { id, policy: None, paused: false, entry: None, tags: None, is_enrolled: false }
    }
}

/// Whether the tags of an enrolled app decide what rules take, which see those of Azure alone: none that a rule demands may be
/// from its entry or its policy. `demanded` are the names in rules.
fn decides(status: &AppStatus, (entry, of_policy): (Option<&App>, &Tags), demanded: &Tags) -> bool {
    let has = |tags: &Tags, name: &str| tags.iter().any(|(other, _)| other == name);
    let is_unclear = |(name, value): (&str, &str)| {
        let is_given = of_policy.iter().any(|given| given == (name, value));
        has(demanded, name) && (is_given || entry.is_some_and(|entry| has(&entry.tags, name)))
    };
    status.seen_at.is_some() && !status.tags.iter().any(is_unclear)
}

/// The storages that runs or backups still need, and that the new fleet does not have.
pub(super) fn missing_storages(old: &Fleet, new: &Fleet) -> BTreeSet<String> {
    let gone = old.storages.keys().filter(|name| !new.storages.contains_key(*name));
    gone.map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revisions::fixture::{app, entry, fleet, policy};

    fn enrolled(name: &str, of: Option<&str>) -> AppStatus {
        let seen_at = Some(Timestamp::UNIX_EPOCH);
        AppStatus { policy: of.map(policy), seen_at, ..AppStatus::new(app(name)) }
    }

    fn tagged(value: &str, status: AppStatus) -> AppStatus {
        AppStatus { tags: [("b", value)].into_iter().collect(), ..status }
    }

    fn diff(old: &str, new: &str, enrolled: &[AppStatus]) -> FleetDiff {
        let (old, new) = (fleet(old), fleet(new));
        Comparison { old: &old, new: &new, enrolled, now: Timestamp::UNIX_EPOCH }.diff().0
    }

    fn names(changes: &[AppChange]) -> Vec<&str> {
        changes.iter().map(|change| change.name.as_str()).collect()
    }

    #[test]
    fn the_same_fleet_changes_nothing() {
        let text = entry("shop", "gold")
            + "[[discover]]\nsubscription = \"s\"\ntags = { b = \"x\" }\npolicy = \"silver\"\n";
        let known = [
            enrolled("shop", Some("gold")),
            tagged("x", enrolled("wiki", Some("silver"))),
            enrolled("stray", None),
        ];
        assert!(diff(&text, &text, &known).is_empty());
        assert!(diff(&text, &text, &[]).is_empty());
    }

    #[test]
    fn the_tags_of_the_store_tell_what_another_rule_takes() {
        let rule = |value: &str| {
            format!("[[discover]]\nsubscription = \"s\"\ntags = {{ b = \"{value}\" }}\npolicy = \"silver\"\n")
        };
        let known = [tagged("x", enrolled("wiki", Some("silver"))), tagged("y", enrolled("stray", None))];
        let found = diff(&rule("x"), &rule("y"), &known);
        assert_eq!((names(&found.lost), names(&found.gained)), (vec!["wiki"], vec!["stray"]));
        // What the file alone says of an app and its tags tells nothing of Azure.
        let with_tags = entry("shop", "gold") + "tags = { b = \"x\" }\n" + &rule("x");
        let own = diff(&with_tags, &rule("x"), &[tagged("x", enrolled("shop", Some("gold")))]);
        assert_eq!((names(&own.may_be_lost), own.leaving()), (vec!["shop"], 1));
        let unseen = AppStatus { seen_at: None, ..enrolled("shop", Some("gold")) };
        let unseen = diff(&(entry("shop", "gold") + &rule("x")), &rule("x"), &[unseen]);
        assert_eq!(names(&unseen.may_be_lost), ["shop"]);
    }

    #[test]
    fn a_tag_that_a_policy_gives_tells_nothing_of_azure_and_another_does() {
        let rule = |name: &str| {
            format!("[[discover]]\nsubscription = \"s\"\ntags = {{ {name} = \"x\" }}\npolicy = \"silver\"\n")
        };
        let with = |rules: &str| format!("{rules}[defaults]\ntags = {{ team = \"x\" }}\n");
        let tags = [("b", "x"), ("team", "x")].into_iter().collect();
        let known = [AppStatus { tags, ..enrolled("wiki", Some("silver")) }];
        assert!(diff(&with(&rule("b")), &with(&rule("b")), &known).is_empty());
        assert_eq!(names(&diff(&with(&rule("b")), &with(&rule("team")), &known).may_be_lost), ["wiki"]);
        let changed = diff(&with(&rule("b")), &rule("b"), &known);
        let keys: Vec<_> = changed
            .policies
            .iter()
            .flat_map(|policy| &policy.fields)
            .map(|field| field.key.as_str())
            .collect();
        assert_eq!(keys, ["tags.team", "tags.team"], "of both policies");
    }

    #[test]
    fn apps_are_gained_lost_and_moved() {
        let old = entry("shop", "gold") + &entry("wiki", "gold") + &entry("blog", "gold");
        let new = entry("shop", "silver") + &entry("blog", "gold") + &entry("docs", "gold");
        for known in [&[][..], &[enrolled("shop", Some("gold")), enrolled("wiki", Some("gold"))]] {
            let diff = diff(&old, &new, known);
            assert_eq!((names(&diff.gained), names(&diff.lost)), (vec!["docs"], vec!["wiki"]));
            assert_eq!((names(&diff.moved), diff.leaving()), (vec!["shop"], 1));
        }
    }

    #[test]
    fn an_app_of_the_store_that_the_file_no_longer_protects_is_lost_also_where_the_old_file_is_unknown() {
        let new = entry("shop", "gold");
        let diff = diff(&new, &new, &[enrolled("shop", Some("gold")), enrolled("wiki", Some("gold"))]);
        assert_eq!(names(&diff.lost), ["wiki"]);
        let removed = AppStatus { removed: true, ..enrolled("wiki", Some("gold")) };
        assert!(super::tests::diff(&new, &new, &[removed]).is_empty());
    }

    #[test]
    fn next_ticks_move_with_the_policy_and_end_with_a_pause() {
        let (old, new) = (entry("shop", "gold") + &entry("wiki", "gold"), entry("shop", "silver"));
        let paused = entry("wiki", "gold") + "paused = true\n";
        let diff = diff(&old, &(new + &paused), &[]);
        let times: Vec<_> =
            diff.ticks.iter().map(|tick| (tick.name.as_str(), tick.before, tick.after)).collect();
        let at = |time: &str| Some(holdfast_model::parse_timestamp(time).unwrap());
        let two = at("1970-01-01T02:00:00Z");
        assert_eq!(times, [("shop", two, at("1970-01-01T05:30:00Z")), ("wiki", two, None)]);
        assert_eq!((diff.paused, diff.resumed), (vec![app("wiki")], vec![]));
    }

    #[test]
    fn other_databases_and_tags_of_an_app_are_named() {
        let with = entry("shop", "gold") + "databases = [{ type = \"LocalMySql\", name = \"shop\" }]\n";
        assert_eq!(diff(&entry("shop", "gold"), &with, &[]).databases, [app("shop")]);
        let tagged = entry("shop", "gold") + "tags = { team = \"shop\" }\n";
        let diff = diff(&entry("shop", "gold"), &tagged, &[]);
        assert_eq!((diff.tags, diff.databases), (vec![app("shop")], vec![]));
    }
}
