//! Roles: what a principal may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use utoipa::ToSchema;

use crate::Permission;

/// A set of permissions. Each role has what the roles before it have.
///
/// A restore replaces what an app holds now, so that whoever may restore may also back up first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Sees everything that is no secret.
    Viewer,
    /// Backs up, retries, cancels, pauses, acknowledges, holds and drills.
    Operator,
    /// Restores.
    Restorer,
    /// Deletes, reveals a SAS, releases holds and manages tokens.
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Restorer, Self::Admin];

    /// Whether the role has the permission.
    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }

    /// The role's name in options, tokens and claims.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The greatest role among names, such as the app roles of a claim. Names of no role count for nothing.
    pub fn greatest<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<Self> {
        names.into_iter().filter_map(|name| name.parse().ok()).max()
    }
}

impl Permission {
    /// The least role that has it.
    pub fn least_role(self) -> Role {
        match self {
            Self::View => Role::Viewer,
            Self::BackUp
            | Self::Retry
            | Self::Cancel
            | Self::Pause
            | Self::Acknowledge
            | Self::Hold
            | Self::Drill => Role::Operator,
            Self::Restore => Role::Restorer,
            Self::Delete
            | Self::RevealSas
            | Self::ReleaseHold
            | Self::ChangeFleet
            | Self::SignCheckpoint
            | Self::ManageTokens => Role::Admin,
        }
    }
}

/// The text is no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of viewer, operator, restorer, admin")]
pub struct InvalidRole;

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, InvalidRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(InvalidRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_known_role_counts_and_an_unknown_name_gives_none() {
        assert_eq!(Role::greatest(["viewer", "restorer", "operator"]), Some(Role::Restorer));
        assert_eq!(Role::greatest(["Admin", "root", " admin", "viewer"]), Some(Role::Viewer));
        assert_eq!(Role::greatest(["Admin", ""]), None);
        assert_eq!(Role::greatest([]), None);
    }

    #[test]
    fn each_role_has_what_the_roles_below_it_have_and_the_docs_say_so() {
        let docs = include_str!("../../../docs/console.md");
        for permission in Permission::ALL {
            let cells = Role::ALL.map(|role| if role.may(permission) { " yes |" } else { " |" });
            let row = format!("| {permission} |{}\n", cells.concat());
            assert!(docs.contains(&row), "docs/console.md has no row {row}");
        }
        assert_eq!(Permission::ALL.iter().filter(|permission| permission.only_reads()).count(), 1);
    }
}
