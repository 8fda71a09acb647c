//! Whether apps can be restored to where their policies say: one verdict for a monitoring system.

mod finding;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{PolicyName, TagFilter, Timestamp};
use holdfast_store::{AppStatus, Store, SubscriptionStatus};

pub use finding::{CheckLevel, FindingKind, Freshness, FreshnessFinding};
pub use text::{open_metrics, plugin_text};

use crate::{Error, ErrorKind, app_names};

/// Which apps are checked: all, or those for which everything holds that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckScope {
    /// The app with this ARM id or short name.
    pub app: Option<String>,
    /// Apps of this policy.
    pub policy: Option<PolicyName>,
    /// Tags that an app must have.
    pub tags: BTreeSet<TagFilter>,
}

/// Checks the apps of a store.
pub async fn freshness(store: &dyn Store, scope: &CheckScope) -> Result<Freshness, Error> {
    let (now, apps, subscriptions) =
        (store.now().await?, store.status().await?, store.subscriptions().await?);
    let apps = selected(apps, scope)?;
    let subscriptions = if *scope == CheckScope::default() { subscriptions } else { Vec::new() };
    Ok(judge(&apps, &subscriptions, now))
}

fn selected(mut apps: Vec<AppStatus>, scope: &CheckScope) -> Result<Vec<AppStatus>, Error> {
    let CheckScope { app, policy, tags } = scope;
    if let Some(name) = app {
        let ids: Vec<_> = apps.iter().map(|status| status.app.clone()).collect();
        let id = app_names::app(&ids, name)?;
        apps.retain(|status| status.app == id);
    }
    apps.retain(|status| policy.is_none() || status.policy == *policy);
    apps.retain(|status| status.tags.satisfy_all(tags));
    if apps.iter().any(|status| !status.removed) {
        return Ok(apps);
    }
    Err(Error::new(ErrorKind::NotFound, nothing(scope))
        .help("`holdfast status` lists the apps and their policies, and the console their tags"))
}

/// What it means that no app is in the scope.
fn nothing(CheckScope { app, policy, tags }: &CheckScope) -> String {
    if let Some(app) = app {
        return format!("{app} is not in the fleet");
    }
    let policy = policy.iter().map(|policy| format!("the policy `{policy}`"));
    let wanted: Vec<String> = policy.chain(tags.iter().map(|tag| format!("the tag `{tag}`"))).collect();
    match wanted.as_slice() {
        [] => "the store has no app of the fleet".to_owned(),
        wanted => format!("no app of the fleet has {}", wanted.join(" and ")),
    }
}

fn judge(apps: &[AppStatus], subscriptions: &[SubscriptionStatus], now: Timestamp) -> Freshness {
    let of_app = |status: &AppStatus| Some((FindingKind::of(status, now)?, status.app.short_name()));
    let mut found: Vec<(FindingKind, String)> = apps.iter().filter_map(of_app).collect();
    found.extend(unplanned(apps).map(|policy| (FindingKind::NothingPlanned, policy.to_string())));
    let unanswered = subscriptions.iter().filter(|status| status.unanswered_since.is_some());
    found.extend(unanswered.map(|status| (FindingKind::Unanswered, status.subscription.to_string())));
    found.sort();
    let mut counts: BTreeMap<FindingKind, usize> = BTreeMap::new();
    for (kind, _) in &found {
        *counts.entry(*kind).or_default() += 1;
    }
    let findings = found.into_iter().map(|(kind, of)| FreshnessFinding { level: kind.level(), kind, of });
    let findings: Vec<FreshnessFinding> = findings.collect();
    let enrolled = || apps.iter().filter(|status| !status.removed);
    let oldest = enrolled().filter_map(|status| status.last_good_at).min();
    Freshness {
        at: now,
        level: findings.iter().map(|finding| finding.level).max().unwrap_or(CheckLevel::Ok),
        apps: enrolled().count(),
        oldest_age_s: oldest.map(|oldest| (now - oldest).to_std().unwrap_or_default().as_secs()),
        counts,
        findings,
    }
}

