//! The SAS and the secrets of an attempt.

use holdfast_arm::Database;
use holdfast_model::{DatabaseRef, RefreshReason};
use holdfast_storage::{Grant, Need, SecretRef};

use crate::not_ready::NotReady;
use crate::step_context::StepContext;

/// Obtains a SAS that is valid until the attempt's deadline. `reason` asks for a new one.
pub(crate) async fn grant_sas(
    context: &StepContext<'_>,
    reason: Option<RefreshReason>,
) -> Result<Grant, NotReady> {
    let (run, now) = (context.run(), context.input.now);
    let need = Need {
        now,
        until: now + run.policy_snapshot.deadline,
        replace: run.state.refused_sas().map(ToOwned::to_owned),
        reason,
        probe: run.policy_snapshot.verify,
    };
    let grant = context.env.storage.grant(&run.policy_snapshot.storage, &need).await?;
    for warning in &grant.warnings {
        tracing::warn!(storage = %run.policy_snapshot.storage, "{warning}");
    }
    Ok(grant)
}

/// Reads the connection strings of databases from where the fleet file says they are.
pub(crate) async fn read_connection_strings(
    context: &StepContext<'_>,
    refs: &[DatabaseRef],
) -> Result<Vec<Database>, NotReady> {
    let mut databases = Vec::new();
    for database in refs {
        let connection_string = match &database.connection_string {
            Some(reference) => {
                let reference: SecretRef =
                    reference.parse().map_err(|_| NotReady::Reference { database: database.name.clone() })?;
                Some(context.env.secrets.read(&reference).await.map_err(NotReady::Secret)?)
            }
            None => None,
        };
        databases.push(Database {
            kind: database.kind,
            name: database.name.clone(),
            connection_string_name: database.connection_string_name.clone(),
            connection_string,
        });
    }
    Ok(databases)
}
