//! What follows when the preparation of an attempt fails.

use holdfast_arm::ErrorKind;
use holdfast_model::Cause;
use holdfast_storage::{ErrorKind as StorageErrorKind, SecretError};

use crate::deferral::{defer, defer_for, defer_refusal};
use crate::ending::refused;
use crate::look::is_app_gone;
use crate::next::Next;
use crate::step_context::StepContext;
use crate::step_input::StepInput;

/// Why no attempt could begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    /// No usable SAS could be obtained.
    #[error(transparent)]
    Storage(#[from] holdfast_storage::Error),
    /// Azure did not return what the preparation needs.
    #[error(transparent)]
    Arm(#[from] holdfast_arm::Error),
    /// Azure answered 404 to two kinds of look at the app.
    #[error(transparent)]
    AppGone(holdfast_arm::Error),
    /// The store failed.
    #[error("failed to read the app's other runs and its backups from the store")]
    Store(#[from] holdfast_store::Error),
    /// The connection string of a database could not be read.
    #[error(transparent)]
    Secret(SecretError),
    /// The connection string of a database is not given as a reference.
    #[error("the connection string of database {database} is not a reference such as `env:NAME`")]
    Reference {
        /// The database.
        database: String,
    },
}

/// Looks at the app itself where Azure answered 404, and decides what follows.
pub(crate) async fn stopped(context: &StepContext<'_>, why: NotReady, rng: &mut fastrand::Rng) -> Next {
    let why = match why {
        NotReady::Arm(error) if is_app_gone(context, &error).await => NotReady::AppGone(error),
        why => why,
    };
    not_ready(&context.input_now(), &why, rng)
}

/// Defers the run where the cause is temporary; otherwise records a refused start.
pub(crate) fn not_ready(input: &StepInput<'_>, why: &NotReady, rng: &mut fastrand::Rng) -> Next {
    let detail = why.to_string();
    match why {
        NotReady::Storage(error) => not_granted(input, (error.kind(), Cause::SasUnusable), detail, rng),
        NotReady::Secret(error) => not_granted(input, (error.kind(), Cause::DatabaseSecret), detail, rng),
        NotReady::Store(_) => defer_for(input, Cause::Unreachable, detail, rng),
        NotReady::Reference { .. } => refused(input, Cause::DatabaseSecret, detail, rng),
        NotReady::AppGone(_) => refused(input, Cause::AppNotFound, detail, rng),
        NotReady::Arm(error) => match error.kind() {
            ErrorKind::Forbidden => refused_for_now(input, Cause::AppForbidden, detail, rng),
            ErrorKind::NotFound => refused_for_now(input, Cause::AppNotFound, detail, rng),
            ErrorKind::Rejected => refused(input, Cause::Rejected, detail, rng),
            ErrorKind::CredentialRefused => refused(input, Cause::CredentialRefused, detail, rng),
            _ => defer(input, error, rng),
        },
    }
}

/// Defers the run, or refuses its start, after a failure of storage or of a secret. `unusable` is the cause of a refusal
/// that says no more.
fn not_granted(
    input: &StepInput<'_>,
    (kind, unusable): (StorageErrorKind, Cause),
    detail: String,
    rng: &mut fastrand::Rng,
) -> Next {
    match kind {
        StorageErrorKind::Unreachable => defer_for(input, Cause::Unreachable, detail, rng),
        StorageErrorKind::TooManyOpenFiles => defer_for(input, Cause::TooManyOpenFiles, detail, rng),
        StorageErrorKind::CredentialRefused => refused(input, Cause::CredentialRefused, detail, rng),
        StorageErrorKind::Unusable | StorageErrorKind::SecretMissing => refused(input, unusable, detail, rng),
    }
}

fn refused_for_now(input: &StepInput<'_>, cause: Cause, detail: String, rng: &mut fastrand::Rng) -> Next {
    defer_refusal(input, cause, detail.clone(), rng).unwrap_or_else(|| refused(input, cause, detail, rng))
}

#[cfg(test)]
mod tests;
