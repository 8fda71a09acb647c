//! Which apps Azure backs up, by tier and kind (docs: App Service limits; MicrosoftDocs/azure-docs, `manage-backup.md`).

use crate::Site;

/// Tiers without backups, by name and by size, in lower case.
const TIERS_WITHOUT: [&str; 18] = [
    "free",
    "f1",
    "shared",
    "d1",
    "dynamic",
    "consumption",
    "y1",
    "flexconsumption",
    "fc1",
    "elasticpremium",
    "ep1",
    "ep2",
    "ep3",
    "workflowstandard",
    "ws1",
    "ws2",
    "ws3",
    "elasticisolated",
];

/// Tiers whose deployment slots have no backups, by name and by size, in lower case.
const TIERS_WITHOUT_SLOTS: [&str; 4] = ["basic", "b1", "b2", "b3"];

/// Words in the kind of an app that runs elsewhere than in an App Service plan, in lower case.
///
/// `container` alone is an app of an App Service plan with a container of its own, which Azure backs up.
const KINDS_WITHOUT: [&str; 2] = ["azurecontainerapps", "containerapp"];

/// Whether Azure backs up apps of this tier. An unknown tier is taken to have backups.
pub fn tier_has_backups(tier: &str) -> bool {
    !TIERS_WITHOUT.contains(&tier.trim().to_lowercase().as_str())
}

/// Whether Azure backs up deployment slots of this tier.
pub fn tier_backs_up_slots(tier: &str) -> bool {
    tier_has_backups(tier) && !TIERS_WITHOUT_SLOTS.contains(&tier.trim().to_lowercase().as_str())
}

impl Site {
    /// Why Azure does not back up this app, as a fragment such as `in the tier Free, which has no backups`; `None` where it
    /// does, as far as its tier and kind say.
    pub fn why_unsupported(&self) -> Option<String> {
        let tier = self.tier.as_deref().map(str::trim).filter(|tier| !tier.is_empty());
        let kind = self.kind.as_deref().unwrap_or_default();
        let is_word = |word: &str| kind.split(',').any(|part| part.trim().eq_ignore_ascii_case(word));
        if let Some(word) = KINDS_WITHOUT.into_iter().find(|word| is_word(word)) {
            return Some(format!("of the kind {word}, which has no backups"));
        }
        match tier {
            Some(tier) if !tier_has_backups(tier) => {
                Some(format!("in the tier {tier}, which has no backups"))
            }
            Some(tier) if self.id.slot().is_some() && !tier_backs_up_slots(tier) => {
                Some(format!("in the tier {tier}, which backs up no slots"))
            }
            None if is_word("workflowapp") => {
                Some("of the kind workflowapp, which has no backups".to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::AppId;

    fn site(kind: Option<&str>, tier: Option<&str>, slot: Option<&str>) -> Site {
        Site {
            id: AppId::new("s", "g", "shop", slot),
            location: String::new(),
            plan: None,
            kind: kind.map(str::to_owned),
            state: None,
            tier: tier.map(str::to_owned),
            operation: None,
            hosts: Vec::new(),
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn each_tier_has_what_azure_documents() {
        for (tier, backups, slots) in [
            ("Free", false, false),
            ("Shared", false, false),
            ("D1", false, false),
            ("Dynamic", false, false),
            ("FlexConsumption", false, false),
            ("ElasticPremium", false, false),
            ("EP2", false, false),
            ("WorkflowStandard", false, false),
            ("Basic", true, false),
            ("B2", true, false),
            ("Standard", true, true),
            ("PremiumV3", true, true),
            ("PremiumMV3", true, true),
            ("IsolatedV2", true, true),
            ("PremiumV9", true, true),
        ] {
            assert_eq!((tier_has_backups(tier), tier_backs_up_slots(tier)), (backups, slots), "{tier}");
        }
    }

    #[test]
    fn an_app_is_unsupported_by_its_tier_its_kind_or_as_a_slot() {
        for (kind, tier, slot, why) in [
            (Some("functionapp,linux"), Some("FlexConsumption"), None, Some("FlexConsumption")),
            (Some("functionapp"), Some("ElasticPremium"), None, Some("ElasticPremium")),
            (Some("functionapp"), Some("Dynamic"), None, Some("Dynamic")),
            (Some("functionapp,workflowapp"), Some("WorkflowStandard"), None, Some("WorkflowStandard")),
            (Some("functionapp,workflowapp"), None, None, Some("workflowapp")),
            (
                Some("functionapp,linux,container,azurecontainerapps"),
                None,
                None,
                Some("kind azurecontainerapps"),
            ),
            (Some("functionapp,AzureContainerApps"), Some("Standard"), None, Some("azurecontainerapps")),
            (Some("app"), Some("Basic"), Some("staging"), Some("backs up no slots")),
            (Some("app"), Some("Basic"), None, None),
            (Some("app,linux,container"), Some("PremiumV3"), None, None),
            (Some("functionapp"), Some("Standard"), None, None),
            (None, None, Some("staging"), None),
        ] {
            let found = site(kind, tier, slot).why_unsupported();
            assert_eq!(found.is_some(), why.is_some(), "{kind:?} {tier:?} {found:?}");
            assert!(found.unwrap_or_default().contains(why.unwrap_or_default()), "{kind:?} {tier:?}");
        }
    }
}
