//! The desired native schedule of an app, and how the current one differs from it. Pure.

use std::time::Duration;

use holdfast_model::{Attempt, NativeSchedule, SasFacts, SasWindow, Timestamp};

const ONE_DAY: Duration = Duration::from_hours(24);

/// The native schedule that a run sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DesiredSchedule<'a> {
    /// The schedule; `None` to remove it.
    pub schedule: Option<&'a NativeSchedule>,
    /// The SAS to replace, where the run is a renewal and changes nothing else.
    pub renews: Option<&'a SasFacts>,
}

/// The native schedule that an app has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CurrentSchedule {
    /// The schedule.
    pub schedule: NativeSchedule,
    /// The SAS that Azure keeps with it, where Azure returns one.
    pub sas: Option<SasFacts>,
    /// Whether it writes into another container than the run's storage.
    pub is_elsewhere: bool,
}

/// A change of an app's native schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ScheduleChange {
    /// Set this schedule.
    Set(NativeSchedule),
    /// Remove the schedule.
    Remove,
}

impl DesiredSchedule<'_> {
    /// The change that `current` needs; `None` when it is as desired.
    pub(super) fn change(&self, current: Option<&CurrentSchedule>, now: Timestamp) -> Option<ScheduleChange> {
        let Some(desired) = self.schedule else { return current.map(|_| ScheduleChange::Remove) };
        let is_renewal = self.renews.is_some();
        match current.filter(|current| desired.drift(&current.schedule).is_empty()) {
            // An operator changed or removed the schedule. A renewal does not restore it.
            None if is_renewal => None,
            None => Some(ScheduleChange::Set(desired.clone())),
            Some(current) => {
                let needs_sas = if current.is_elsewhere {
                    !is_renewal
                } else {
                    self.needs_sas(current.sas.as_ref(), now)
                };
                // The start moves forward, so that Azure continues with the next backup and starts none at once.
                needs_sas.then(|| ScheduleChange::Set(current.schedule.clone().from_now_on(now)))
            }
        }
    }

    /// Whether `kept`, the SAS that Azure keeps with the schedule, must be replaced.
    fn needs_sas(&self, kept: Option<&SasFacts>, now: Timestamp) -> bool {
        let Some(kept) = kept else { return self.renews.is_some() };
        // A renewal that changes nothing is followed by the next one a day later.
        let ahead = if self.renews.is_some() { ONE_DAY } else { Duration::ZERO } + SasWindow::RENEWED_BEFORE;
        kept.window.expiry.is_some_and(|expiry| expiry < now + ahead)
            || self.renews.is_some_and(|old| old.fingerprint == kept.fingerprint)
    }

    /// Whether `current` is what `attempt` asked for. Where Azure returns no SAS, a renewal counts as not done: repeating
    /// it is harmless.
    pub(super) fn is_met(&self, current: Option<&CurrentSchedule>, attempt: &Attempt) -> bool {
        match (self.schedule, current) {
            (None, current) => current.is_none(),
            (Some(_), None) => false,
            (Some(desired), Some(current)) => {
                let is_sent =
                    current.sas.as_ref().map_or(self.renews.is_none(), |sas| sas.fingerprint == attempt.sas);
                is_sent && !current.is_elsewhere && desired.drift(&current.schedule).is_empty()
            }
        }
    }
}
