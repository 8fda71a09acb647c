//! The result of checking a SAS and of a write with it.

use holdfast_model::{SasFacts, Timestamp};

use crate::{Container, Refusal, SasFault, SasWarning};

/// The result of checking a SAS that no backup uses yet, and of a test write with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SasHealth {
    /// The container of the SAS.
    pub container: Container,
    /// The source of the SAS, as the fleet file writes it.
    pub origin: String,
    /// The facts about it that are not secret.
    pub facts: SasFacts,
    /// The reasons why the backup cannot use it; empty when it can.
    pub faults: Vec<SasFault>,
    /// Notices for a person about a usable SAS.
    pub warnings: Vec<SasWarning>,
    /// The result of writing a test blob to the container and deleting it.
    pub probe: Result<(), Refusal>,
    /// Whether the storage account allows access by key, which such backups need; `None` when the response does not say.
    pub allows_key: Option<bool>,
    /// The storage's own time in the response, to the second.
    pub server_time: Option<Timestamp>,
}

impl SasHealth {
    /// Whether the backup can use it.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty() && self.probe.is_ok()
    }
}
