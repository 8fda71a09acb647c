//! What follows from the answer to a refresh. Pure.

use holdfast_arm::{Error, ErrorKind};
use holdfast_model::{Cause, RunEvent, Task};

use super::replacement::Replacement;
use crate::deferral::{defer, defer_unreachable};
use crate::ending::{refused, succeeded};
use crate::next::Next;
use crate::step_input::StepInput;

/// Azure was asked to keep another SAS. A refresh ends; a deletion goes on.
pub(super) fn replaced(input: &StepInput<'_>, replacement: Replacement, rng: &mut fastrand::Rng) -> Next {
    let Replacement { storage_refresh, requested, answer } = replacement;
    let mut next = match answer {
        Ok(()) => {
            let events = vec![RunEvent::SasRefreshed { refresh: requested }];
            match input.run.task {
                Task::RefreshSas(_) => succeeded(input, events),
                _ => Next::new(events, input.now),
            }
        }
        Err(error) => not_replaced(input, &error, rng),
    };
    next.events.splice(0..0, storage_refresh.map(|refresh| RunEvent::SasRefreshed { refresh }));
    next
}

fn not_replaced(input: &StepInput<'_>, error: &Error, rng: &mut fastrand::Rng) -> Next {
    let detail = error.to_string();
    match error.kind() {
        ErrorKind::Forbidden => refused(input, Cause::AppForbidden, detail, rng),
        ErrorKind::NotFound => refused(input, Cause::BackupNotFound, detail, rng),
        ErrorKind::Rejected => refused(input, Cause::Rejected, detail, rng),
        ErrorKind::CredentialRefused => refused(input, Cause::CredentialRefused, detail, rng),
        // The request is idempotent, so it is simply repeated.
        ErrorKind::Ambiguous => defer_unreachable(input, detail, rng),
        _ => defer(input, error, rng),
    }
}