/// Policies with apps that are neither paused nor under way, none of which has a next tick.
pub fn unplanned(apps: &[AppStatus]) -> impl Iterator<Item = &PolicyName> {
    let mut policies: BTreeMap<&PolicyName, bool> = BTreeMap::new();
    for status in apps.iter().filter(|status| !status.removed && !status.is_paused()) {
        if let Some(policy) = &status.policy {
            *policies.entry(policy).or_default() |= status.next_tick.is_some() || status.running.is_some();
        }
    }
    policies.into_iter().filter(|(_, is_planned)| !is_planned).map(|(policy, _)| policy)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_model::{AppId, Outcome, RunId, SubscriptionId};
    use holdfast_store::LastRun;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn good(name: &str) -> AppStatus {
        AppStatus {
            policy: Some(PolicyName::new("gold")),
            last_good_at: Some(NOW - Duration::from_hours(3)),
            next_tick: Some(NOW + Duration::from_hours(1)),
            recovery_point_objective: Some(Duration::from_hours(26)),
            ..AppStatus::new(AppId::new("s", "g", name, None))
        }
    }

    fn ended(status: AppStatus, outcome: Outcome) -> AppStatus {
        let run_id = RunId::new(NOW, &mut fastrand::Rng::with_seed(1));
        let last = LastRun { run_id, outcome, cause: None, verification: None, ended_at: NOW };
        AppStatus { last: Some(last), ..status }
    }

    fn found(apps: &[AppStatus]) -> Vec<(CheckLevel, FindingKind, String)> {
        let found = judge(apps, &[], NOW).findings.into_iter();
        found.map(|finding| (finding.level, finding.kind, finding.of)).collect()
    }

    #[test]
    fn an_app_inside_its_objective_is_ok_and_one_past_it_is_critical() {
        let fresh = judge(&[good("shop")], &[], NOW);
        assert_eq!((fresh.level, fresh.apps, fresh.oldest_age_s), (CheckLevel::Ok, 1, Some(3 * 3_600)));
        let past = AppStatus { past_objective: true, ..good("wiki") };
        let failed = ended(good("blog"), Outcome::Exhausted);
        let judged = judge(&[good("shop"), failed, past], &[], NOW);
        assert_eq!(judged.level, CheckLevel::Critical);
        let kinds: Vec<_> =
            judged.findings.iter().map(|finding| (finding.kind, finding.of.as_str())).collect();
        assert_eq!(kinds, [(FindingKind::PastObjective, "wiki"), (FindingKind::Failed, "blog")]);
    }

    #[test]
    fn an_app_that_waits_for_its_first_tick_is_ok_and_one_whose_first_run_failed_is_not() {
        let new = AppStatus { last_good_at: None, ..good("shop") };
        assert_eq!(found(std::slice::from_ref(&new)), []);
        let failed = ended(new.clone(), Outcome::Failed);
        let never = (CheckLevel::Warning, FindingKind::NeverBackedUp, "shop".to_owned());
        assert_eq!(found(&[failed]), [never]);
        let past = (CheckLevel::Critical, FindingKind::PastObjective, "shop".to_owned());
        assert_eq!(found(&[AppStatus { past_objective: true, ..new }]), [past], "its first span is over");
    }

    #[test]
    fn a_policy_without_a_next_tick_and_a_subscription_without_an_answer_are_told() {
        let idle = AppStatus { next_tick: None, ..good("shop") };
        let planned = (CheckLevel::Warning, FindingKind::NothingPlanned, "gold".to_owned());
        assert_eq!(found(std::slice::from_ref(&idle)), [planned]);
        assert_eq!(found(&[AppStatus { paused: true, ..idle.clone() }]), [], "a pause is on purpose");
        assert_eq!(found(&[idle, good("wiki")]), [], "another app of the policy has one");
        let silent = SubscriptionStatus {
            subscription: SubscriptionId::new("s"),
            listed_at: None,
            apps: None,
            left_out: Vec::new(),
            unanswered_since: Some(NOW),
            error: None,
            next_list_at: None,
            closed: Vec::new(),
        };
        let judged = judge(&[good("shop")], &[silent], NOW);
        assert_eq!((judged.level, judged.counts[&FindingKind::Unanswered]), (CheckLevel::Warning, 1));
    }

    #[test]
    fn a_scope_without_apps_is_unknown_rather_than_ok() {
        let apps = || vec![AppStatus { tags: [("team", "web")].into_iter().collect(), ..good("shop") }];
        let of = |policy: &str, tags: &[&str]| CheckScope {
            policy: Some(PolicyName::new(policy)),
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            ..CheckScope::default()
        };
        for scope in [of("gold", &[]), of("gold", &["Team=web"])] {
            assert_eq!(selected(apps(), &scope).unwrap().len(), 1);
        }
        let wiki = CheckScope { app: Some("wiki".into()), ..CheckScope::default() };
        for scope in [of("none", &[]), of("gold", &["team=shop"]), wiki] {
            assert_eq!(selected(apps(), &scope).unwrap_err().kind(), ErrorKind::NotFound);
        }
        let left = AppStatus { removed: true, ..good("shop") };
        assert!(selected(vec![left], &CheckScope::default()).is_err());
    }
}
