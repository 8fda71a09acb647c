//! A request that was refused, for the audit.

use holdfast_access::Permission;

use crate::failure::Failure;

/// A refusal: the failure that the client gets, and the permission that was missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What the client gets.
    pub failure: Failure,
    /// The permission that the principal does not have; `None` where the client has no principal.
    pub permission: Option<Permission>,
}

impl Refused {
    /// A refusal for want of a permission.
    pub fn of(permission: Permission, failure: Failure) -> Self {
        Self { failure, permission: Some(permission) }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, permission: None }
    }
}
