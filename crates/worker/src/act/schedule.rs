//! Azure's own schedules.

use holdfast_arm::{Error, Operation, ScheduleRequest};
use holdfast_model::{NativeSchedule, Run};

use super::in_time;
use crate::permit::Sends;
use crate::{Seams, Settings};

/// Does Azure have the schedule that is wanted, or none where none is?
pub(crate) async fn is_as_wanted(
    seams: &Seams,
    run: &Run,
    wanted: Option<&NativeSchedule>,
) -> Result<bool, Error> {
    let found = seams.arm.schedule(&run.app).await?;
    Ok(match (wanted, &found) {
        (Some(wanted), Some(found)) => wanted.drift(found).is_empty(),
        (None, None) => true,
        _ => false,
    })
}

/// The PUT, or the DELETE where none is wanted.
pub(crate) async fn set(
    seams: &Seams,
    settings: &Settings,
    (run, wanted): (&Run, Option<&NativeSchedule>),
    sends: Sends,
) -> Result<(), Error> {
    let Some(schedule) = wanted.cloned() else {
        let answer = seams.arm.delete_schedule(&run.app);
        return in_time(settings.call_timeout, (Operation::DeleteSchedule, &run.app), answer).await;
    };
    let Sends { storage_url, databases } = sends;
    let request = ScheduleRequest { schedule, storage_url, databases };
    let answer = seams.arm.put_schedule(&run.app, &request);
    in_time(settings.call_timeout, (Operation::PutSchedule, &run.app), answer).await
}
