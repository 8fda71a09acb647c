//! Deletions, and the SAS that they need.

use holdfast_model::{
    CatalogEntry, Delete, NewTask, Origin, Outcome, RefreshReason, RefreshSas, Removal, RunState, SasRefresh,
    Task,
};

use super::super::{Before, Renewed, before_delete, delete_answered, delete_seen, is_another, renewed};
use super::*;

const DELETE: BackupId = BackupId(7);

fn task() -> Delete {
    Delete { backup: DELETE, blob: "b.zip".into(), allow_last: false }
}

fn run(task: Task, trigger: Trigger) -> Run {
    let app = App {
        id: AppId::new("s", "g", "shop", None),
        policy: None,
        plan: None,
        databases: Vec::new(),
        paused: false,
    };
    let run = planned();
    NewRun::task(run.id, &app, &run.policy_snapshot, NewTask { task, trigger, actor: None }, at(0)).run
}

fn deletion() -> Run {
    run(Task::Delete(task()), Trigger::Policy)
}

fn kept_sas(fingerprint: &str, expiry: i64) -> SasFacts {
    let window = SasWindow { start: None, expiry: Some(at(expiry)) };
    SasFacts { fingerprint: fingerprint.into(), window }
}

fn entry() -> CatalogEntry {
    let run = planned();
    CatalogEntry {
        app: run.app.clone(),
        run: run.id,
        policy: run.policy.clone(),
        storage: run.policy_snapshot.storage.clone(),
        backup: facts(),
        origin: Origin::Succeeded,
        good: true,
        sas: Some(kept_sas("kept", 100_000)),
        hold: None,
        removal: None,
        last_failure_at: None,
        verified_at: None,
        drill: None,
    }
}

fn before(run: &Run, entry: Option<&CatalogEntry>, is_last: bool) -> Before {
    let sight = Sight { subject: entry, is_last, ..sight(run, at(10)) };
    before_delete(&sight, &task(), &mut rng())
}

#[track_caller]
fn assert_over(before: Before, end: (Outcome, Option<Cause>)) {
    let Before::Over(next) = before else { panic!("{before:?}") };
    assert_eq!(ending(&next), Some(end));
}

#[test]
fn a_deletion_leaves_when_azure_keeps_a_sas_that_lasts() {
    let Before::Go(sas) = before(&deletion(), Some(&entry()), false) else { panic!() };
    assert_eq!(sas.fingerprint, "kept");
}

#[test]
fn the_kept_sas_is_renewed_first_when_it_lapses_is_unknown_or_failed_before() {
    let lapsing = CatalogEntry { sas: Some(kept_sas("kept", 2_000)), ..entry() };
    let unknown = CatalogEntry { sas: None, ..entry() };
    for entry in [lapsing, unknown] {
        let before = before(&deletion(), Some(&entry), false);
        assert!(matches!(before, Before::Renew(RefreshReason::BeforeDelete, old) if old == entry.sas));
    }
    let failed = RunEvent::AttemptEnded {
        number: 1,
        status: Some(BackupStatus::DeleteFailed),
        cause: Cause::DeleteFailed,
        detail: String::new(),
        backup: None,
        retry_at: None,
    };
    let attempt = Attempt { sas: "kept".into(), ..attempt(1) };
    let started = RunEvent::AttemptStarted { attempt, sas: None };
    let again = moved(deletion(), [started, failed]);
    assert!(matches!(before(&again, Some(&entry()), false), Before::Renew(..)));
    let renewed = CatalogEntry { sas: Some(kept_sas("other", 100_000)), ..entry() };
    assert!(matches!(before(&again, Some(&renewed), false), Before::Go(..)));
}

