use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::schedule::{MissReason, MissedTick};
use crate::{
    Absences, App, Attempt, BackupFacts, BackupId, BackupName, BackupStatus, Fold, MissingBackup, NewBackup,
    NewRun, OperatorAction, Outcome, SasFacts, SasWindow, StateCode, StorageName, Verification,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).unwrap()
}

fn a_run() -> NewRun {
    let app = App { policy: Some(PolicyName::new("gold")), ..App::new(AppId::new("s", "g", "shop", None)) };
    let policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    let id = RunId::new(at(0), &mut fastrand::Rng::with_seed(1));
    NewRun::backup(
        id,
        &app,
        &policy_snapshot,
        NewBackup { tick: Some(at(0)), trigger: Trigger::Schedule, due_at: at(0) },
        at(0),
    )
}

fn attempt(number: u32) -> Attempt {
    Attempt {
        number,
        name: BackupName::new(format!("hf-shop-{number}")),
        begun_at: at(1),
        sas: "f".into(),
        sas_expiry: None,
        restored_before: None,
    }
}

fn facts() -> BackupFacts {
    BackupFacts {
        id: BackupId(7),
        blob: "b.zip".into(),
        size_bytes: 9,
        accepted_at: at(1),
        finished_at: None,
        databases: Vec::new(),
    }
}

fn missing() -> MissingBackup {
    MissingBackup { id: BackupId(7), blob: "b.zip".into() }
}

/// One of every event, as it would come for attempt `number`.
fn every_event(number: u32) -> Vec<RunEvent> {
    let sas = SasFacts { fingerprint: "f".into(), window: SasWindow { start: None, expiry: None } };
    let refresh = crate::SasRefresh {
        storage: StorageName::new("weu"),
        container: "https://acct/backups".into(),
        reason: crate::RefreshReason::First,
        old: None,
        new: sas.clone(),
        backup: None,
    };
    vec![
        RunEvent::Planned { tick: None, trigger: Trigger::Manual, task: Task::default(), actor: None },
        RunEvent::Missed { tick: at(0), reason: MissReason::Overlap },
        RunEvent::ActionRecorded {
            action: OperatorAction::Revealed { backup: BackupId(7) },
            actor: "ann".into(),
        },
        RunEvent::AttemptStarted { attempt: attempt(number), sas: Some(sas) },
        RunEvent::StartRefused { cause: Cause::SasUnusable, detail: String::new(), retry_at: None },
        RunEvent::Deferred { cause: Cause::Throttled, detail: String::new(), until: at(5) },
        RunEvent::Accepted { backup: BackupId(7), accepted_at: at(1), request_id: None },
        RunEvent::OperationAccepted { operation: "/o".into(), accepted_at: at(1), request_id: None },
        RunEvent::AnswerLost { detail: String::new() },
        RunEvent::Absent { looked_at: at(3) },
        RunEvent::Adopted { attempt: attempt(number), backup: BackupId(7), accepted_at: at(1) },
        RunEvent::OrphanFound { number: 1, backup: BackupId(3), name: BackupName::new("hf-x") },
        RunEvent::StatusSeen { status: BackupStatus::InProgress },
        RunEvent::Completed { backup: Some(facts()), detail: None },
        RunEvent::PartiallyCompleted { backup: facts(), log: "a file was locked".into() },
        RunEvent::CheckFailed { detail: String::new() },
        RunEvent::AttemptEnded {
            number,
            status: None,
            cause: Cause::TimedOut,
            detail: String::new(),
            backup: None,
            retry_at: None,
        },
        RunEvent::SasRefreshed { refresh },
        RunEvent::BackupsMissing { backups: vec![missing()], looked_at: at(3) },
        RunEvent::BackupLost {
            backup: BackupId(7),
            blob: "b.zip".into(),
            detail: String::new(),
            deletion: None,
        },
        RunEvent::BackupFoundAgain { backup: BackupId(7), blob: "b.zip".into() },
        RunEvent::BackupChanged {
            backup: BackupId(7),
            blob: "b.zip".into(),
            now: facts(),
            updates: Vec::new(),
            differences: vec!["azure calls it Failed".into()],
        },
        RunEvent::BackupVerified { backup: BackupId(7), blob: "b.zip".into(), size_bytes: 9 },
        RunEvent::LateBackupFound {
            backup: facts(),
            run: a_run().run.id,
            storage: StorageName::new("weu"),
            good: true,
            verified: true,
        },
        RunEvent::ScheduleCompared { found: None, drift: vec!["enabled".to_owned()] },
        RunEvent::CancelRequested { reason: "wrong app".into(), actor: "ann".into() },
        RunEvent::Ended {
            outcome: Outcome::Succeeded,
            cause: None,
            backup: Some(facts()),
            verification: Some(Verification::Verified),
        },
    ]
}

/// One of every state, at attempt 1.
fn every_state() -> Vec<RunState> {
    let attempt = attempt(1);
    vec![
        RunState::Planned,
        RunState::Starting { attempt: attempt.clone() },
        RunState::Reconciling { attempt: attempt.clone(), absent: 0, first_absent: None },
        RunState::Polling {
            attempt: attempt.clone(),
            backup: BackupId(7),
            accepted_at: at(1),
            status: BackupStatus::Created,
            absences: Absences { looks: 1, first_at: Some(at(2)) },
        },
        RunState::PollingOperation {
            attempt: attempt.clone(),
            operation: "/o".into(),
            accepted_at: at(1),
            absences: Absences::default(),
        },
        RunState::Verifying { attempt, backup: Some(facts()), checks: 0, partial_log: None },
        RunState::Comparing { missing: vec![missing()], looks: 1 },
        RunState::Waiting { cause: Cause::Throttled, next_attempt: 1, refused_sas: None },
        RunState::Ended { outcome: Outcome::Failed, cause: None, backup: None, verification: None },
    ]
}

