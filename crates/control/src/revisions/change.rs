//! What a person wants the fleet to be: a new text, or an earlier one again.

use holdfast_config::{Fleet, FleetText};
use holdfast_store::Store;

use super::history::propose_rollback;
use super::proposal::{Proposal, propose};
use crate::Error;

/// What the newest revision shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This text.
    Text(FleetText),
    /// The text of the revision with this number.
    Rollback(u64),
}

impl Change {
    /// Proposes it. Reads no secret, and changes nothing.
    ///
    /// `running` is the fleet that is in force while there is no revision, where that is known.
    pub async fn propose(&self, store: &dyn Store, running: Option<&Fleet>) -> Result<Proposal, Error> {
        match self {
            Self::Text(text) => propose(store, running, text.clone()).await,
            Self::Rollback(number) => propose_rollback(store, *number).await,
        }
    }
}
