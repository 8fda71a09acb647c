//! Which policy an app has under another fleet file. Pure.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_config::{Discover, Fleet};
use holdfast_model::{App, AppId, PolicyName, SubscriptionId, TagFilter, Tags};

/// What becomes of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Membership {
    /// It is in the fleet, under this policy or under none.
    In(Option<PolicyName>),
    /// The fleet file does not name its subscription any more.
    Left,
    /// Its tags decide, which only Azure knows.
    ByTags {
        /// Whether it has a policy whatever its tags are.
        protected: bool,
    },
}

/// The fleet file that an app comes under, prepared for questions about many apps.
pub(super) struct Memberships<'a> {
    listed: BTreeMap<&'a AppId, &'a App>,
    rules: Vec<(&'a Discover, Vec<TagFilter>)>,
    subscriptions: BTreeSet<SubscriptionId>,
}

impl<'a> Memberships<'a> {
    pub fn new(fleet: &'a Fleet) -> Self {
        let demanded = |rule: &'a Discover| {
            (rule, rule.tags.iter().map(|(name, value)| TagFilter::new(name, value)).collect())
        };
        Self {
            listed: fleet.apps.iter().map(|app| (&app.id, app)).collect(),
            rules: fleet.discover.iter().map(demanded).collect(),
            subscriptions: fleet.subscriptions(),
        }
    }

    /// The entry of the file for an app.
    pub fn entry(&self, app: &AppId) -> Option<&'a App> {
        self.listed.get(app).copied()
    }

    /// What becomes of an app, given its tags in Azure where they are known.
    pub fn of(&self, app: &AppId, tags: Option<&Tags>) -> Membership {
        if let Some(entry) = self.entry(app) {
            return Membership::In(entry.policy.clone());
        }
        if !self.subscriptions.contains(app.subscription()) {
            return Membership::Left;
        }
        match tags {
            Some(tags) => {
                let first = self.candidates(app).find(|(_, demanded)| tags.satisfy_all(demanded));
                Membership::In(first.map(|(rule, _)| rule.policy.clone()))
            }
            None => self.whatever_its_tags_are(app),
        }
    }

    fn whatever_its_tags_are(&self, app: &AppId) -> Membership {
        let mut maybe: Vec<&PolicyName> = Vec::new();
        for (rule, demanded) in self.candidates(app) {
            if !demanded.is_empty() {
                maybe.push(&rule.policy);
            } else if maybe.iter().all(|policy| **policy == rule.policy) {
                return Membership::In(Some(rule.policy.clone()));
            } else {
                return Membership::ByTags { protected: true };
            }
        }
        if maybe.is_empty() { Membership::In(None) } else { Membership::ByTags { protected: false } }
    }

    /// The rules that take an app if its tags suit them, each with the tags that it demands.
    fn candidates(&self, app: &AppId) -> impl Iterator<Item = &(&'a Discover, Vec<TagFilter>)> {
        self.rules.iter().filter(move |(rule, _)| {
            rule.subscription == *app.subscription()
                && (rule.slots || app.slot().is_none())
                && !rule.exclude.iter().any(|exclusion| exclusion.leaves_out(app))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revisions::fixture::{app, fleet, policy};

    fn rule(tag: &str, policy: &str) -> String {
        format!("[[discover]]\nsubscription = \"s\"\ntags = {{ {tag} }}\npolicy = \"{policy}\"\n")
    }

    /// What becomes of the app `shop` with these tags; `None` for unknown ones.
    fn of(file: &[&str], tags: Option<&[(&str, &str)]>) -> Membership {
        let fleet = fleet(&file.concat());
        let tags: Option<Tags> = tags.map(|tags| tags.iter().copied().collect());
        Memberships::new(&fleet).of(&app("shop"), tags.as_ref())
    }

    fn under(name: &str) -> Membership {
        Membership::In(Some(policy(name)))
    }

    #[test]
    fn the_first_rule_that_its_tags_suit_takes_an_app() {
        let rules = [rule("Backup = \"gold\"", "gold"), rule("tier = \"x\"", "silver"), rule("", "silver")];
        let [gold, silver, wide] = rules.each_ref().map(String::as_str);
        let tags = Some(&[("backup", "gold"), ("Tier", "x")][..]);
        assert_eq!(of(&[gold, silver], tags), under("gold"));
        assert_eq!(of(&[silver, gold], tags), under("silver"));
        assert_eq!(of(&[gold, silver], Some(&[("backup", "Gold")])), Membership::In(None));
        assert_eq!(of(&[gold, wide], Some(&[])), under("silver"));
    }

    #[test]
    fn unknown_tags_leave_it_open() {
        let rules = [rule("backup = \"gold\"", "gold"), rule("", "gold"), rule("", "silver")];
        let [gold, wide, other] = rules.each_ref().map(String::as_str);
        assert_eq!(of(&[gold], None), Membership::ByTags { protected: false });
        assert_eq!(of(&[gold, wide], None), under("gold"), "by one rule or the other");
        assert_eq!(of(&[gold, other], None), Membership::ByTags { protected: true });
    }

    #[test]
    fn an_exclusion_an_entry_and_the_subscription_are_known_without_tags() {
        let gold = rule("backup = \"gold\"", "gold");
        let excluded = gold.clone() + "exclude = [\"shop\"]\n";
        assert_eq!(of(&[&excluded], None), Membership::In(None));
        assert_eq!(of(&[&gold.replace("\"s\"", "\"t\"")], None), Membership::Left);
        let entry = format!("[[app]]\nid = \"{}\"\npolicy = \"silver\"\n", app("shop"));
        assert_eq!(of(&[&gold, &entry], None), under("silver"));
    }
}
