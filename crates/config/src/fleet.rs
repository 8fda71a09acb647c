//! The fleet file's meaning: what every part of the program is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_arm::Credential;
use holdfast_model::{App, AppId, Limits, Policy, PolicyName, Site, StorageName, SubscriptionId};
use holdfast_storage::{SecretRef, StorageTarget};
use url::Url;

/// A fleet file that holds together.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The sections `[azure]` or `[azure.…]`.
    pub clouds: Vec<Cloud>,
    /// The sections `[storage.…]`.
    pub storages: BTreeMap<StorageName, StorageTarget>,
    /// The sections `[policy.…]`.
    pub policies: BTreeMap<PolicyName, Policy>,
    /// The entries `[[app]]`.
    pub apps: Vec<App>,
    /// The entries `[[discover]]`.
    pub discover: Vec<Discover>,
    /// The section `[limits]`.
    pub limits: Limits,
    /// The section `[engine]`.
    pub engine: EngineConfig,
}

/// One credential and where it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// `contoso` of `[azure.contoso]`; empty for a single `[azure]`.
    pub name: String,
    /// Who Holdfast is there, with a reference in the place of the secret.
    pub credential: Credential<SecretRef>,
    /// Where ARM is.
    pub endpoint: Url,
    /// Where Entra is; `None` for the public cloud.
    pub authority: Option<Url>,
    /// The `api-version` of every request.
    pub api_version: String,
    /// The subscriptions it serves; empty for all that no other serves.
    pub subscriptions: Vec<SubscriptionId>,
}

/// A rule that finds apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discover {
    /// Where to look.
    pub subscription: SubscriptionId,
    /// Tags that an app must have, all of them. Azure compares their names without regard to case.
    pub tags: BTreeMap<String, String>,
    /// The policy of what is found.
    pub policy: PolicyName,
    /// Whether deployment slots of what it takes in are taken in too. They go by the tags of their app.
    pub slots: bool,
    /// Apps left out: ARM ids or short names, in lower case.
    pub exclude: Vec<String>,
}

/// How this process works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// A step that is not worked off after this is handed out again.
    pub lease: Duration,
    /// A backup whose POST got no answer must be absent from the app's list for this long before it is begun anew.
    pub settle: Duration,
    /// Steps worked off at once.
    pub concurrency: u32,
    /// How long one call to Azure may take.
    pub call_timeout: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_mins(5),
            settle: Duration::from_secs(90),
            concurrency: 32,
            call_timeout: Duration::from_mins(1),
        }
    }
}

impl Discover {
    /// Does the rule take this app in?
    pub fn takes(&self, site: &Site) -> bool {
        let has = |(name, value): (&String, &String)| {
            site.tags.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && v == value)
        };
        (self.slots || site.id.slot().is_none())
            && site.id.subscription() == &self.subscription
            && self.tags.iter().all(has)
            && !self.excludes(&site.id)
    }

    fn excludes(&self, id: &AppId) -> bool {
        let (full, short) = (id.to_string().to_lowercase(), id.short_name());
        self.exclude.iter().any(|entry| *entry == full || *entry == short)
    }
}

impl Fleet {
    /// The whole fleet once `sites` have been found: each `[[app]]` as it is listed, and each site that a rule takes
    /// in. A listed app goes by its own entry alone, and the first rule that takes a site in wins.
    pub fn apps_with(&self, sites: &[Site]) -> Vec<App> {
        let listed: BTreeMap<&AppId, &App> = self.apps.iter().map(|app| (&app.id, app)).collect();
        let plan_of =
            |id: &AppId| sites.iter().find(|site| &site.id == id).and_then(|site| site.plan.clone());
        let mut all: BTreeMap<AppId, App> = self
            .apps
            .iter()
            .map(|app| (app.id.clone(), App { plan: plan_of(&app.id), ..app.clone() }))
            .collect();
        for site in sites.iter().filter(|site| !listed.contains_key(&site.id)) {
            let policy = self.discover.iter().find(|rule| rule.takes(site)).map(|rule| rule.policy.clone());
            let app = App { policy, plan: site.plan.clone(), ..App::new(site.id.clone()) };
            all.entry(site.id.clone()).or_insert(app);
        }
        all.into_values().collect()
    }

    /// Every subscription that the fleet file names.
    pub fn subscriptions(&self) -> BTreeSet<SubscriptionId> {
        let of_rules = self.discover.iter().map(|rule| &rule.subscription);
        let of_apps = self.apps.iter().map(|app| app.id.subscription());
        let of_clouds = self.clouds.iter().flat_map(|cloud| &cloud.subscriptions);
        of_rules.chain(of_apps).chain(of_clouds).cloned().collect()
    }
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
            exclude: vec!["blog".into()],
        }
    }

    #[test]
    fn a_rule_takes_in_what_has_all_its_tags_and_is_not_excluded() {
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
        by_id.exclude = vec![site("shop", &[]).id.to_string().to_lowercase()];
        assert!(!by_id.takes(&site("shop", &[("backup", "gold")])), "excluded by its id");
    }

    #[test]
    fn slots_are_taken_in_where_the_rule_says_so_and_can_be_excluded_one_by_one() {
        let slot = Site {
            id: AppId::new("sub", "group", "shop", Some("staging")),
            ..site("shop", &[("backup", "gold")])
        };
        assert!(!rule().takes(&slot));
        assert!(Discover { slots: true, ..rule() }.takes(&slot));
        assert!(!Discover { slots: true, exclude: vec!["shop/staging".into()], ..rule() }.takes(&slot));
    }

    #[test]
    fn a_listed_app_goes_by_its_own_entry_and_learns_its_plan() {
        let database = DatabaseRef {
            kind: DatabaseKind::LocalMySql,
            name: "shop".into(),
            connection_string: None,
            connection_string_name: None,
        };
        let (id, databases) = (site("shop", &[]).id, vec![database]);
        let listed = App { id, policy: None, plan: None, databases: databases.clone(), paused: true };
        let fleet = Fleet {
            clouds: Vec::new(),
            storages: BTreeMap::new(),
            policies: BTreeMap::new(),
            apps: vec![listed],
            discover: vec![rule()],
            limits: Limits::default(),
            engine: EngineConfig::default(),
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
    }
}
