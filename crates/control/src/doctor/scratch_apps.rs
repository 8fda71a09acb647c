//! Checks the scratch apps of drills.

use holdfast_arm::{Arm, ErrorKind};
use holdfast_config::Fleet;
use holdfast_model::{App, AppId, PolicyName};

use super::finding::Finding;
use crate::tier;

const CHECK: &str = "drill";

/// Checks that each scratch app exists, takes restores, and is in no policy.
pub async fn check(fleet: &Fleet, arm: &dyn Arm, apps: &[App]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for policy in fleet.policies.values() {
        let Some(drill) = &policy.drill else { continue };
        let enrolled = apps.iter().find(|app| app.id == drill.into).and_then(|app| app.policy.as_ref());
        findings.push(match enrolled {
            Some(enrolled) => Finding::fail(
                CHECK,
                drill.into.short_name(),
                format!("is the scratch app of {}, and is backed up under {enrolled}", policy.name),
                "exclude it from the [[discover]] rule, or name another",
            ),
            None => check_site(&policy.name, &drill.into, arm).await,
        });
    }
    findings
}

async fn check_site(policy: &PolicyName, into: &AppId, arm: &dyn Arm) -> Finding {
    let name = into.short_name();
    match arm.site(into).await {
        Ok(site) => match site.tier.as_deref().filter(|tier| !tier::allows_backups(tier)) {
            Some(tier) => Finding::fail(
                CHECK,
                name,
                format!("is the scratch app of {policy}, in the tier {tier}, which takes no restore"),
                "move it to a Basic plan or better",
            ),
            None => Finding::ok(CHECK, name, format!("is the scratch app of {policy}")),
        },
        Err(error) if *error.kind() == ErrorKind::NotFound => Finding::fail(
            CHECK,
            name,
            format!("is the scratch app of {policy}, and Azure has no such app"),
            "create it, or name another",
        ),
        Err(error) => Finding::fail(CHECK, name, error.to_string(), "check the credential"),
    }
}
