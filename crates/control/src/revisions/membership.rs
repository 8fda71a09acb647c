//! Which policy an app has under another fleet file. Pure.
//!
//! The store does not know the tags of an app. What is known of them follows from the rule that took the app so far.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_config::{Discover, Fleet};
use holdfast_model::{App, AppId, PolicyName, SubscriptionId};

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

/// An app as the fleet has it so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub id: &'a AppId,
    pub policy: Option<&'a PolicyName>,
    /// Whether the old file has an entry for it, so that no rule says anything of its tags.
    pub is_listed: bool,
}

/// Two fleet files, prepared for questions about many apps.
pub(super) struct Memberships<'a> {
    old: &'a Fleet,
    new: &'a Fleet,
    listed: BTreeMap<&'a AppId, &'a App>,
    subscriptions: BTreeSet<SubscriptionId>,
}

/// What is known of the tags of an app.
struct Tags<'a> {
    /// Tags that it has.
    known: Option<&'a Discover>,
    /// Rules that do not take it.
    refuted: Vec<&'a Discover>,
}

impl<'a> Memberships<'a> {
    pub fn new(old: &'a Fleet, new: &'a Fleet) -> Self {
        let listed = new.apps.iter().map(|app| (&app.id, app)).collect();
        Self { old, new, listed, subscriptions: new.subscriptions() }
    }

    /// The entry of the new file for an app.
    pub fn entry(&self, app: &AppId) -> Option<&'a App> {
        self.listed.get(app).copied()
    }

    /// What becomes of an app.
    pub fn of(&self, app: Known<'_>) -> Membership {
        if let Some(entry) = self.entry(app.id) {
            return Membership::In(entry.policy.clone());
        }
        if !self.subscriptions.contains(app.id.subscription()) {
            return Membership::Left;
        }
        let answers: Vec<Membership> =
            self.possible_tags(app).iter().map(|tags| self.by_rules(app.id, tags)).collect();
        let is_protected = |answer: &Membership| match answer {
            Membership::In(policy) => policy.is_some(),
            Membership::Left => false,
            Membership::ByTags { protected } => *protected,
        };
        match answers.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => first.clone(),
            _ => Membership::ByTags { protected: answers.iter().all(is_protected) },
        }
    }

    /// What may be known of the tags: one possibility for each rule that may have taken the app.
    fn possible_tags(&self, app: Known<'_>) -> Vec<Tags<'a>> {
        if app.is_listed {
            return vec![Tags { known: None, refuted: Vec::new() }];
        }
        let candidates: Vec<&Discover> = candidates(self.old, app.id).collect();
        let Some(policy) = app.policy else { return vec![Tags { known: None, refuted: candidates }] };
        let took = candidates.iter().enumerate().filter(|(_, rule)| rule.policy == *policy);
        let possible: Vec<Tags<'a>> = took
            .map(|(at, rule)| Tags {
                known: Some(rule),
                refuted: candidates.iter().take(at).copied().collect(),
            })
            .collect();
        // The store has a policy that no rule gives: a process works by another file.
        if possible.is_empty() { vec![Tags { known: None, refuted: Vec::new() }] } else { possible }
    }

    /// The policy by the first rule that takes the app.
    fn by_rules(&self, app: &AppId, tags: &Tags<'_>) -> Membership {
        let mut maybe: Vec<&PolicyName> = Vec::new();
        for rule in candidates(self.new, app) {
            let is_refuted = tags.refuted.iter().any(|refuted| takes_no_more_than(rule, refuted));
            if is_refuted {
                continue;
            }
            let has = |(name, value): (&String, &String)| {
                let known = tags.known.iter().flat_map(|rule| &rule.tags);
                known.into_iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && v == value)
            };
            if !rule.tags.iter().all(has) {
                maybe.push(&rule.policy);
            } else if maybe.iter().all(|policy| **policy == rule.policy) {
                return Membership::In(Some(rule.policy.clone()));
            } else {
                return Membership::ByTags { protected: true };
            }
        }
        if maybe.is_empty() { Membership::In(None) } else { Membership::ByTags { protected: false } }
    }
}

