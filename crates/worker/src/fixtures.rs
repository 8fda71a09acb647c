//! Fixtures of the unit tests: a run in each of its states, and answers of Azure and storage.

use std::time::Duration;

use holdfast_arm::{Backup, Error, ErrorKind, Operation, ThrottleScope};
use holdfast_model::{
    App, AppId, Attempt, BackupFacts, BackupId, BackupName, BackupStatus, Cause, NewBackup, NewRun, NewTask,
    PolicyName, PolicySnapshot, Retries, Retry, Run, RunEvent, RunId, SasFacts, SasWindow, StorageName, Task,
    Timestamp, Trigger,
};

use crate::environment::Settings;
use crate::look::{AbsentByTwoLooks, CallFailure};
use crate::next::Next;
use crate::step_input::StepInput;

pub(crate) const SETTINGS: Settings = Settings {
    post_within: Duration::from_secs(20),
    call_timeout: Duration::from_mins(1),
    settle: Duration::from_secs(90),
};

/// Every retry class has a different rule, so that a test detects the wrong one.
pub(crate) const RETRIES: Retries = Retries {
    timed_out: Retry::seconds(3, 100, 150),
    skipped: Retry::seconds(4, 1_000, 9_000),
    partial: Retry::seconds(2, 10, 10),
    transient: Retry::seconds(5, 40, 9_000),
    lost: Retry::seconds(6, 7, 9_000),
};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).unwrap()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn rng() -> fastrand::Rng {
    fastrand::Rng::with_seed(7)
}

pub(crate) fn planned() -> Run {
    let id = AppId::new("s", "g", "shop", None);
    let app = App { policy: Some(PolicyName::new("gold")), ..App::new(id) };
    let mut policy_snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    policy_snapshot.retries = RETRIES;
    policy_snapshot.deadline = seconds(3_600);
    let id = RunId::new(at(0), &mut rng());
    NewRun::backup(
        id,
        &app,
        &policy_snapshot,
        NewBackup { tick: Some(at(0)), trigger: Trigger::Schedule, due_at: at(0) },
        at(0),
    )
    .run
}

/// A planned run of another kind.
pub(crate) fn run_of(site: &str, task: Task, trigger: Trigger) -> Run {
    let id = AppId::new("s", "g", site, None);
    let app = App::new(id);
    let run = planned();
    NewRun::task(run.id, &app, &run.policy_snapshot, NewTask { task, trigger, actor: None }, at(0)).run
}

pub(crate) fn attempt(number: u32) -> Attempt {
    let run = planned();
    // The same nonce for the same number: tests compare attempts.
    let name = BackupName::of_attempt(&run.app, run.id, number, &mut fastrand::Rng::with_seed(number.into()));
    Attempt {
        number,
        name,
        begun_at: at(0),
        sas: "fingerprint".into(),
        sas_expiry: None,
        restored_before: None,
    }
}

pub(crate) fn sas() -> SasFacts {
    SasFacts { fingerprint: "fingerprint".into(), window: SasWindow { start: None, expiry: None } }
}

pub(crate) fn facts() -> BackupFacts {
    BackupFacts {
        id: BackupId(7),
        blob: "b.zip".into(),
        size_bytes: 900,
        accepted_at: at(0),
        finished_at: None,
        databases: Vec::new(),
    }
}

pub(crate) fn moved(run: Run, events: impl IntoIterator<Item = RunEvent>) -> Run {
    events.into_iter().fold(run, |run, event| run.after(&event, at(0)).unwrap())
}

pub(crate) fn starting() -> Run {
    moved(planned(), [RunEvent::AttemptStarted { attempt: attempt(1), sas: Some(sas()) }])
}

pub(crate) fn reconciling() -> Run {
    moved(starting(), [RunEvent::AnswerLost { detail: String::new() }])
}

pub(crate) fn polling() -> Run {
    moved(starting(), [RunEvent::Accepted { backup: BackupId(7), accepted_at: at(0), request_id: None }])
}

pub(crate) fn verifying() -> Run {
    moved(polling(), [RunEvent::Completed { backup: Some(facts()), detail: None }])
}

/// The first attempt ended as lost, and its backup may still turn up.
pub(crate) fn one_missing() -> Run {
    let lost = RunEvent::AttemptEnded {
        number: 1,
        status: None,
        cause: Cause::AnswerLost,
        detail: String::new(),
        backup: None,
        retry_at: None,
    };
    moved(reconciling(), [lost])
}

pub(crate) fn input(run: &Run, now: Timestamp) -> StepInput<'_> {
    StepInput {
        run,
        now,
        durations: &[],
        has_unsettled: false,
        last_good_bytes: None,
        subject: None,
        is_last: false,
        settings: &SETTINGS,
    }
}

/// A 404 that a second kind of look confirms.
pub(crate) fn absent(which: AbsentByTwoLooks) -> CallFailure {
    CallFailure { error: error(ErrorKind::NotFound), absent: Some(which) }
}

/// The run after `next`.
pub(crate) fn after(run: &Run, next: &Next) -> Run {
    let mut run = moved(run.clone(), next.events.clone());
    run.due_at = next.due_at;
    run
}

pub(crate) fn backup(status: BackupStatus) -> Backup {
    Backup {
        name: Some(attempt(1).name.to_string()),
        blob_name: Some("b.zip".into()),
        size_bytes: Some(900),
        ..Backup::new(BackupId(7), status)
    }
}

pub(crate) fn error(kind: ErrorKind) -> Error {
    Error::new(Operation::Backup, "shop", kind, "azure answered something")
}

/// ARM throttles the operation.
pub(crate) fn throttled_at(operation: Operation, retry_after: u64) -> Error {
    let kind = ErrorKind::Throttled { retry_after: Some(seconds(retry_after)), scope: ThrottleScope::Arm };
    Error::new(operation, "shop", kind, "azure answered something")
}

pub(crate) fn throttled(retry_after: Option<u64>, scope: ThrottleScope) -> Error {
    error(ErrorKind::Throttled { retry_after: retry_after.map(seconds), scope })
}

pub(crate) fn storage_error(cause: holdfast_storage::Refusal) -> holdfast_storage::Error {
    holdfast_storage::Error::ProbeContainer {
        storage: StorageName::new("weu"),
        container: "https://acct/backups".into(),
        fingerprint: "fingerprint".into(),
        cause,
    }
}

pub(crate) fn no_answer() -> holdfast_storage::Error {
    storage_error(holdfast_storage::Refusal::NoAnswer { operation: "PUT", reason: "reset".into() })
}

pub(crate) fn forbidden() -> holdfast_storage::Error {
    storage_error(holdfast_storage::Refusal::Forbidden { operation: "PUT", status: 403 })
}

/// The pause before the next step lies between four fifths of `full` seconds and `full`.
#[track_caller]
pub(crate) fn assert_pause(next: &Next, now: Timestamp, full: u64) {
    let pause = (next.due_at - now).to_std().unwrap();
    assert!(pause >= seconds(full) * 4 / 5 && pause <= seconds(full), "{pause:?} is not about {full} s");
}

/// The outcome and the cause of the run, where the events end it.
pub(crate) fn ending(next: &Next) -> Option<(holdfast_model::Outcome, Option<Cause>)> {
    match next.events.last() {
        Some(RunEvent::Ended { outcome, cause, .. }) => Some((*outcome, *cause)),
        _ => None,
    }
}
