//! Azure's own schedules.

use holdfast_arm::{Error, Operation, ScheduleBody};
use holdfast_model::{Attempt, RefreshReason, Run, SasFacts, SasRefresh, SasWindow};
use holdfast_storage::Sas;

use super::in_time;
use crate::apply::Standing;
use crate::permit::Sends;
use crate::{Environment, Settings};

/// The schedule as Azure has it, and the SAS that it keeps with it. A SAS that cannot be read is as good as none.
pub(crate) async fn standing(env: &Environment, run: &Run) -> Result<Option<Standing>, Error> {
    let Some(found) = env.arm.schedule(&run.app).await? else { return Ok(None) };
    let sas = found.storage_url.and_then(|url| Sas::parse(&url).ok());
    let ours = env.storage.container(&run.policy_snapshot.storage).ok();
    let theirs = sas.as_ref().and_then(Sas::container);
    let is_elsewhere = theirs.is_some_and(|theirs| ours.is_some_and(|ours| ours != *theirs));
    Ok(Some(Standing { schedule: found.schedule, sas: sas.map(|sas| sas.facts()), is_elsewhere }))
}

/// The PUT, or the DELETE where no schedule is sent.
pub(crate) async fn set(
    env: &Environment,
    settings: &Settings,
    run: &Run,
    sends: Sends,
) -> Result<(), Error> {
    let Sends { storage_url, databases, schedule } = sends;
    let Some(schedule) = schedule else {
        let answer = env.arm.delete_schedule(&run.app);
        return in_time(settings.call_timeout, (Operation::DeleteSchedule, &run.app), answer).await;
    };
    let request = ScheduleBody { schedule, storage_url, databases };
    let answer = env.arm.put_schedule(&run.app, &request);
    in_time(settings.call_timeout, (Operation::PutSchedule, &run.app), answer).await
}

/// The row that tells of `attempt` putting its SAS in the place of `old`.
pub(crate) fn replaced(
    env: &Environment,
    run: &Run,
    attempt: &Attempt,
    old: &SasFacts,
) -> Result<SasRefresh, holdfast_storage::Error> {
    let storage = run.policy_snapshot.storage.clone();
    let container = env.storage.container(&storage)?.to_string();
    let window = SasWindow { start: None, expiry: attempt.sas_expiry };
    let new = SasFacts { fingerprint: attempt.sas.clone(), window };
    let (reason, old) = (RefreshReason::NativeSchedule, Some(old.clone()));
    Ok(SasRefresh { storage, container, reason, old, new, backup: None })
}
