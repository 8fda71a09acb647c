//! A storage whose secret is unusable.

use std::fmt;

use holdfast_model::StorageName;

/// A storage whose secret is unusable.
///
/// This is not an error of the file: only runs that need the storage fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableStorage {
    pub(crate) storage: StorageName,
    /// What is wrong, as a sentence.
    pub(crate) fault: String,
    /// What to do.
    pub(crate) help: String,
}

impl fmt::Display for UnusableStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storage, fault, help } = self;
        writeln!(
            f,
            "warning: storage.{storage} is unusable: {fault}; runs that need this storage fail until it is replaced"
        )?;
        write!(f, "help: {help}")
    }
}
