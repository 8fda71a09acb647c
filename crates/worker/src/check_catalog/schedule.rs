//! How Azure's own schedule of an app differs from the policy's. Pure.

use holdfast_model::{NativeSchedule, RunEvent, SasFacts, Timestamp, format_timestamp};
use holdfast_storage::Container;

/// Azure's own schedule of an app, with the SAS that Azure keeps with it.
#[derive(Debug)]
pub(super) struct ObservedSchedule {
    pub schedule: NativeSchedule,
    pub sas: Option<SasFacts>,
    pub container: Option<Container>,
}

/// Each difference of the observed schedule from the wanted one, as text.
pub(super) fn differences(
    wanted: &NativeSchedule,
    found: Option<&ObservedSchedule>,
    container: Option<&Container>,
    now: Timestamp,
) -> Vec<String> {
    let Some(ObservedSchedule { schedule, sas, container: theirs }) = found else {
        return vec!["Azure has no schedule".to_owned()];
    };
    let mut drift = wanted.drift(schedule);
    if let (Some(theirs), Some(ours)) = (theirs, container)
        && theirs != ours
    {
        drift.push(format!("it writes into {theirs} and should write into {ours}"));
    }
    if let Some(expiry) = sas.as_ref().and_then(|sas| sas.window.expiry).filter(|expiry| *expiry <= now) {
        drift.push(format!("the SAS that Azure keeps with it expired at {}", format_timestamp(expiry)));
    }
    drift
}

/// The record of the differences; `None` where there are none and the last check found none.
pub(super) fn record(
    found: Option<ObservedSchedule>,
    drift: Vec<String>,
    had_drifted: bool,
) -> Option<RunEvent> {
    let found = found.map(|found| found.schedule);
    (had_drifted || !drift.is_empty()).then_some(RunEvent::ScheduleCompared { found, drift })
}
