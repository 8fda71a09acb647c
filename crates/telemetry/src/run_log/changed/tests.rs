use std::time::Duration;

use holdfast_model::{
    App, AppId, Attempt, BackupId, BackupName, NewBackup, NewRun, PolicyName, PolicySnapshot, RunId,
    StorageName, Trigger,
};

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn run() -> Run {
    let id = RunId::new(at(0), &mut fastrand::Rng::with_seed(1));
    let policy = Some(PolicyName::new("gold"));
    let app = App { policy, ..App::new(AppId::new("s", "g", "shop", None)) };
    let snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    let backup = NewBackup { tick: Some(at(0)), trigger: Trigger::Schedule, due_at: at(0) };
    NewRun::backup(id, &app, &snapshot, backup, at(0)).run
}

/// The run after `events`, and the lines of a change with the last `count` of them.
fn said(events: &[RunEvent], count: usize) -> Vec<Line> {
    let run = events.iter().fold(run(), |run, event| run.after(event, at(90)).unwrap());
    let events = events[events.len() - count..].to_vec();
    lines(&Change { from: 1, run, events, at: at(90) })
}

fn begun() -> RunEvent {
    let name = BackupName::new("hf-shop-1");
    let attempt = Attempt {
        number: 1,
        name,
        begun_at: at(0),
        sas: String::new(),
        sas_expiry: None,
        restored_before: None,
    };
    RunEvent::AttemptStarted { attempt, sas: None }
}

fn accepted() -> RunEvent {
    RunEvent::Accepted { backup: BackupId(7), accepted_at: at(1), request_id: None }
}

fn failed(cause: Cause, retry_at: Option<Timestamp>) -> RunEvent {
    let (status, backup, detail) = (None, None, "azure answered 403".to_owned());
    RunEvent::AttemptEnded { number: 1, status, cause, detail, backup, retry_at }
}

#[test]
fn a_backup_says_once_that_it_started_and_once_how_it_ended() {
    assert!(said(&[begun()], 1).is_empty(), "an intent is not yet a backup");
    let started = said(&[begun(), accepted()], 1);
    assert_eq!(started.len(), 1);
    assert_eq!(
        (started[0].message.as_str(), started[0].backup, started[0].attempt),
        ("backup started", Some(7), Some(1))
    );
    let facts = BackupFacts {
        id: BackupId(7),
        blob: "hf-shop-1.zip".into(),
        size_bytes: 1_024,
        accepted_at: at(1),
        finished_at: None,
        databases: Vec::new(),
    };
    let done = RunEvent::Completed { backup: Some(facts.clone()), detail: None };
    let ended = RunEvent::Ended {
        outcome: Outcome::Succeeded,
        cause: None,
        backup: Some(facts),
        verification: Some(Verification::Verified),
    };
    let ended = said(&[begun(), accepted(), done, ended], 1);
    let expected = Line {
        outcome: Some("succeeded"),
        backup: Some(7),
        size_bytes: Some(1_024),
        verification: Some("verified"),
        took_seconds: Some(90.0),
        ..Line::of_run(&run(), "backup succeeded")
    };
    assert_eq!(ended, [expected]);
}

#[test]
fn a_failed_attempt_says_why_and_when_the_next_is() {
    let said = said(&[begun(), accepted(), failed(Cause::TimedOut, Some(at(300)))], 1);
    let line = &said[0];
    assert_eq!(line.message, "backup attempt failed; trying again");
    assert_eq!((line.cause, line.detail.as_deref()), (Some("timed_out"), Some("azure answered 403")));
    assert_eq!((line.next_try.as_deref(), line.is_warning), (Some("1970-01-01T00:05:00.000Z"), false));
}

#[test]
fn the_last_error_and_the_end_are_one_warning() {
    for (outcome, message) in [
        (Outcome::Failed, "backup failed"),
        (Outcome::Exhausted, "backup failed after all attempts"),
        (Outcome::Partial, "backup is partial"),
    ] {
        let cause = Some(Cause::TooLarge);
        let ended = RunEvent::Ended { outcome, cause, backup: None, verification: None };
        let said = said(&[begun(), accepted(), failed(Cause::TooLarge, None), ended], 2);
        assert_eq!(said.len(), 1, "{outcome}");
        let Line { is_warning, message: told, cause, detail, .. } = &said[0];
        assert_eq!((*is_warning, told.as_str(), *cause), (true, message, Some("too_large")));
        assert_eq!(detail.as_deref(), Some("azure answered 403"));
    }
}

#[test]
fn a_refused_credential_is_a_warning_and_a_throttle_is_no_line() {
    let deferred = |cause| RunEvent::Deferred { cause, detail: "AADSTS7000215".into(), until: at(60) };
    let said_of = |cause| said(&[deferred(cause)], 1);
    assert!(said_of(Cause::Throttled).is_empty());
    let refused = said_of(Cause::CredentialRefused);
    assert_eq!((refused[0].message.as_str(), refused[0].is_warning), ("backup waits", true));
    assert_eq!(refused[0].next_try.as_deref(), Some("1970-01-01T00:01:00.000Z"));
}

#[test]
fn a_backup_that_a_check_finds_lost_is_a_warning_unless_holdfast_deleted_it() {
    let lost = |deletion| RunEvent::BackupLost {
        backup: BackupId(7),
        blob: "b.zip".into(),
        detail: "Azure does not list it".into(),
        deletion,
    };
    let line = |event| lines(&Change { from: 1, run: run(), events: vec![event], at: at(90) }).remove(0);
    let gone = line(lost(None));
    assert_eq!((gone.message.as_str(), gone.backup, gone.is_warning), ("backup lost", Some(7), true));
    assert_eq!(gone.detail.as_deref(), Some("Azure does not list it"));
    assert!(!line(lost(Some(run().id))).is_warning);
    let drifted = line(RunEvent::ScheduleCompared { found: None, drift: vec!["it is off".into()] });
    assert_eq!((drifted.detail.as_deref(), drifted.is_warning), (Some("it is off"), true));
}
