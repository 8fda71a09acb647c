//! The fleet: the meaning of a valid fleet file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_arm::Credential;
use holdfast_model::{App, AppId, Limits, Policy, PolicyName, Site, StorageName, SubscriptionId, Tags};
use holdfast_storage::{SecretRef, StorageTarget};
use url::Url;

use crate::checkpoint::{CheckpointDestination, Checkpoints};
use crate::control::FourEyes;
use crate::effective::EffectiveValue;
use crate::exclusion::Exclusion;
use crate::notifications::Notifications;

/// The contents of a valid fleet file.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The sections `[azure]` or `[azure.…]`.
    pub clouds: Vec<Cloud>,
    /// The sections `[storage.…]`.
    pub storages: BTreeMap<StorageName, StorageTarget>,
    /// The sections `[policy.…]`.
    pub policies: BTreeMap<PolicyName, Policy>,
    /// The values of each policy with the lines that they come from.
    pub effective: BTreeMap<PolicyName, Vec<EffectiveValue>>,
    /// The tags that the file gives to apps.
    pub tags: FileTags,
    /// The entries `[[app]]`.
    pub apps: Vec<App>,
    /// The entries `[[discover]]`.
    pub discover: Vec<Discover>,
    /// The section `[limits]`.
    pub limits: Limits,
    /// The section `[engine]`.
    pub engine: EngineConfig,
    /// The section `[audit]`; `None` without checkpoints.
    pub checkpoints: Option<Checkpoints>,
    /// The section `[control]`.
    pub four_eyes: FourEyes,
    /// The values that are in no policy, app or rule, as the file writes them, by key such as `storage.weu.container`.
    pub settings: BTreeMap<String, String>,
    /// The sections `[channel.…]` and `[notify.…]`.
    pub notifications: Notifications,
}

/// The tags that a fleet file gives to apps, beside those that they have in Azure.
#[derive(Debug, Clone, Default)]
pub struct FileTags {
    /// Those of each policy, with what it inherits: for its apps that have no tag of the same name.
    pub of_policies: BTreeMap<PolicyName, Tags>,
    /// Those of `[[app]]` entries, with where they are.
    pub of_apps: BTreeMap<AppId, Vec<EffectiveValue>>,
}

/// An `[azure]` section: a credential and where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// The name, such as `contoso` of `[azure.contoso]`; empty for a single `[azure]`.
    pub name: String,
    /// The credential, with a reference in place of the secret.
    pub credential: Credential<SecretRef>,
    /// The endpoint of ARM.
    pub endpoint: Url,
    /// The authority of Entra; `None` for the public cloud.
    pub authority: Option<Url>,
    /// The `api-version` of every request.
    pub api_version: String,
    /// Hosts beside Azure's own that may receive its tokens.
    pub trusted_hosts: Vec<String>,
    /// The subscriptions it serves; empty for all that no other section serves.
    pub subscriptions: Vec<SubscriptionId>,
}

/// A rule that enrolls apps by their tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discover {
    /// The subscription of the apps.
    pub subscription: SubscriptionId,
    /// Tags that an app must have. Their names are case-insensitive.
    pub tags: BTreeMap<String, String>,
    /// The policy of the apps.
    pub policy: PolicyName,
    /// Whether it enrolls the deployment slots of its apps too. A slot has the tags of its app.
    pub slots: bool,
    /// Excluded apps.
    pub exclude: Vec<Exclusion>,
}

/// Settings of the processes that plan and execute runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// Duration of a lease: a step that has not finished after it is dispatched again.
    pub lease: Duration,
    /// Settle time after a lost answer.
    ///
    /// A new attempt starts only after the backup was absent from the app's list for this long.
    pub settle: Duration,
    /// Maximum number of concurrent steps.
    pub concurrency: u32,
    /// How long one call to Azure may take.
    pub call_timeout: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_mins(5),
            settle: Duration::from_secs(90),
            concurrency: 256,
            call_timeout: Duration::from_mins(1),
        }
    }
}

