//! What Azure's tiers allow, as far as backups go (docs: App Service limits).

/// Does Azure back up and restore apps of this tier?
pub fn allows_backups(tier: &str) -> bool {
    !["free", "shared", "dynamic"].contains(&tier.to_lowercase().as_str())
}

/// Does Azure back up deployment slots of this tier? A Basic plan has none.
pub fn allows_slots(tier: &str) -> bool {
    allows_backups(tier) && !tier.eq_ignore_ascii_case("basic")
}

/// How many backups of an app Azure takes in a day, scheduled or not; `None` where nobody has published it.
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
            let told = (allows_backups(tier), allows_slots(tier), daily_limit(tier));
            assert_eq!(told, (backups, slots, limit), "{tier}");
        }
    }
}
