//! The request of a refresh.

use holdfast_arm::Operation;
use holdfast_model::{BackupId, RefreshReason, SasFacts, SasRefresh};

use super::replacement::Replacement;
use crate::calls::with_timeout;
use crate::not_ready::NotReady;
use crate::preparation::grant_sas;
use crate::step_context::StepContext;

/// Obtains a SAS and asks Azure to keep it with the backup. The request is idempotent, so it needs no intent.
pub(super) async fn replace(
    context: &StepContext<'_>,
    backup: BackupId,
    reason: RefreshReason,
    old: Option<SasFacts>,
) -> Result<Replacement, NotReady> {
    let (env, run) = (context.env, context.run());
    let granted = grant_sas(context, Some(reason)).await?;
    let container = env.storage.container(&run.policy_snapshot.storage)?.to_string();
    let storage = run.policy_snapshot.storage.clone();
    let answer = env.arm.backup_secrets(&run.app, backup, Some(&granted.url));
    let answer = with_timeout(context, Operation::BackupSecrets, answer).await;
    let requested = SasRefresh { storage, container, reason, old, new: granted.facts, backup: Some(backup) };
    Ok(Replacement { storage_refresh: granted.refresh, requested, answer: answer.map(drop) })
}