impl Discover {
    /// Whether the rule enrolls this app.
    pub fn takes(&self, site: &Site) -> bool {
        let has = |(name, value): (&String, &String)| {
            site.tags.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && v == value)
        };
        (self.slots || site.id.slot().is_none())
            && site.id.subscription() == &self.subscription
            && self.tags.iter().all(has)
            && !self.exclude.iter().any(|exclusion| exclusion.leaves_out(&site.id))
    }
}

impl Fleet {
    /// The apps of the fleet: each `[[app]]`, and each of `sites` with the policy of its rule.
    ///
    /// An `[[app]]` entry wins over every rule, and the first matching rule wins over later ones. The tags of an entry win over
    /// those of the same name in Azure; those of policies are left out.
    pub fn apps_with(&self, sites: &[Site]) -> Vec<App> {
        let listed: BTreeMap<&AppId, &App> = self.apps.iter().map(|app| (&app.id, app)).collect();
        let found: BTreeMap<&AppId, &Site> = sites.iter().map(|site| (&site.id, site)).collect();
        let seen = |app: &App| {
            let site = found.get(&app.id).copied();
            let found: Tags = site.into_iter().flat_map(|site| &site.tags).collect();
            let tags = app.tags.or(&found);
            App { plan: site.and_then(|site| site.plan.clone()), tags, ..app.clone() }
        };
        let mut all: BTreeMap<AppId, App> = self.apps.iter().map(|app| (app.id.clone(), seen(app))).collect();
        for site in sites.iter().filter(|site| !listed.contains_key(&site.id)) {
            let policy = self.discover.iter().find(|rule| rule.takes(site)).map(|rule| rule.policy.clone());
            let (plan, tags) = (site.plan.clone(), site.tags.iter().collect());
            let app = App { policy, plan, tags, ..App::new(site.id.clone()) };
            all.entry(site.id.clone()).or_insert(app);
        }
        all.into_values().collect()
    }

    /// The tags of an app of the fleet: its own, and of its policy those with other names.
    pub fn tags_of(&self, app: &App) -> Tags {
        let of_policy = app.policy.as_ref().and_then(|policy| self.tags.of_policies.get(policy));
        of_policy.map_or_else(|| app.tags.clone(), |of_policy| app.tags.or(of_policy))
    }

    /// What the fleet file says about a storage, also of one app.
    pub fn storage(&self, name: &StorageName) -> Option<&StorageTarget> {
        self.storages.get(&StorageName::new(name.section()))
    }

    /// The storage as policies name it: with the pattern of its containers, where they depend on the app.
    pub fn as_policies_name(&self, name: &StorageName) -> StorageName {
        let pattern = self.storage(name).and_then(|target| target.pattern.as_ref());
        pattern
            .filter(|_| name.container().is_none())
            .map_or(name.clone(), |pattern| name.with_container(pattern))
    }

    /// The longest deadline of a backup into the storage.
    pub fn longest_deadline(&self, storage: &StorageName) -> Duration {
        longest_deadline(self.policies.values(), storage)
    }

    /// The storages for backups: all but those that only receive checkpoints.
    pub fn backup_storages(&self) -> impl Iterator<Item = &StorageName> {
        let written: BTreeSet<_> =
            self.policies.values().map(|policy| policy.policy_snapshot.storage.section()).collect();
        let to = self.checkpoints.iter().flat_map(|checkpoints| &checkpoints.to);
        let receives: BTreeSet<_> = to.filter_map(CheckpointDestination::storage).collect();
        self.storages.keys().filter(move |name| written.contains(name.section()) || !receives.contains(name))
    }

    /// Every subscription that the fleet file names.
    pub fn subscriptions(&self) -> BTreeSet<SubscriptionId> {
        let of_rules = self.discover.iter().map(|rule| &rule.subscription);
        let of_apps = self.apps.iter().map(|app| app.id.subscription());
        let of_clouds = self.clouds.iter().flat_map(|cloud| &cloud.subscriptions);
        of_rules.chain(of_apps).chain(of_clouds).cloned().collect()
    }
}

