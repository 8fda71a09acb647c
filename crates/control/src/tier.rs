//! What the tiers of App Service allow for backups (docs: App Service limits).

/// Whether Azure backs up and restores apps of this tier.
pub fn allows_backups(tier: &str) -> bool {
    !["free", "shared", "dynamic"].contains(&tier.to_lowercase().as_str())
}

/// Whether Azure backs up deployment slots of this tier. A Basic plan has no slots.
pub fn allows_slots(tier: &str) -> bool {
    allows_backups(tier) && !tier.eq_ignore_ascii_case("basic")
}

/// How many backups of an app Azure takes in a day, scheduled or not; `None` where it is undocumented.
pub fn daily_limit(tier: &str) -> Option<usize> {
    let tier = tier.to_lowercase();
    match tier.as_str() {
        "basic" | "standard" => Some(12),
        _ if tier.starts_with("premium") || tier.starts_with("isolated") => Some(50),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tier_allows_what_azure_documents() {
        for (tier, backups, slots, limit) in [
            ("Free", false, false, None),
            ("Shared", false, false, None),
            ("Dynamic", false, false, None),
            ("Basic", true, false, Some(12)),
            ("Standard", true, true, Some(12)),
            ("PremiumV3", true, true, Some(50)),
            ("IsolatedV2", true, true, Some(50)),
            ("ElasticPremium", true, true, None),
        ] {
            let found = (allows_backups(tier), allows_slots(tier), daily_limit(tier));
            assert_eq!(found, (backups, slots, limit), "{tier}");
        }
    }
}
