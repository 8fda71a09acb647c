//! The desired native schedule of an app, and how the current one differs from it. Pure.

use std::time::Duration;

use holdfast_model::{Attempt, NativeSchedule, SasFacts, SasWindow, Timestamp};

const ELSEWHERE: &str = "it writes into another container";
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

/// What a run does with an app's native schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ScheduleDecision {
    /// Nothing: it is as desired.
    Keep,
    /// Nothing, although its SAS expires: an operator changed or removed it. The text says how.
    LeaveUndone(String),
    /// Set this schedule.
    Set(NativeSchedule),
    /// Remove it.
    Remove,
}

impl DesiredSchedule<'_> {
    /// What `current` needs.
    pub(super) fn decision(&self, current: Option<&CurrentSchedule>, now: Timestamp) -> ScheduleDecision {
        let Some(desired) = self.schedule else {
            return current.map_or(ScheduleDecision::Keep, |_| ScheduleDecision::Remove);
        };
        let (is_renewal, drift) = (self.renews.is_some(), self.drift(desired, current));
        let Some(current) = current.filter(|_| drift.is_empty()) else {
            // A renewal does not restore what an operator changed or removed.
            let (why, set) = (drift.join(", and "), || ScheduleDecision::Set(desired.clone()));
            return if is_renewal { ScheduleDecision::LeaveUndone(why) } else { set() };
        };
        if is_renewal && current.is_elsewhere {
            return ScheduleDecision::LeaveUndone(ELSEWHERE.to_owned());
        }
        if !current.is_elsewhere && !self.needs_sas(current.sas.as_ref(), now) {
            return ScheduleDecision::Keep;
        }
        // The start moves forward, so that Azure continues with the next backup and starts none at once.
        ScheduleDecision::Set(current.schedule.clone().from_now_on(now))
    }

    /// How `current` differs from `desired`, as text. A renewal keeps the start that Azure tells, whatever it is.
    fn drift(&self, desired: &NativeSchedule, current: Option<&CurrentSchedule>) -> Vec<String> {
        let Some(current) = current else { return vec!["the app has no native schedule".to_owned()] };
        let start = if self.renews.is_some() { desired.start } else { current.schedule.start };
        desired.drift(&NativeSchedule { start, ..current.schedule.clone() })
    }

    /// How `current` differs from what `attempt` sent, as text. A 200 after a PUT is no proof.
    ///
    /// Where Azure returns no SAS, the schedule alone is compared.
    pub(super) fn differences(&self, current: Option<&CurrentSchedule>, attempt: &Attempt) -> Vec<String> {
        let Some(desired) = self.schedule else {
            return current.map(|_| "the app still has a native schedule".to_owned()).into_iter().collect();
        };
        let mut differences = self.drift(desired, current);
        let Some(current) = current else { return differences };
        if current.is_elsewhere {
            differences.push(ELSEWHERE.to_owned());
        }
        if let Some(kept) = current.sas.as_ref().filter(|kept| kept.fingerprint != attempt.sas) {
            differences.push(format!("its SAS is {} and should be {}", kept.fingerprint, attempt.sas));
        }
        differences
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
                is_sent && !current.is_elsewhere && self.drift(desired, Some(current)).is_empty()
            }
        }
    }
}
