//! A SAS in the fleet file that has expired.

use std::fmt;

use holdfast_model::StorageName;
use holdfast_storage::SecretRef;

/// A storage whose SAS has expired.
///
/// This is not an error of the file: only runs that need the storage fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapsed {
    pub(crate) storage: StorageName,
    pub(crate) reference: SecretRef,
}

impl fmt::Display for Lapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storage, reference } = self;
        writeln!(
            f,
            "warning: the SAS of storage.{storage} has expired: runs that need this storage fail until it is renewed"
        )?;
        write!(f, "help: renew it in {reference}")
    }
}
