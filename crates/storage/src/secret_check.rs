//! Checks the secret of a storage without a request.

use std::time::Duration;

use holdfast_model::Timestamp;
use secrecy::SecretString;

use crate::invalid_key::InvalidKey;
use crate::mint::mint;
use crate::sas::Sas;
use crate::sas_check::{SasCheck, check_sas};
use crate::sas_parts::InvalidSas;
use crate::source::SasSource;
use crate::supply::StorageTarget;

/// The secret of a storage is neither a SAS for its container nor an account key. It is not repeated here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// It is not a SAS for the container.
    #[error("{0}")]
    Sas(InvalidSas),
    /// It is not an account key.
    #[error("{0}")]
    Key(InvalidKey),
}

impl StorageTarget {
    /// Checks the secret that the storage's source refers to, for a backup that starts at `now` and may run for
    /// `longest`. It applies the rules of [`Storage::sas_health`](crate::Storage::sas_health).
    pub fn check_secret(
        &self,
        secret: &SecretString,
        now: Timestamp,
        longest: Duration,
    ) -> Result<SasCheck, InvalidSecret> {
        match &self.source {
            SasSource::Url(_) => {
                let sas = Sas::parse_for(secret, &self.container).map_err(InvalidSecret::Sas)?;
                Ok(check_sas(&sas, now, now + longest, self.container.url().scheme() == "http"))
            }
            SasSource::AccountKey { .. } => {
                mint(secret, &self.container, "r", now, now).map_err(InvalidSecret::Key)?;
                Ok(SasCheck { faults: Vec::new(), warnings: Vec::new() })
            }
            SasSource::UserDelegation { .. } => Ok(SasCheck { faults: Vec::new(), warnings: Vec::new() }),
        }
    }
}
