//! Azure's own schedules: a PUT that enables one fires a backup, so none is made that is not needed.

use std::time::Duration;

use holdfast_arm::Error;
use holdfast_model::{Attempt, Cause, NativeSchedule, RunEvent, SasFacts, SasRefresh, SasWindow, Timestamp};

use super::begin::not_accepted;
use super::ending::{Failure, completed, done, failed};
use super::look::{Looked, absent, after_last_look, not_looked};
use super::{Next, Sight};

const ONE_DAY: Duration = Duration::from_hours(24);

/// What a run wants of an app's schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// What Azure is to run; `None` for nothing.
    pub schedule: Option<&'a NativeSchedule>,
    /// The SAS that Azure keeps with it, where the run is for another and nothing else.
    pub renews: Option<&'a SasFacts>,
}

/// Azure's own schedule of an app as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The schedule.
    pub schedule: NativeSchedule,
    /// The SAS that Azure keeps with it, where it tells.
    pub sas: Option<SasFacts>,
    /// Whether it writes into another container than the run's storage.
    pub is_elsewhere: bool,
}

/// What Azure is to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// To run this schedule.
    Set(NativeSchedule),
    /// To run none.
    Remove,
}

impl Wanted<'_> {
    /// What has to change in what was found; `None` when it is as wanted.
    pub fn change(&self, found: Option<&Standing>, now: Timestamp) -> Option<Change> {
        let Some(wanted) = self.schedule else { return found.map(|_| Change::Remove) };
        let is_renewal = self.renews.is_some();
        match found.filter(|found| wanted.drift(&found.schedule).is_empty()) {
            // Somebody has changed it or taken it away, and is not to find it back.
            None if is_renewal => None,
            None => Some(Change::Set(wanted.clone())),
            Some(found) => {
                let needs_another = if found.is_elsewhere {
                    !is_renewal
                } else {
                    self.needs_another(found.sas.as_ref(), now)
                };
                // With its start moved on, so that Azure goes on as it would have done.
                needs_another.then(|| Change::Set(found.schedule.clone().from_now_on(now)))
            }
        }
    }

    /// Does the schedule stand in need of another SAS than this one of Azure's?
    fn needs_another(&self, azures: Option<&SasFacts>, now: Timestamp) -> bool {
        let Some(azures) = azures else { return self.renews.is_some() };
        // A renewal that has nothing to do is followed by the next one a day later.
        let ahead = if self.renews.is_some() { ONE_DAY } else { Duration::ZERO } + SasWindow::RENEWED_BEFORE;
        azures.window.expiry.is_some_and(|expiry| expiry < now + ahead)
            || self.renews.is_some_and(|old| old.fingerprint == azures.fingerprint)
    }

    /// Is what was found what `attempt` asked for? A SAS that Azure does not tell counts as another one where the run
    /// is for that alone: asking once more does no harm then.
    pub fn is_met(&self, found: Option<&Standing>, attempt: &Attempt) -> bool {
        match (self.schedule, found) {
            (None, found) => found.is_none(),
            (Some(_), None) => false,
            (Some(wanted), Some(found)) => {
                let is_sent =
                    found.sas.as_ref().map_or(self.renews.is_none(), |sas| sas.fingerprint == attempt.sas);
                is_sent && !found.is_elsewhere && wanted.drift(&found.schedule).is_empty()
            }
        }
    }
}

/// All is as wanted before anything was asked for.
pub(crate) fn schedule_in_place(sight: &Sight<'_>) -> Next {
    done(sight, Vec::new())
}

/// The request came back, or did not. `replaced` tells of the SAS that gave way if it was done.
pub(crate) fn schedule_answered(
    sight: &Sight<'_>,
    attempt: &Attempt,
    (answer, replaced): (Result<(), Error>, Option<SasRefresh>),
    rng: &mut fastrand::Rng,
) -> Next {
    match answer {
        Ok(()) => set(sight, replaced),
        Err(error) => not_accepted(sight, attempt, &error, rng),
    }
}

/// The schedule was looked at after an answer was lost, or could not be.
pub(crate) fn schedule_looked(
    sight: &Sight<'_>,
    attempt: &Attempt,
    (is_met, replaced): (Result<bool, Error>, Option<SasRefresh>),
    rng: &mut fastrand::Rng,
) -> Next {
    match is_met {
        Ok(true) => set(sight, replaced),
        Ok(false) => match absent(sight) {
            Looked::Again(next) => next,
            Looked::Enough { looks } => {
                let detail = format!("the schedule was not set in {looks} looks");
                after_last_look(sight, failed(sight, attempt, Failure::new(Cause::AnswerLost, detail), rng))
            }
        },
        Err(error) => not_looked(sight, attempt, attempt.begun_at, &error, rng),
    }
}

fn set(sight: &Sight<'_>, replaced: Option<SasRefresh>) -> Next {
    let mut next = completed(sight);
    next.events.splice(0..0, replaced.map(|refresh| RunEvent::SasRefreshed { refresh }));
    next
}
