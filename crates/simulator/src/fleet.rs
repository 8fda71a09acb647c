//! The sites and storage accounts: given, or generated from a seed.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use holdfast_model::{AppId, Site, SubscriptionId};
use secrecy::SecretString;

/// The initial sites and accounts of an [`Azure`](crate::Azure).
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    /// Sites and deployment slots.
    pub sites: Vec<FleetSite>,
    /// Storage accounts.
    pub accounts: Vec<StorageAccount>,
}

/// A site or slot, with its size, which Azure's responses do not contain.
#[derive(Debug, Clone)]
pub struct FleetSite {
    /// The site as Azure lists it. The tier decides whether it may be backed up.
    pub site: Site,
    /// The size of its content in bytes. Keep it small: the blobs of its backups are nearly as large.
    pub size_bytes: u64,
}

/// A storage account.
#[derive(Debug, Clone)]
pub struct StorageAccount {
    /// Its name: lower case letters and digits.
    pub name: String,
    /// Its key, in base64 as from Azure.
    pub key: SecretString,
    /// Its containers.
    pub containers: Vec<String>,
}

impl StorageAccount {
    /// An account with one container and a key generated from the seed: never a real key.
    pub fn generate(name: &str, container: &str, seed: u64) -> Self {
        let mut bytes = [0; 64];
        fastrand::Rng::with_seed(seed ^ 0x5707_a6e0).fill(&mut bytes);
        Self {
            name: name.to_owned(),
            key: BASE64.encode(bytes).into(),
            containers: vec![container.to_owned()],
        }
    }
}

/// Plausible names of sites.
const NAMES: [&str; 12] = [
    "shop", "api", "portal", "billing", "intranet", "search", "orders", "identity", "reports", "media",
    "booking", "status",
];
/// Azure spells one region in several ways and returns the spelling of the site's creation.
const LOCATIONS: [&str; 5] = ["West Europe", "WestUS", "North Europe", "westeurope", "East US 2"];
const TIERS: [&str; 4] = ["Basic", "Standard", "PremiumV3", "PremiumV2"];

impl Fleet {
    /// The name of the storage account from [`generate`](Self::generate).
    pub const ACCOUNT: &str = "simulatedbackups";
    /// The name of its container.
    pub const CONTAINER: &str = "backups";

    /// `sites` sites in two to eight subscriptions, on plans that up to ten of them share, tagged `backup = gold` or
    /// `silver`, and one storage account with one container. The same seed generates the same fleet.
    pub fn generate(sites: usize, seed: u64) -> Self {
        Self::build(sites, sites.div_ceil(100).clamp(2, 8), 0, seed)
    }

    /// As [`generate`](Self::generate), in this many subscriptions, each with a site while there are enough sites.
    pub fn generate_across(sites: usize, subscriptions: usize, seed: u64) -> Self {
        let subscriptions = subscriptions.clamp(1, sites.max(1));
        Self::build(sites, subscriptions, subscriptions, seed)
    }

    /// The first `filled` of the subscriptions have a site.
    fn build(sites: usize, subscriptions: usize, filled: usize, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let subscriptions: Vec<String> = (0..subscriptions).map(|_| guid(&mut rng)).collect();
        let mut fleet = Self {
            sites: Vec::with_capacity(sites),
            accounts: vec![StorageAccount::generate(Self::ACCOUNT, Self::CONTAINER, seed)],
        };
        let mut plan_number = 0;
        while fleet.sites.len() < sites {
            let plan = Plan::generate(plan_number, &subscriptions, &mut rng);
            plan_number += 1;
            let on_plan = if rng.bool() { 1 } else { rng.usize(2..=10) };
            let left = sites - fleet.sites.len();
            let reserved = filled.saturating_sub(plan_number).min(left - 1);
            for _ in 0..on_plan.min(left - reserved) {
                let number = fleet.sites.len() + 1;
                fleet.sites.push(plan.site(number, &mut rng));
            }
        }
        fleet
    }

    /// Adds a slot `staging` to each `every`th site whose tier allows slots.
    #[must_use]
    pub fn with_slots(mut self, every: usize) -> Self {
        let may_have = self.sites.iter().filter(|s| s.site.tier.as_deref() != Some("Basic"));
        let slots: Vec<FleetSite> = may_have.step_by(every.max(1)).map(staging_of).collect();
        self.sites.extend(slots);
        self
    }

    /// All apps, in the order of creation.
    pub fn apps(&self) -> impl Iterator<Item = &AppId> {
        self.sites.iter().map(|s| &s.site.id)
    }

    /// The subscriptions that hold a site.
    pub fn subscriptions(&self) -> BTreeSet<SubscriptionId> {
        self.apps().map(|app| app.subscription().clone()).collect()
    }

    /// The account of this name.
    pub fn account(&self, name: &str) -> Option<&StorageAccount> {
        self.accounts.iter().find(|account| account.name == name)
    }
}

