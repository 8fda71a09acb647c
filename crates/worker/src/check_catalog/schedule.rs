//! The record of how Azure's own schedule of an app differs from the policy's. Pure.

use holdfast_model::{NativeSchedule, RunEvent};

/// The record of the differences; `None` where there are none and the last check found none.
pub(super) fn record(
    found: Option<NativeSchedule>,
    drift: Vec<String>,
    had_drifted: bool,
) -> Option<RunEvent> {
    (had_drifted || !drift.is_empty()).then_some(RunEvent::ScheduleCompared { found, drift })
}