/// The rules that take an app if its tags suit them.
fn candidates<'f>(fleet: &'f Fleet, app: &AppId) -> impl Iterator<Item = &'f Discover> {
    let app = app.clone();
    fleet.discover.iter().filter(move |rule| {
        rule.subscription == *app.subscription()
            && (rule.slots || app.slot().is_none())
            && !rule.exclude.iter().any(|exclusion| exclusion.leaves_out(&app))
    })
}

/// Whether what `rule` demands of tags includes what `other` demands.
fn takes_no_more_than(rule: &Discover, other: &Discover) -> bool {
    let demands = |(name, value): (&String, &String)| {
        rule.tags.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && v == value)
    };
    other.tags.iter().all(demands)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revisions::fixture::{app, fleet, policy};

    fn known<'a>(id: &'a AppId, policy: Option<&'a PolicyName>) -> Known<'a> {
        Known { id, policy, is_listed: false }
    }

    fn rule(tag: &str, policy: &str) -> String {
        format!("[[discover]]\nsubscription = \"s\"\ntags = {{ {tag} }}\npolicy = \"{policy}\"\n")
    }

    /// What becomes of the discovered app `shop` of a policy.
    fn of(old: &[&str], new: &[&str], before: &str) -> Membership {
        let (old, new) = (fleet(&old.concat()), fleet(&new.concat()));
        let (id, before) = (app("shop"), policy(before));
        Memberships::new(&old, &new).of(known(&id, Some(&before)))
    }

    fn under(name: &str) -> Membership {
        Membership::In(Some(policy(name)))
    }

    #[test]
    fn an_app_stays_under_its_policy_while_the_rule_that_took_it_stays() {
        let rules = [rule("backup = \"gold\"", "gold"), rule("backup = \"silver\"", "silver")];
        let [gold, silver] = rules.each_ref().map(String::as_str);
        let both = [gold, silver];
        assert_eq!(of(&both, &both, "silver"), under("silver"));
        assert_eq!(of(&both, &[silver, gold], "gold"), Membership::ByTags { protected: true });
        assert_eq!(of(&both, &[gold], "silver"), Membership::In(None));
        let renamed = gold.replace("policy = \"gold\"", "policy = \"silver\"");
        assert_eq!(of(&[gold], &[&renamed], "gold"), under("silver"));
        let (id, same) = (app("stray"), fleet(&both.concat()));
        assert_eq!(Memberships::new(&same, &same).of(known(&id, None)), Membership::In(None));
    }

    #[test]
    fn tags_that_the_store_does_not_know_leave_it_open() {
        let rules = [rule("backup = \"gold\"", "gold"), rule("tier = \"gold\"", "gold"), rule("", "silver")];
        let [gold, other, wide] = rules.each_ref().map(String::as_str);
        assert_eq!(of(&[gold], &[other], "gold"), Membership::ByTags { protected: false });
        assert_eq!(of(&[gold], &[other, gold], "gold"), under("gold"));
        // Whichever rule took it, the same one is still there.
        let both = [gold, other];
        assert_eq!(of(&both, &both, "gold"), under("gold"));
        assert_eq!(of(&both, &[wide], "gold"), under("silver"));
    }

    #[test]
    fn an_exclusion_an_entry_and_the_subscription_are_known_without_tags() {
        let gold = rule("backup = \"gold\"", "gold");
        let excluded = gold.clone() + "exclude = [\"shop\"]\n";
        assert_eq!(of(&[&gold], &[&excluded], "gold"), Membership::In(None));
        let elsewhere = gold.replace("\"s\"", "\"t\"");
        assert_eq!(of(&[&gold], &[&elsewhere], "gold"), Membership::Left);
        let entry = format!("[[app]]\nid = \"{}\"\npolicy = \"silver\"\n", app("shop"));
        assert_eq!(of(&[&gold], &[&gold, &entry], "gold"), under("silver"));
        let id = app("shop");
        let (old, new) = (fleet(&entry), fleet(&rule("", "gold")));
        let listed = Known { id: &id, policy: None, is_listed: true };
        assert_eq!(Memberships::new(&old, &new).of(listed), under("gold"));
    }
}
