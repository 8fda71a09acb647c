//! Does the one thing that was decided, and tells what happened. No branch here decides anything about the run.

mod backup;
mod delete;
mod ready;
mod restore;
mod schedule;

pub(crate) use backup::{blobs, check, look, missing, post};
pub(crate) use delete::{delete, find, renew, stays};
pub(crate) use ready::{databases, grant};
pub(crate) use restore::{deleted_by, restore, restored, trace};
pub(crate) use schedule::{replaced, set, standing};

use std::future::Future;
use std::time::Duration;

use holdfast_arm::{Error, ErrorKind, Operation};
use holdfast_model::AppId;

/// A request's answer. One that takes longer than `timeout` counts as lost: after that the intent is no longer left
/// alone.
async fn in_time<T>(
    timeout: Duration,
    (operation, app): (Operation, &AppId),
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(timeout, request).await.unwrap_or_else(|_| {
        let what = format!("no answer within {} s", timeout.as_secs());
        Err(Error::new(operation, app.short_name(), ErrorKind::Ambiguous, &what))
    })
}
