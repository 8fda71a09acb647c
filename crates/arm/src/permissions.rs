//! The rights of a credential on an app.

/// The rights of a credential, from the roles assigned to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// The rights of each role. One role that grants an action is enough.
    pub grants: Vec<Grant>,
}

/// The rights of one role, in ARM's patterns: `*` matches anything, and case is ignored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    /// The actions that it allows.
    pub actions: Vec<String>,
    /// The actions that it excludes from these.
    pub not_actions: Vec<String>,
}

impl Permissions {
    /// Whether they allow this action, such as `Microsoft.Web/sites/backup/action`?
    pub fn allow(&self, action: &str) -> bool {
        let action = action.to_lowercase();
        let any = |patterns: &[String]| patterns.iter().any(|pattern| fits(&pattern.to_lowercase(), &action));
        self.grants.iter().any(|grant| any(&grant.actions) && !any(&grant.not_actions))
    }
}

/// Whether the pattern matches the whole text. Each piece between two `*` is matched as early as possible, the last at
/// the end.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(at) = left.find(piece) else { return false };
        left = &left[at + piece.len()..];
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grant(actions: &[&str], not_actions: &[&str]) -> Grant {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Grant { actions: owned(actions), not_actions: owned(not_actions) }
    }

    #[test]
    fn a_star_matches_anything_and_case_is_ignored() {
        for (pattern, fits_it) in [
            ("*", true),
            ("*/read", false),
            ("Microsoft.Web/sites/*", true),
            ("microsoft.web/SITES/backup/Action", true),
            ("Microsoft.Web/*/action", true),
            ("*/backup/*", true),
            ("Microsoft.Web/sites/backup", false),
            ("Microsoft.Web/sites/backups/*", false),
            ("Microsoft.Web/sites/backup/action/*", false),
            ("", false),
        ] {
            let permissions = Permissions { grants: vec![grant(&[pattern], &[])] };
            assert_eq!(permissions.allow("Microsoft.Web/sites/backup/action"), fits_it, "{pattern}");
        }
    }

    #[test]
    fn what_one_role_leaves_out_another_may_grant() {
        let contributor = grant(&["*"], &["Microsoft.Web/sites/config/*"]);
        let alone = Permissions { grants: vec![contributor.clone()] };
        assert!(
            alone.allow("Microsoft.Web/sites/read") && !alone.allow("Microsoft.Web/sites/config/list/action")
        );
        let both = Permissions { grants: vec![contributor, grant(&["*/config/list/action"], &[])] };
        assert!(both.allow("Microsoft.Web/sites/config/list/action"));
        assert!(!Permissions { grants: Vec::new() }.allow("Microsoft.Web/sites/read"));
    }

    proptest! {
        #[test]
        fn a_text_with_parts_left_out_fits_itself(text in "[a-c/]{0,12}", from in 0_usize..12, length in 0_usize..12) {
            let from = from.min(text.len());
            let to = (from + length).min(text.len());
            let pattern = format!("{}*{}", &text[..from], &text[to..]);
            prop_assert!(fits(&pattern, &text), "{pattern} {text}");
        }
    }
}