#[test]
fn exactly_the_listed_transitions_are_legal() {
    let mut legal = Vec::new();
    for state in every_state() {
        for event in every_event(1) {
            if let Ok(next) = state.next(&event) {
                legal.push(format!("{} {} {}", state.code().as_str(), event.name(), next.code().as_str()));
            }
        }
    }
    let expected = include_str!("transitions.txt");
    assert_eq!(legal.join("\n"), expected.trim_end());
}

#[test]
fn nothing_moves_a_run_that_has_ended() {
    let ended = every_state().pop().unwrap();
    assert_eq!(ended.code(), StateCode::Ended);
    assert!(every_event(1).iter().all(|event| ended.next(event).is_err()));
}

#[test]
fn an_attempt_out_of_turn_is_refused() {
    let started = every_event(2).swap_remove(3);
    assert!(RunState::Planned.next(&started).is_err());
    assert!(
        RunState::Waiting { cause: Cause::TimedOut, next_attempt: 2, refused_sas: None }
            .next(&started)
            .is_ok()
    );
    let ended_other = every_event(3).swap_remove(15);
    assert!(RunState::Starting { attempt: attempt(2) }.next(&ended_other).is_err());
}

#[test]
fn a_sas_that_storage_refused_is_remembered_until_the_next_attempt_begins() {
    let state = RunState::Starting { attempt: attempt(1) };
    let ended = RunEvent::AttemptEnded {
        number: 1,
        status: Some(BackupStatus::Failed),
        cause: Cause::StorageRefused,
        detail: String::new(),
        backup: None,
        retry_at: None,
    };
    let waiting = state.next(&ended).unwrap();
    assert_eq!(waiting.refused_sas(), Some("f"));
    let deferred = waiting.next(&every_event(2)[5]).unwrap();
    assert_eq!(deferred.refused_sas(), Some("f"));
    assert_eq!(deferred.next(&every_event(2)[3]).unwrap().refused_sas(), None);
}

#[test]
fn only_a_partial_backup_is_kept_when_there_is_no_better_one() {
    for cause in Cause::ALL {
        let ended = RunEvent::AttemptEnded {
            number: 1,
            status: None,
            cause,
            detail: String::new(),
            backup: Some(facts()),
            retry_at: None,
        };
        let run = a_run().run.after(&every_event(1)[3], at(1)).unwrap().after(&ended, at(1)).unwrap();
        let is_partial = matches!(cause, Cause::PartiallySucceeded | Cause::DatabasesDropped);
        assert_eq!(run.failure_counts.partial_backup, is_partial.then(facts), "{cause}");
    }
}

#[test]
fn a_deferral_uses_up_no_attempt_and_is_forgotten_when_azure_accepts() {
    let mut run = a_run().run;
    for event in [&every_event(1)[3], &every_event(1)[5], &every_event(1)[3]] {
        run = run.after(event, at(1)).unwrap();
    }
    assert_eq!(
        (run.state.next_attempt(), run.failure_counts.deferred, run.failure_counts.transient),
        (1, 1, 0)
    );
    let run = run.after(&every_event(1)[6], at(1)).unwrap();
    assert_eq!(run.failure_counts.deferred, 0);
}

#[test]
fn a_state_survives_a_json_round_trip() {
    for state in every_state() {
        let json = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<RunState>(&json).unwrap(), state);
    }
    for event in every_event(1) {
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["event"], event.name());
        assert_eq!(serde_json::from_value::<RunEvent>(json).unwrap(), event);
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_events_fold_back_to_the_row(choices in proptest::collection::vec(0_usize..24, 0..60)) {
        let new = a_run();
        let (mut run, mut log) = (new.run, vec![new.event]);
        for choice in choices {
            let event = every_event(run.state.next_attempt()).swap_remove(choice);
            if let Ok(next) = run.clone().after(&event, at(2)) {
                run = next;
                log.push(event);
            }
        }
        let fold = Fold::of(&log).unwrap();
        prop_assert_eq!(&fold.state, &run.state);
        prop_assert_eq!(&fold.failure_counts, &run.failure_counts);
        prop_assert_eq!(run.ended_at.is_some(), run.state.is_ended());
        prop_assert_eq!(run.lane().is_none(), run.state.is_ended());
    }

    #[test]
    fn attempt_numbers_never_go_back_nor_skip(choices in proptest::collection::vec(0_usize..24, 0..60)) {
        let mut run = a_run().run;
        for choice in choices {
            let before = run.state.next_attempt();
            let event = every_event(before).swap_remove(choice);
            if let Ok(next) = run.clone().after(&event, at(2)) {
                if !next.state.is_ended() {
                    prop_assert!((before..=before + 1).contains(&next.state.next_attempt()));
                }
                run = next;
            }
        }
    }
}

#[test]
fn a_missed_tick_is_a_run_that_has_ended() {
    let app = App::new(AppId::new("s", "g", "shop", None));
    let policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    let missed = MissedTick { tick: at(60), reason: MissReason::TooLate };
    let new = NewRun::missed(a_run().run.id, &app, &policy_snapshot, &missed, at(90));
    assert_eq!(Fold::of([&new.event]).unwrap().state, new.run.state);
    assert_eq!((new.run.ended_at, new.run.lane()), (Some(at(90)), None));
    assert!(policy_snapshot.deadline > Duration::ZERO);
}