#[test]
fn what_is_held_stays_whoever_asks_and_the_last_one_unless_even_that_may_go() {
    let held = CatalogEntry { hold: Some("lawsuit".into()), ..entry() };
    for trigger in [Trigger::Policy, Trigger::Manual] {
        let run = run(Task::Delete(task()), trigger);
        assert_over(before(&run, Some(&held), false), (Outcome::Failed, Some(Cause::Protected)));
    }
    for trigger in [Trigger::Policy, Trigger::Manual] {
        let run = run(Task::Delete(task()), trigger);
        assert_over(before(&run, Some(&entry()), true), (Outcome::Failed, Some(Cause::Protected)));
    }
    let told = run(Task::Delete(Delete { allow_last: true, ..task() }), Trigger::Manual);
    let sight = Sight { subject: Some(&entry()), is_last: true, ..sight(&told, at(10)) };
    let Task::Delete(delete) = &told.task else { panic!() };
    assert!(matches!(before_delete(&sight, delete, &mut rng()), Before::Go(..)));
}

#[test]
fn a_number_that_is_another_backups_by_now_deletes_nothing() {
    let backup = BackupFacts { blob: "other.zip".into(), ..facts() };
    let another = CatalogEntry { backup, ..entry() };
    for trigger in [Trigger::Policy, Trigger::Manual] {
        let run = run(Task::Delete(task()), trigger);
        assert_over(before(&run, Some(&another), false), (Outcome::Failed, Some(Cause::Protected)));
    }
}

#[test]
fn a_backup_is_known_again_by_its_blob_or_its_name() {
    let listed = |blob: Option<&str>, name: Option<&str>| Backup {
        blob_name: blob.map(str::to_owned),
        name: name.map(str::to_owned),
        ..backup(BackupStatus::Succeeded)
    };
    for (blob, name) in [(Some("b.zip"), None), (Some("b"), None), (None, None), (Some("x/b.zip"), Some("b"))]
    {
        assert!(!is_another(&task().blob, &listed(blob, name)), "{blob:?} {name:?}");
    }
    assert!(is_another(&task().blob, &listed(Some("other.zip"), Some("other"))));
}

#[test]
fn a_deletion_is_done_when_the_number_is_another_backups() {
    let run = moved(begun(), [RunEvent::Accepted { backup: DELETE, accepted_at: at(10), request_id: None }]);
    let other = Backup {
        blob_name: Some("other.zip".into()),
        name: Some("other".into()),
        ..backup(BackupStatus::Succeeded)
    };
    let next = delete_seen(&sight(&run, at(20)), (&attempt(1), &task()), Ok(Some(other)), &mut rng());
    assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
}

#[test]
fn what_nobody_knows_is_not_deleted_and_what_is_deleted_is_done() {
    assert_over(before(&deletion(), None, false), (Outcome::Failed, Some(Cause::BackupNotFound)));
    let gone = CatalogEntry { removal: Some(Removal { at: at(1), deleted: true }), ..entry() };
    assert_over(before(&deletion(), Some(&gone), true), (Outcome::Succeeded, None));
}

fn begun() -> Run {
    moved(deletion(), [RunEvent::AttemptStarted { attempt: attempt(1), sas: Some(sas()) }])
}

fn seen(run: &Run, now: Timestamp, status: Option<BackupStatus>) -> Next {
    let listed = Ok(status.map(backup));
    delete_seen(&sight(run, now), (&attempt(1), &task()), listed, &mut rng())
}

#[test]
fn a_deletion_is_followed_until_the_list_no_longer_has_the_backup() {
    let told = Some(Backup { request_id: Some("r".into()), ..backup(BackupStatus::DeleteInProgress) });
    for told in [told, None] {
        let next = delete_answered(&sight(&begun(), at(10)), (&attempt(1), &task()), Ok(told), &mut rng());
        let run = after(&begun(), &next);
        let again = seen(&run, at(20), Some(BackupStatus::DeleteInProgress));
        let run = after(&run, &again);
        assert!(again.due_at > at(20) && matches!(run.state, RunState::Polling { .. }));
        for gone in [None, Some(BackupStatus::Deleted)] {
            let last = seen(&run, at(30), gone);
            assert_eq!(ending(&last), Some((Outcome::Succeeded, None)));
            assert!(matches!(last.events[0], RunEvent::Completed { backup: None, .. }));
        }
    }
}

