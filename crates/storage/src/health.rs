//! How a SAS does, for whoever asks before a backup has to find out.

use holdfast_model::{SasFacts, Timestamp};

use crate::{Container, Fault, Refusal, Warning};

/// All that could be found out about a SAS that no backup uses yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SasHealth {
    /// What it is for.
    pub container: Container,
    /// Where it comes from, as the fleet file says.
    pub origin: String,
    /// What may be written down about it.
    pub facts: SasFacts,
    /// Each makes it unusable for the backup.
    pub faults: Vec<Fault>,
    /// What a person should know although it will do.
    pub warnings: Vec<Warning>,
    /// Whether a blob could be written to the container and deleted again.
    pub probe: Result<(), Refusal>,
    /// Whether the storage account allows access by key, which such backups depend on, where the answer tells.
    pub allows_key: Option<bool>,
    /// The storage's own time when it answered, to the second.
    pub server_time: Option<Timestamp>,
}

impl SasHealth {
    /// Will it do for the backup?
    pub fn is_good(&self) -> bool {
        self.faults.is_empty() && self.probe.is_ok()
    }
}
