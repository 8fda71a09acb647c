//! What the tiers of App Service allow for backups (docs: App Service limits).

pub use holdfast_model::{tier_backs_up_slots as allows_slots, tier_has_backups as allows_backups};

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
    fn each_tier_has_the_daily_limit_that_azure_documents() {
        for (tier, limit) in [
            ("Free", None),
            ("Basic", Some(12)),
            ("Standard", Some(12)),
            ("PremiumV3", Some(50)),
            ("IsolatedV2", Some(50)),
            ("ElasticPremium", None),
        ] {
            assert_eq!(daily_limit(tier), limit, "{tier}");
        }
    }
}
