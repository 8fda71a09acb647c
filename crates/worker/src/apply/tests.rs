//! What the tests of `apply` share: a run in each of its states, and what Azure and storage may say.

mod answers;
mod begin;
mod check;
mod deletions;
mod endings;
mod look;
mod restores;
mod schedules;
mod whole;

use holdfast_arm::{Backup, Error, ErrorKind, Operation, ThrottleScope};
use holdfast_model::{
    App, AppId, Attempt, BackupFacts, BackupId, BackupName, BackupStatus, Cause, NewBackup, NewRun,
    PolicyName, PolicySnapshot, Retries, Retry, Run, RunEvent, RunId, SasFacts, SasWindow, StorageName,
    Trigger,
};

use super::*;

const SETTINGS: Settings = Settings {
    post_within: Duration::from_secs(20),
    call_timeout: Duration::from_mins(1),
    settle: Duration::from_secs(90),
};

/// Every kind has a rule that no other kind has, so that a mix-up shows.
const RETRIES: Retries = Retries {
    timed_out: Retry::seconds(3, 100, 150),
    skipped: Retry::seconds(4, 1_000, 9_000),
    partial: Retry::seconds(2, 10, 10),
    transient: Retry::seconds(5, 40, 9_000),
    lost: Retry::seconds(6, 7, 9_000),
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn rng() -> fastrand::Rng {
    fastrand::Rng::with_seed(7)
}

fn planned() -> Run {
    let id = AppId::new("s", "g", "shop", None);
    let app =
        App { id, policy: Some(PolicyName::new("gold")), plan: None, databases: Vec::new(), paused: false };
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

fn attempt(number: u32) -> Attempt {
    let run = planned();
    let name = BackupName::of_attempt(&run.app, run.id, number);
    Attempt {
        number,
        name,
        begun_at: at(0),
        sas: "fingerprint".into(),
        sas_expiry: None,
        restored_before: None,
    }
}

fn sas() -> SasFacts {
    SasFacts { fingerprint: "fingerprint".into(), window: SasWindow { start: None, expiry: None } }
}

fn facts() -> BackupFacts {
    BackupFacts {
        id: BackupId(7),
        blob: "b.zip".into(),
        size_bytes: 900,
        accepted_at: at(0),
        finished_at: None,
        databases: Vec::new(),
    }
}

fn moved(run: Run, events: impl IntoIterator<Item = RunEvent>) -> Run {
    events.into_iter().fold(run, |run, event| run.after(&event, at(0)).unwrap())
}

fn starting() -> Run {
    moved(planned(), [RunEvent::AttemptStarted { attempt: attempt(1), sas: Some(sas()) }])
}

fn settling() -> Run {
    moved(starting(), [RunEvent::AnswerLost { detail: String::new() }])
}

fn polling() -> Run {
    moved(starting(), [RunEvent::Accepted { backup: BackupId(7), accepted_at: at(0), request_id: None }])
}

fn verifying() -> Run {
    moved(polling(), [RunEvent::Completed { backup: Some(facts()), detail: None }])
}

/// The first attempt was given up as lost, and its backup may still turn up.
fn one_missing() -> Run {
    let lost = RunEvent::AttemptEnded {
        number: 1,
        status: None,
        cause: Cause::AnswerLost,
        detail: String::new(),
        backup: None,
        retry_at: None,
    };
    moved(settling(), [lost])
}

fn sight(run: &Run, now: Timestamp) -> Sight<'_> {
    Sight {
        run,
        now,
        typical: None,
        last_good_bytes: None,
        subject: None,
        is_last: false,
        settings: &SETTINGS,
    }
}

/// The run as `next` makes it.
fn after(run: &Run, next: &Next) -> Run {
    let mut run = moved(run.clone(), next.events.clone());
    run.due_at = next.due_at;
    run
}

fn backup(status: BackupStatus) -> Backup {
    Backup {
        id: BackupId(7),
        name: Some(attempt(1).name.to_string()),
        blob_name: Some("b.zip".into()),
        status,
        created: None,
        finished: None,
        size_bytes: Some(900),
        website_size_bytes: None,
        log: None,
        databases: Vec::new(),
        restored: None,
        scheduled: false,
        correlation_id: None,
        request_id: None,
        retry_after: None,
    }
}

fn found(number: u32) -> Found {
    let name = attempt(number).name;
    Found { number, backup: Backup { name: Some(name.to_string()), ..backup(BackupStatus::Created) }, name }
}

fn error(kind: ErrorKind) -> Error {
    Error::new(Operation::Backup, "shop", kind, "azure answered something")
}

/// The budget that pays for the operation is the one that is empty.
fn throttled_at(operation: Operation, retry_after: u64) -> Error {
    let kind = ErrorKind::Throttled { retry_after: Some(seconds(retry_after)), scope: ThrottleScope::Arm };
    Error::new(operation, "shop", kind, "azure answered something")
}

fn throttled(retry_after: Option<u64>, scope: ThrottleScope) -> Error {
    error(ErrorKind::Throttled { retry_after: retry_after.map(seconds), scope })
}

fn storage_error(cause: holdfast_storage::Refusal) -> holdfast_storage::Error {
    holdfast_storage::Error::ProbeContainer {
        storage: StorageName::new("weu"),
        container: "https://acct/backups".into(),
        fingerprint: "fingerprint".into(),
        cause,
    }
}

fn no_answer() -> holdfast_storage::Error {
    storage_error(holdfast_storage::Refusal::NoAnswer { operation: "PUT", reason: "reset".into() })
}

fn forbidden() -> holdfast_storage::Error {
    storage_error(holdfast_storage::Refusal::Forbidden { operation: "PUT", status: 403 })
}

/// The pause of a step lies between four fifths of `full` seconds and `full`.
#[track_caller]
fn assert_pause(next: &Next, now: Timestamp, full: u64) {
    let pause = (next.due_at - now).to_std().unwrap();
    assert!(pause >= seconds(full) * 4 / 5 && pause <= seconds(full), "{pause:?} is not about {full} s");
}

/// How the events end the run: the outcome and the cause.
fn ending(next: &Next) -> Option<(holdfast_model::Outcome, Option<Cause>)> {
    match next.events.last() {
        Some(RunEvent::Ended { outcome, cause, .. }) => Some((*outcome, *cause)),
        _ => None,
    }
}
