//! Checks the rights that Holdfast needs on an app (docs: operations of the resource provider Microsoft.Web).

use holdfast_arm::{Error, Permissions};

use super::finding::Finding;

/// The actions below `Microsoft.Web/sites/`, or `Microsoft.Web/sites/slots/` for a slot.
const ACTIONS: [&str; 13] = [
    "read",
    "backup/action",
    "backups/read",
    "backups/delete",
    "backups/list/action",
    "backups/restore/action",
    "backups/action",
    "listbackups/action",
    "restorefrombackupblob/action",
    "operationresults/read",
    "config/list/action",
    "config/write",
    "config/delete",
];

const CURE: &str = "give the credential the role Website Contributor on the app or its resource group";

/// The finding about the rights on an app.
///
/// `tried` are the actions that just succeeded: where Azure does not list the rights, the others are unknown.
pub fn rights(
    name: &str,
    is_slot: bool,
    permissions: &Result<Permissions, Error>,
    tried: &[&str],
) -> Finding {
    let below = if is_slot { "Microsoft.Web/sites/slots/" } else { "Microsoft.Web/sites/" };
    let listed = |actions: Vec<&str>| {
        actions.iter().map(|action| format!("{below}{action}")).collect::<Vec<_>>().join(", ")
    };
    let Ok(permissions) = permissions else {
        let untried: Vec<&str> = ACTIONS.into_iter().filter(|action| !tried.contains(action)).collect();
        let says = format!(
            "Azure does not list them; not tried, because that would change something: {}",
            listed(untried)
        );
        return Finding::warn("rights", name, says, CURE);
    };
    let lacks = |action: &&str| !permissions.allow(&format!("{below}{action}"));
    let missing: Vec<&str> = ACTIONS.into_iter().filter(lacks).collect();
    if missing.is_empty() {
        return Finding::ok("rights", name, format!("all {} actions", ACTIONS.len()));
    }
    Finding::fail("rights", name, format!("lacks {}", listed(missing)), CURE)
}

#[cfg(test)]
mod tests {
    use holdfast_arm::{ErrorKind as Azure, Grant, Operation};

    use super::super::finding::FindingSeverity as Severity;
    use super::*;

    fn permissions(actions: &[&str]) -> Permissions {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        Permissions { grants: vec![Grant { actions, not_actions: Vec::new() }] }
    }

    #[test]
    fn each_missing_action_is_named_for_sites_and_slots() {
        assert_eq!(rights("shop", false, &Ok(permissions(&["Microsoft.Web/*"])), &[]).severity, Severity::Ok);
        let finding =
            rights("shop", false, &Ok(permissions(&["*/read", "*/delete", "*/write", "*/list/action"])), &[]);
        assert_eq!(finding.severity, Severity::Fail);
        assert!(finding.says.starts_with("lacks Microsoft.Web/sites/backup/action, "), "{}", finding.says);
        assert!(!finding.says.contains("backups/list/action"), "{}", finding.says);
        let finding =
            rights("shop/staging", true, &Ok(permissions(&["Microsoft.Web/sites/backup/action"])), &[]);
        assert!(finding.says.contains("Microsoft.Web/sites/slots/backup/action"), "a slot has its own");
    }

    #[test]
    fn an_action_that_cannot_be_tried_safely_is_reported_as_not_tried() {
        let silent =
            Err(Error::new(Operation::GetPermissions, "shop", Azure::Forbidden, "azure answered 403"));
        let finding = rights("shop", false, &silent, &["read", "backups/read"]);
        assert_eq!(finding.severity, Severity::Warn);
        assert!(finding.says.contains("Microsoft.Web/sites/backup/action"), "{}", finding.says);
        assert!(!finding.says.contains("sites/read,") && !finding.says.contains("backups/read,"));
    }
}
