//! The daily roll-up: what ended backup runs add to the days of their apps.

use std::collections::BTreeMap;

use holdfast_model::{AppId, Outcome, Run, RunKind};

use crate::app_days::{AppDay, Day, DayCounts};
use crate::columns::Ending;

/// What the backup runs among `ended` add, by app and day. Runs that have not ended add nothing.
pub(crate) fn added<'a>(ended: impl IntoIterator<Item = &'a Run>) -> Vec<AppDay> {
    let mut days: BTreeMap<(&AppId, Day), AppDay> = BTreeMap::new();
    for run in ended {
        let Some(RunEnd { day, counts, bytes }) = RunEnd::of(run) else { continue };
        let empty =
            || AppDay { day, app: run.app.clone(), policy: None, counts: DayCounts::default(), bytes: None };
        let day = days.entry((&run.app, day)).or_insert_with(empty);
        day.counts.add(counts);
        day.bytes = bytes.or(day.bytes);
        if run.policy.is_some() {
            day.policy.clone_from(&run.policy);
        }
    }
    days.into_values().collect()
}

/// Adds the later runs of `new` to a day.
pub(crate) fn add(day: &mut AppDay, new: AppDay) {
    day.counts.add(new.counts);
    day.policy = new.policy.or(day.policy.take());
    day.bytes = new.bytes.or(day.bytes);
}

/// What one run adds.
struct RunEnd {
    day: Day,
    counts: DayCounts,
    bytes: Option<i64>,
}

impl RunEnd {
    /// The end of a backup run; `None` of any other run, and of one that has not ended.
    fn of(run: &Run) -> Option<Self> {
        if run.task.kind() != RunKind::Backup {
            return None;
        }
        let Ending { outcome, backup, .. } = Ending::of(&run.state);
        let outcome = outcome?;
        let at = if outcome == Outcome::Missed { run.tick.or(run.ended_at)? } else { run.ended_at? };
        let mut counts = DayCounts::default();
        match outcome {
            Outcome::Succeeded => counts.good = 1,
            Outcome::Partial if run.policy_snapshot.partial_is_good => counts.good = 1,
            Outcome::Partial => counts.partial = 1,
            Outcome::Failed | Outcome::Exhausted => counts.failed = 1,
            Outcome::Missed => counts.missed = 1,
            Outcome::Cancelled => return None,
        }
        Some(Self { day: at.date_naive(), counts, bytes: backup.map(|backup| backup.size_bytes) })
    }
}

#[cfg(test)]
mod tests {
    use holdfast_model::{
        App, AppId, BackupFacts, BackupId, Cause, NewBackup, NewRun, PolicySnapshot, RunId, RunState,
        StorageName, Timestamp, Trigger, parse_timestamp,
    };

    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_timestamp(text).unwrap()
    }

    fn run(outcome: Outcome, ended_at: &str, bytes: Option<i64>) -> Run {
        let app = App::new(AppId::new("s", "g", "shop", None));
        let snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
        let created = at("2026-11-28T23:59:59Z");
        let new = NewBackup { tick: Some(created), trigger: Trigger::Schedule, due_at: created };
        let id = RunId::new(created, &mut fastrand::Rng::with_seed(1));
        let mut run = NewRun::backup(id, &app, &snapshot, new, created).run;
        let backup = bytes.map(|size_bytes| BackupFacts {
            id: BackupId(1),
            blob: "b.zip".into(),
            size_bytes,
            accepted_at: created,
            finished_at: None,
            databases: Vec::new(),
        });
        let cause = (outcome != Outcome::Succeeded).then_some(Cause::AzureFailed);
        run.state = RunState::Ended { outcome, cause, backup, verification: None };
        run.ended_at = Some(at(ended_at));
        run
    }

    #[test]
    fn runs_of_one_app_and_day_are_added_up_and_the_latest_size_stays() {
        let day = "2026-11-29T10:00:00Z";
        let mut good_partial = run(Outcome::Partial, day, Some(7));
        good_partial.policy_snapshot.partial_is_good = true;
        let runs = [
            run(Outcome::Succeeded, day, Some(5)),
            run(Outcome::Partial, day, Some(6)),
            good_partial,
            run(Outcome::Failed, day, None),
            run(Outcome::Exhausted, day, None),
        ];
        let days = added(&runs);
        assert_eq!(days.len(), 1);
        assert_eq!(days[0].counts, DayCounts { good: 2, partial: 1, failed: 2, missed: 0 });
        assert_eq!((days[0].counts.runs(), days[0].bytes), (5, Some(7)));
    }

    #[test]
    fn a_run_belongs_to_the_utc_day_of_its_end_and_a_missed_one_to_that_of_its_tick() {
        let days = added(&[
            run(Outcome::Succeeded, "2026-11-29T00:00:00Z", Some(5)),
            run(Outcome::Missed, "2026-11-30T08:00:00Z", None),
        ]);
        let days: Vec<_> = days.iter().map(|day| (day.day.to_string(), day.counts.runs())).collect();
        assert_eq!(days, [("2026-11-28".to_owned(), 1), ("2026-11-29".to_owned(), 1)]);
    }

    #[test]
    fn runs_of_other_kinds_and_unfinished_runs_add_nothing() {
        let mut open = run(Outcome::Succeeded, "2026-11-29T00:00:00Z", None);
        open.state = RunState::Planned;
        let mut check = run(Outcome::Succeeded, "2026-11-29T00:00:00Z", None);
        check.task = holdfast_model::Task::OperatorAction { action: holdfast_model::OperatorAction::Paused };
        assert_eq!(added(&[open, check]), []);
    }
}
