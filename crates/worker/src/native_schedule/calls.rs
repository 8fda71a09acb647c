//! The requests of a schedule run.

use holdfast_arm::{Error, Operation, ScheduleBody};
use holdfast_model::{Attempt, RefreshReason, SasFacts, SasRefresh, SasWindow};
use holdfast_storage::Sas;

use super::desired::{CurrentSchedule, DesiredSchedule};
use crate::calls::with_timeout;
use crate::send_window::RequestPayload;
use crate::step_context::StepContext;

/// Reads the schedule and the SAS that Azure keeps with it. An unreadable SAS counts as none.
pub(super) async fn read(context: &StepContext<'_>) -> Result<Option<CurrentSchedule>, Error> {
    let (env, run) = (context.env, context.run());
    let Some(found) = env.arm.schedule(&run.app).await? else { return Ok(None) };
    let sas = found.storage_url.and_then(|url| Sas::parse(&url).ok());
    let ours = env.storage.container(&run.policy_snapshot.storage).ok();
    let theirs = sas.as_ref().and_then(Sas::container);
    let is_elsewhere = theirs.is_some_and(|theirs| ours.is_some_and(|ours| ours != *theirs));
    Ok(Some(CurrentSchedule { schedule: found.schedule, sas: sas.map(|sas| sas.facts()), is_elsewhere }))
}

/// Sends the PUT, or the DELETE where the payload has no schedule.
pub(super) async fn send(context: &StepContext<'_>, payload: RequestPayload) -> Result<(), Error> {
    let (arm, app) = (&context.env.arm, &context.run().app);
    let RequestPayload { storage_url, databases, schedule } = payload;
    let Some(schedule) = schedule else {
        return with_timeout(context, Operation::DeleteSchedule, arm.delete_schedule(app)).await;
    };
    let request = ScheduleBody { schedule, storage_url, databases };
    with_timeout(context, Operation::PutSchedule, arm.put_schedule(app, &request)).await
}

/// The audit entry for a renewal whose request succeeded; `None` where the run is no renewal. Makes no request.
pub(super) fn refresh_of(
    context: &StepContext<'_>,
    attempt: &Attempt,
    desired: DesiredSchedule<'_>,
) -> Option<SasRefresh> {
    let old = desired.renews?.clone();
    let storage = context.run().policy_snapshot.storage.clone();
    let container = context.env.storage.container(&storage).ok()?.to_string();
    let window = SasWindow { start: None, expiry: attempt.sas_expiry };
    let new = SasFacts { fingerprint: attempt.sas.clone(), window };
    let reason = RefreshReason::NativeSchedule;
    Some(SasRefresh { storage, container, reason, old: Some(old), new, backup: None })
}
