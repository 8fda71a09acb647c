//! The fleet file in the audit: a change of it is recorded with its hash.

use holdfast_model::{Actor, AppId, OperatorAction, RunKind, Task};
use holdfast_store::{RunFilter, Store, sha256_hex};

use crate::{Error, operator_actions};

/// Records of no app among which the last hash is looked for.
const RECORDS: u32 = 200;

/// Records the hash of the fleet file in the audit, unless the last recorded one is the same. Returns whether it was recorded.
pub async fn record(
    store: &dyn Store,
    content: &[u8],
    actor: Actor,
    rng: &mut fastrand::Rng,
) -> Result<bool, Error> {
    let sha256 = sha256_hex(content);
    let (app, kind) = (Some(AppId::unknown()), Some(RunKind::OperatorAction));
    let records = store.runs(&RunFilter { app, kind, most: RECORDS, ..RunFilter::default() }).await?;
    let last = records.into_iter().find_map(|run| match run.task {
        Task::OperatorAction { action: OperatorAction::FleetFileChanged { sha256 } } => Some(sha256),
        _ => None,
    });
    if last.as_ref() == Some(&sha256) {
        return Ok(false);
    }
    let now = store.now().await?;
    let record = operator_actions::about_app(
        &AppId::unknown(),
        (OperatorAction::FleetFileChanged { sha256 }, actor),
        now,
        rng,
    );
    store.add_run(&record).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use holdfast_model::{ManualClock, Timestamp};
    use holdfast_store::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn each_change_of_the_file_is_recorded_once() {
        let store = MemoryStore::new(Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)));
        let mut rng = fastrand::Rng::with_seed(1);
        let mut recorded = Vec::new();
        for content in ["one", "one", "two", "one"] {
            recorded.push(record(&store, content.as_bytes(), "alice".into(), &mut rng).await.unwrap());
        }
        assert_eq!(recorded, [true, false, true, true]);
        assert_eq!(store.audit(0, 9).await.unwrap().len(), 3);
    }
}