/// The longest deadline of the policies that write to the storage.
pub(crate) fn longest_deadline<'p>(
    policies: impl Iterator<Item = &'p Policy>,
    storage: &StorageName,
) -> Duration {
    let into = policies.filter(|policy| policy.policy_snapshot.storage.section() == storage.section());
    into.map(|policy| policy.policy_snapshot.deadline).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use holdfast_model::{DatabaseKind, DatabaseRef};

    use super::*;

    fn site(name: &str, tags: &[(&str, &str)]) -> Site {
        let tags = tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let id = AppId::new("sub", "group", name, None);
        Site {
            id,
            location: "westeurope".into(),
            plan: Some("/p".into()),
            kind: None,
            state: None,
            tier: None,
            operation: None,
            hosts: Vec::new(),
            tags,
        }
    }

    fn rule() -> Discover {
        Discover {
            subscription: SubscriptionId::new("SUB"),
            tags: [("backup".to_owned(), "gold".to_owned())].into(),
            policy: PolicyName::new("gold"),
            slots: false,
            exclude: vec![Exclusion::parse("blog").unwrap()],
        }
    }

    #[test]
    fn a_rule_enrolls_apps_with_all_its_tags_unless_they_are_excluded() {
        assert!(
            rule().takes(&site("shop", &[("Backup", "gold"), ("team", "x")])),
            "names of tags have no case"
        );
        assert!(!rule().takes(&site("shop", &[("backup", "Gold")])), "values have");
        assert!(!rule().takes(&site("shop", &[])));
        assert!(!rule().takes(&site("blog", &[("backup", "gold")])), "excluded by its short name");
        let mut elsewhere = rule();
        elsewhere.subscription = SubscriptionId::new("other");
        assert!(!elsewhere.takes(&site("shop", &[("backup", "gold")])));
        let mut by_id = rule();
        by_id.exclude = vec![Exclusion::App(site("shop", &[]).id)];
        assert!(!by_id.takes(&site("shop", &[("backup", "gold")])), "excluded by its id");
    }

    #[test]
    fn slots_are_enrolled_on_request_and_can_be_excluded() {
        let slot = Site {
            id: AppId::new("sub", "group", "shop", Some("staging")),
            ..site("shop", &[("backup", "gold")])
        };
        assert!(!rule().takes(&slot));
        assert!(Discover { slots: true, ..rule() }.takes(&slot));
        assert!(
            !Discover { slots: true, exclude: vec![Exclusion::parse("shop/staging").unwrap()], ..rule() }
                .takes(&slot)
        );
    }

    #[test]
    fn the_entry_of_an_app_wins_over_rules_and_the_app_gets_its_plan() {
        let database = DatabaseRef {
            kind: DatabaseKind::LocalMySql,
            name: "shop".into(),
            connection_string: None,
            connection_string_name: None,
        };
        let (id, databases) = (site("shop", &[]).id, vec![database]);
        let tags = [("team", "shop")].into_iter().collect();
        let listed = App { databases: databases.clone(), tags, paused: true, ..App::new(id) };
        let fleet = Fleet {
            clouds: Vec::new(),
            storages: BTreeMap::new(),
            policies: BTreeMap::new(),
            effective: BTreeMap::new(),
            tags: FileTags::default(),
            apps: vec![listed],
            discover: vec![rule()],
            limits: Limits::default(),
            engine: EngineConfig::default(),
            checkpoints: None,
            four_eyes: FourEyes::default(),
            settings: BTreeMap::new(),
            notifications: Notifications::default(),
        };
        let gold = &[("backup", "gold")];
        let apps = fleet.apps_with(&[site("shop", gold), site("wiki", gold), site("stray", &[])]);
        let found: Vec<_> =
            apps.iter().map(|a| (a.id.site(), a.policy.is_some(), a.plan.is_some(), a.paused)).collect();
        assert_eq!(
            found,
            [("shop", false, true, true), ("stray", false, true, false), ("wiki", true, true, false)]
        );
        assert_eq!(apps[0].databases, databases);
        let tags: Vec<_> = apps[0].tags.iter().collect();
        assert_eq!(tags, [("backup", "gold"), ("team", "shop")], "those of the entry beside those of Azure");
    }
}
