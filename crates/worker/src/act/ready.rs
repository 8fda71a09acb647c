//! What has to be at hand before an attempt begins: a SAS, and the databases' connection strings.

use holdfast_arm::Database;
use holdfast_model::{DatabaseRef, RefreshReason};
use holdfast_storage::{Grant, Need, SecretRef};

use crate::Environment;
use crate::apply::{NotReady, Sight};

/// A SAS that lasts through the attempt; a new one where `reason` asks for it.
pub(crate) async fn grant(
    env: &Environment,
    sight: &Sight<'_>,
    reason: Option<RefreshReason>,
) -> Result<Grant, NotReady> {
    let need = Need {
        now: sight.now,
        until: sight.now + sight.run.policy_snapshot.deadline,
        replace: sight.run.state.refused_sas().map(ToOwned::to_owned),
        reason,
        probe: sight.run.policy_snapshot.verify,
    };
    let grant = env.storage.grant(&sight.run.policy_snapshot.storage, &need).await?;
    for warning in &grant.warnings {
        tracing::warn!(storage = %sight.run.policy_snapshot.storage, "{warning}");
    }
    Ok(grant)
}

/// The databases with their connection strings, read where the fleet file says they are.
pub(crate) async fn databases(env: &Environment, refs: &[DatabaseRef]) -> Result<Vec<Database>, NotReady> {
    let mut databases = Vec::new();
    for database in refs {
        let connection_string = match &database.connection_string {
            Some(reference) => {
                let reference: SecretRef =
                    reference.parse().map_err(|_| NotReady::Reference { database: database.name.clone() })?;
                Some(env.secrets.read(&reference).await.map_err(NotReady::Secret)?)
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
