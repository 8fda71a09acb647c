//! Requests about the audit that need the fleet's signing key.

use async_trait::async_trait;
use holdfast_model::Actor;

use super::live::LiveRequests;
use crate::Error;
use crate::audit::{CheckpointReport, Continuity, SigningKey, no_checkpoints};

/// Requests about the audit that need the fleet's signing key.
#[async_trait]
pub trait AuditRequests: Send + Sync {
    /// Signs a checkpoint of the audit, and writes it where the fleet file says. The audit records who asks.
    async fn checkpoint(
        &self,
        actor: &Actor,
        continuity: Continuity,
        rng: fastrand::Rng,
    ) -> Result<CheckpointReport, Error>;

    /// The key that signs checkpoints and exports.
    async fn signing_key(&self) -> Result<SigningKey, Error>;
}

#[async_trait]
impl AuditRequests for LiveRequests {
    async fn checkpoint(
        &self,
        actor: &Actor,
        continuity: Continuity,
        mut rng: fastrand::Rng,
    ) -> Result<CheckpointReport, Error> {
        let checkpointer = self.checkpointer.as_ref().ok_or_else(no_checkpoints)?;
        checkpointer.write_for(actor.clone(), continuity, &mut rng).await
    }

    async fn signing_key(&self) -> Result<SigningKey, Error> {
        self.checkpointer.as_ref().ok_or_else(no_checkpoints)?.signing_key().await
    }
}
