//! Calls that several kinds of run make.

use std::future::Future;

use holdfast_arm::{Backup, Error, ErrorKind, Operation};
use holdfast_model::BackupId;

use crate::step_context::StepContext;

/// Sends a request that changes something, with the timeout of the intent. A timeout counts as a lost answer: the intent's
/// lease expires soon after, and another worker may then reconcile the attempt.
pub(crate) async fn with_timeout<T>(
    context: &StepContext<'_>,
    operation: Operation,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let timeout = context.settings().call_timeout;
    tokio::time::timeout(timeout, request).await.unwrap_or_else(|_| {
        let detail = format!("no answer within {} s", timeout.as_secs());
        Err(Error::new(operation, context.run().app.short_name(), ErrorKind::Ambiguous, &detail))
    })
}

/// Finds the backup with this id in the app's list.
pub(crate) async fn find_backup(context: &StepContext<'_>, id: BackupId) -> Result<Option<Backup>, Error> {
    let listed = context.env.arm.list_backups(&context.run().app).await?;
    Ok(listed.into_iter().find(|listed| listed.id == id))
}
