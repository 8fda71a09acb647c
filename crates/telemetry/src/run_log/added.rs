//! The lines of runs that were added in their last state: missed ticks, and what operators did or found. Pure.

use std::collections::BTreeMap;

use holdfast_model::schedule::MissReason;
use holdfast_model::{AppId, Cause, NewRun, OperatorAction, RunEvent, Timestamp, format_timestamp};

use super::line::Line;

/// One line for each app and reason: an outage of a month misses hundreds of ticks of each app.
pub fn missed_lines<'a>(added: impl IntoIterator<Item = &'a NewRun>) -> Vec<Line> {
    let mut missed: BTreeMap<(&AppId, MissReason), Vec<(Timestamp, &NewRun)>> = BTreeMap::new();
    for new in added {
        if let RunEvent::Missed { tick, reason } = new.event {
            missed.entry((&new.run.app, reason)).or_default().push((tick, new));
        }
    }
    missed.into_iter().filter_map(|((app, reason), ticks)| missed_line(app, reason, &ticks)).collect()
}

fn missed_line(app: &AppId, reason: MissReason, ticks: &[(Timestamp, &NewRun)]) -> Option<Line> {
    let (latest, new) = ticks.iter().max_by_key(|(tick, _)| *tick)?;
    let (message, run) = match ticks.len() {
        1 => ("tick missed", Some(new.run.id)),
        _ => ("ticks missed", None),
    };
    Some(Line {
        is_warning: true,
        run,
        policy: new.run.policy.as_ref().map(|policy| policy.as_str().to_owned()),
        cause: Some(Cause::from(reason).as_str()),
        tick: Some(format_timestamp(*latest)),
        ticks: u64::try_from(ticks.len()).ok(),
        ..Line::of_app(app, message)
    })
}

/// The line of an action that was recorded; `None` for those that find everything in order.
pub fn recorded_line(new: &NewRun) -> Option<Line> {
    let RunEvent::ActionRecorded { action, actor } = &new.event else { return None };
    let (is_warning, message, detail) = match action {
        OperatorAction::Verified { .. } => return None,
        OperatorAction::Drift { drift, .. } if drift.is_empty() => return None,
        OperatorAction::Drift { drift, .. } => {
            (true, "Azure's own schedule differs from the policy".to_owned(), drift.join("; "))
        }
        OperatorAction::Lost { detail, .. } => (true, "backup lost".to_owned(), detail.clone()),
        other => (false, format!("{} by {actor}", other.as_str().replace('_', " ")), String::new()),
    };
    let detail = Some(detail).filter(|detail| !detail.is_empty());
    Some(Line { is_warning, detail, ..Line::of_run(&new.run, message) })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use holdfast_model::schedule::MissedTick;
    use holdfast_model::{App, BackupId, PolicySnapshot, RunId, StorageName};

    use super::*;

    fn snapshot() -> PolicySnapshot {
        PolicySnapshot::new(StorageName::new("weu"), "acct")
    }

    fn missed(app: &str, hour: u64, reason: MissReason) -> NewRun {
        let tick = Timestamp::UNIX_EPOCH + Duration::from_hours(hour);
        let id = RunId::new(tick, &mut fastrand::Rng::with_seed(hour));
        let app = App::new(AppId::new("s", "g", app, None));
        NewRun::missed(id, &app, &snapshot(), &MissedTick { tick, reason }, tick)
    }

    #[test]
    fn missed_ticks_are_one_warning_for_each_app_and_reason() {
        let mut added: Vec<NewRun> = (0..720).map(|hour| missed("shop", hour, MissReason::TooLate)).collect();
        added.push(missed("shop", 720, MissReason::Superseded));
        added.push(missed("api", 720, MissReason::Overlap));
        let lines = missed_lines(&added);
        let told: Vec<_> = lines.iter().map(|line| (line.app.as_str(), line.cause, line.ticks)).collect();
        let expected = [
            ("api", Some("overlap"), Some(1)),
            ("shop", Some("too_late"), Some(720)),
            ("shop", Some("superseded"), Some(1)),
        ];
        assert_eq!(told, expected);
        assert!(lines.iter().all(|line| line.is_warning));
        assert_eq!(lines[1].tick.as_deref(), Some("1970-01-30T23:00:00.000Z"), "the latest");
        assert!(lines[0].run.is_some() && lines[1].run.is_none());
    }

    #[test]
    fn a_lost_backup_is_a_warning_and_a_verified_one_is_no_line() {
        let at = Timestamp::UNIX_EPOCH;
        let app = App::new(AppId::new("s", "g", "shop", None));
        let record = |action| {
            let id = RunId::new(at, &mut fastrand::Rng::with_seed(1));
            recorded_line(&NewRun::operator_action(id, &app, &snapshot(), action, "ann".into(), at))
        };
        assert_eq!(record(OperatorAction::Verified { backup: BackupId(7), size_bytes: None }), None);
        let detail = "Azure does not list it".to_owned();
        let lost = record(OperatorAction::Lost { backup: BackupId(7), detail }).unwrap();
        assert_eq!((lost.message.as_str(), lost.backup, lost.is_warning), ("backup lost", Some(7), true));
        let held =
            record(OperatorAction::Held { blob: None, backup: BackupId(7), reason: "audit".into() }).unwrap();
        assert_eq!((held.message.as_str(), held.is_warning), ("held by claimed \"ann\"", false));
    }
}