/// The fleet of a seed: see [`Fleet::generate`].
pub fn fleet(sites: usize, seed: u64) -> Fleet {
    Fleet::generate(sites, seed)
}

struct Plan<'a> {
    subscription: &'a str,
    group: String,
    id: String,
    location: &'static str,
    tier: &'static str,
}

impl<'a> Plan<'a> {
    fn generate(number: usize, subscriptions: &'a [String], rng: &mut fastrand::Rng) -> Self {
        let subscription = &subscriptions[number % subscriptions.len()];
        let group = format!("rg-{}-{:02}", NAMES[rng.usize(..NAMES.len())], number % 40);
        let id = format!(
            "/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.web/serverfarms/plan-{number:04}"
        );
        let (location, tier) = (LOCATIONS[rng.usize(..LOCATIONS.len())], TIERS[rng.usize(..TIERS.len())]);
        Self { subscription, group, id, location, tier }
    }

    fn site(&self, number: usize, rng: &mut fastrand::Rng) -> FleetSite {
        let name = format!("{}-{number:04}", NAMES[rng.usize(..NAMES.len())]);
        let class = if rng.u8(..4) == 0 { "gold" } else { "silver" };
        let kind = if rng.bool() { "app" } else { "app,linux" };
        let id = AppId::new(self.subscription, &self.group, &name, None);
        let site = Site {
            hosts: vec![host_of(&id)],
            id,
            location: self.location.to_owned(),
            plan: Some(self.id.clone()),
            kind: Some(kind.to_owned()),
            state: Some("Running".to_owned()),
            tier: Some(self.tier.to_owned()),
            operation: None,
            tags: BTreeMap::from([("backup".to_owned(), class.to_owned())]),
        };
        FleetSite { site, size_bytes: rng.u64(2_000..8_000) }
    }
}

fn staging_of(production: &FleetSite) -> FleetSite {
    let mut slot = production.clone();
    let id = &production.site.id;
    slot.site.id = AppId::new(id.subscription().as_str(), id.resource_group(), id.site(), Some("staging"));
    slot.site.hosts = vec![host_of(&slot.site.id)];
    slot
}

/// The host name that every site has.
pub(crate) fn host_of(app: &AppId) -> String {
    format!("{}.azurewebsites.net", app.short_name().replace('/', "-"))
}

/// A GUID in its text form, from the seed.
pub(crate) fn guid(rng: &mut fastrand::Rng) -> String {
    let hex = format!("{:032x}", rng.u128(..));
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_seed_makes_one_fleet_and_another_seed_another() {
        let names = |seed| Fleet::generate(300, seed).apps().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(7), names(7));
        assert_ne!(names(7), names(8));
        let key = |seed| Fleet::generate(1, seed).accounts[0].key.expose_secret().to_owned();
        assert_eq!(key(7), key(7));
        assert_ne!(key(7), key(8));
    }

    #[test]
    fn a_fleet_has_its_number_of_sites_with_distinct_ids_on_shared_plans() {
        let fleet = Fleet::generate(500, 42);
        let distinct: BTreeSet<&AppId> = fleet.apps().collect();
        assert_eq!((fleet.sites.len(), distinct.len()), (500, 500));
        assert_eq!(fleet.subscriptions().len(), 5);
        let mut per_plan: BTreeMap<&str, usize> = BTreeMap::new();
        for site in &fleet.sites {
            *per_plan.entry(site.site.plan.as_deref().unwrap()).or_default() += 1;
            assert!(site.site.id.to_string().parse::<AppId>().is_ok());
        }
        let most = per_plan.values().max().copied().unwrap();
        assert!((5..=10).contains(&most) && per_plan.values().any(|n| *n == 1), "{most}");
        for class in ["gold", "silver"] {
            assert!(fleet.sites.iter().any(|s| s.site.tags["backup"] == class), "{class}");
        }
    }

    #[test]
    fn a_fleet_fills_as_many_subscriptions_as_asked() {
        let filled = |sites, subscriptions| {
            let fleet = Fleet::generate_across(sites, subscriptions, 7);
            assert_eq!(fleet.sites.len(), sites);
            fleet.subscriptions().len()
        };
        assert_eq!(
            [(1_000, 10), (40, 10), (12, 12), (12, 40), (30, 1)].map(|(n, s)| filled(n, s)),
            [10, 10, 12, 12, 1]
        );
        assert_eq!(filled(0, 3), 0);
    }

    #[test]
    fn slots_stand_on_tiers_that_allow_them() {
        let fleet = Fleet::generate(50, 1).with_slots(5);
        let slots: Vec<&FleetSite> = fleet.sites.iter().filter(|s| s.site.id.slot().is_some()).collect();
        assert!(!slots.is_empty());
        assert!(slots.iter().all(|s| s.site.tier.as_deref() != Some("Basic")));
    }

    #[test]
    fn an_accounts_debug_does_not_show_its_key() {
        let account = StorageAccount::generate("acct", "backups", 9);
        assert!(!format!("{account:?}").contains(account.key.expose_secret()));
    }
}
