//! Reads what the page of one run shows.

use std::collections::BTreeSet;

use holdfast_model::{RunEvent, RunId, inert_lines};
use holdfast_store::{AuditEvent, Store};

use crate::runs;
use crate::views::cause_advice::advice;
use crate::views::end_forecast::EndForecast;
use crate::views::run::{ChainPlace, RunView, TimelineItem};
use crate::views::run_sentence::{sentence, title};
use crate::{Error, ErrorKind};

/// Reads a run with its events. Asks the store with two statements. Acknowledgements are in the status of apps: the caller adds them.
pub async fn run_view(store: &dyn Store, id: RunId) -> Result<RunView, Error> {
    let Some(loaded) = store.load(id).await? else {
        let error = Error::new(ErrorKind::NotFound, format!("the store has no run {id}"));
        return Err(error.help("the list of activity has the runs of every app"));
    };
    let events = store.events(id).await?;
    let run = runs::RunView::from(&loaded.run);
    Ok(RunView {
        as_of: loaded.now,
        sentence: sentence(&run, loaded.now),
        ends: EndForecast::of(&loaded.run, &loaded.durations, loaded.now),
        advice: run.cause.map(|cause| advice(cause).to_owned()),
        person: runs::actor(&events),
        acknowledged: None,
        request_ids: request_ids(&events),
        chain: chain(id, &events),
        timeline: timeline(&events),
        trace_id: id.to_string().replace('-', ""),
        run,
    })
}

fn timeline(events: &[AuditEvent]) -> Vec<TimelineItem> {
    let mut before = None;
    let mut item = |event: &AuditEvent| {
        let since = before.replace(event.at).and_then(|before| (event.at - before).to_std().ok());
        TimelineItem {
            seq: event.link.seq,
            at: event.at,
            after_s: since.unwrap_or_default().as_secs(),
            event: event.event.name(),
            title: title(&event.event),
            detail: inert_lines(behind_title(&runs::detail(event), attempt(&event.event))).into_owned(),
            azure_says: azure_says(&event.event).map(|text| inert_lines(text).into_owned()),
            request_id: request_id(&event.event),
            attempt: attempt(&event.event),
            is_failure: is_failure(&event.event),
            hash: event.link.hash.clone(),
        }
    };
    events.iter().map(&mut item).collect()
}

/// The detail without the number of the attempt, where the title has it.
fn behind_title(detail: &str, attempt: Option<u32>) -> &str {
    let rest = attempt.and_then(|number| detail.strip_prefix(&format!("attempt {number}")));
    rest.filter(|rest| rest.starts_with([':', ' ']))
        .map_or(detail, |rest| rest.trim_start_matches([':', ' ']))
}

/// What Azure wrote: its log of a backup, or the text of its result.
fn azure_says(event: &RunEvent) -> Option<&str> {
    match event {
        RunEvent::AttemptEnded { status: Some(_), detail, .. } => Some(detail.as_str()),
        RunEvent::PartiallyCompleted { log, .. } => Some(log.as_str()),
        RunEvent::Completed { detail, .. } => detail.as_deref(),
        _ => None,
    }
    .filter(|text| !text.trim().is_empty())
}

fn request_id(event: &RunEvent) -> Option<String> {
    match event {
        RunEvent::Accepted { request_id, .. } | RunEvent::OperationAccepted { request_id, .. } => {
            request_id.as_deref().map(|id| inert_lines(id).into_owned())
        }
        _ => None,
    }
}

fn request_ids(events: &[AuditEvent]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    events.iter().filter_map(|event| request_id(&event.event)).filter(|id| seen.insert(id.clone())).collect()
}

fn attempt(event: &RunEvent) -> Option<u32> {
    match event {
        RunEvent::AttemptStarted { attempt, .. } | RunEvent::Adopted { attempt, .. } => Some(attempt.number),
        RunEvent::AttemptEnded { number, .. } | RunEvent::OrphanFound { number, .. } => Some(*number),
        _ => None,
    }
}

fn is_failure(event: &RunEvent) -> bool {
    match event {
        RunEvent::Ended { outcome, .. } => *outcome != holdfast_model::Outcome::Succeeded,
        RunEvent::Missed { .. }
        | RunEvent::StartRefused { .. }
        | RunEvent::AnswerLost { .. }
        | RunEvent::CheckFailed { .. }
        | RunEvent::AttemptEnded { .. }
        | RunEvent::BackupLost { .. } => true,
        _ => false,
    }
}

fn chain(run_id: RunId, events: &[AuditEvent]) -> Option<ChainPlace> {
    let (first, last) = (events.first()?, events.last()?);
    let (first_seq, last_seq) = (first.link.seq, last.link.seq);
    Some(ChainPlace { run_id, first_seq, last_seq, last_hash: last.link.hash.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_does_not_repeat_the_number_in_its_title() {
        assert_eq!(behind_title("attempt 1 as hf-shop, SAS none", Some(1)), "as hf-shop, SAS none");
        assert_eq!(behind_title("attempt 12: timed out", Some(12)), "timed out");
        assert_eq!(behind_title("attempt 12: timed out", Some(1)), "attempt 12: timed out");
        assert_eq!(behind_title("backup 7 of attempt 1", Some(1)), "backup 7 of attempt 1");
        assert_eq!(behind_title("for the tick 02:00", None), "for the tick 02:00");
    }
}