#[test]
fn a_deletion_that_azure_could_not_do_is_tried_again_with_another_sas() {
    let run = moved(begun(), [RunEvent::Accepted { backup: DELETE, accepted_at: at(10), request_id: None }]);
    let next = seen(&run, at(20), Some(BackupStatus::DeleteFailed));
    let run = after(&run, &next);
    assert!(matches!(run.state, RunState::Waiting { cause: Cause::DeleteFailed, next_attempt: 2, .. }));
    assert_eq!(run.state.refused_sas(), Some("fingerprint"));
}

#[test]
fn a_deletion_whose_answer_was_lost_is_done_when_the_backup_is_gone_and_else_repeated() {
    for kind in [ErrorKind::Ambiguous, ErrorKind::NotFound] {
        let lost = Err(error(kind));
        let next = delete_answered(&sight(&begun(), at(10)), (&attempt(1), &task()), lost, &mut rng());
        let mut run = after(&begun(), &next);
        assert!(matches!(run.state, RunState::Reconciling { .. }));
        assert_eq!(ending(&seen(&run, at(40), None)), Some((Outcome::Succeeded, None)));
        let adopted = seen(&run, at(40), Some(BackupStatus::DeleteInProgress));
        assert!(matches!(after(&run, &adopted).state, RunState::Polling { backup: DELETE, .. }));
        let mut now = at(40);
        while matches!(run.state, RunState::Reconciling { .. }) {
            let next = seen(&run, now, Some(BackupStatus::Succeeded));
            (run, now) = (after(&run, &next), next.due_at);
        }
        assert!(matches!(run.state, RunState::Waiting { cause: Cause::AnswerLost, next_attempt: 2, .. }));
    }
}

fn kept() -> SasRefresh {
    SasRefresh {
        storage: StorageName::new("weu"),
        container: "https://acct/backups".into(),
        reason: RefreshReason::BeforeDelete,
        old: None,
        new: sas(),
        backup: Some(DELETE),
    }
}

fn renewal(run: &Run, answer: Result<(), Error>) -> Next {
    let ours = Some(SasRefresh { backup: None, ..kept() });
    renewed(&sight(run, at(10)), Renewed { ours, kept: kept(), answer }, &mut rng())
}

#[test]
fn a_renewed_sas_is_written_down_and_the_deletion_goes_on_at_once() {
    let next = renewal(&deletion(), Ok(()));
    let told: Vec<Option<BackupId>> = next
        .events
        .iter()
        .map(|event| match event {
            RunEvent::SasRefreshed { refresh } => refresh.backup,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((told, next.due_at), (vec![None, Some(DELETE)], at(10)));
    let refresh = RefreshSas { backup: DELETE, reason: RefreshReason::KeptBackup, old: None };
    let alone = renewal(&run(Task::RefreshSas(refresh), Trigger::Policy), Ok(()));
    assert_eq!(ending(&alone), Some((Outcome::Succeeded, None)));
}

#[test]
fn a_renewal_whose_answer_was_lost_is_asked_for_again_and_tells_only_of_our_own_sas() {
    let next = renewal(&deletion(), Err(error(ErrorKind::Ambiguous)));
    assert!(matches!(
        &next.events[..],
        [RunEvent::SasRefreshed { refresh }, RunEvent::Deferred { .. }] if refresh.backup.is_none()
    ));
    assert_pause(&next, at(10), 10);
    let gone = renewal(&deletion(), Err(error(ErrorKind::NotFound)));
    assert_eq!(ending(&gone), Some((Outcome::Failed, Some(Cause::BackupNotFound))));
}
