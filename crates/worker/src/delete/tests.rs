//! Deletions.

use holdfast_arm::{Backup, ErrorKind};
use holdfast_model::{
    Attempt, BackupFacts, BackupId, BackupStatus, CatalogEntry, Cause, Delete, DeletionRule, Origin, Outcome,
    RefreshReason, Removal, Retention, Run, RunEvent, RunState, SasFacts, SasWindow, Task, Timestamp,
    Trigger,
};

use super::preconditions::{Precondition, precondition};
use super::stand_ins::StandIns;
use super::transitions::{already_deleted, answered, polled};
use crate::fixtures::{
    after, at, attempt, backup, ending, error, facts, input, moved, planned, rng, run_of, sas,
};
use crate::next::Next;
use crate::step_input::StepInput;

const DELETE: BackupId = BackupId(7);

fn task() -> Delete {
    Delete { backup: DELETE, blob: "b.zip".into(), allow_last: false, rule: None }
}

fn deletion() -> Run {
    run_of("shop", Task::Delete(task()), Trigger::Policy)
}

fn kept_sas(fingerprint: &str, expiry: i64) -> SasFacts {
    let window = SasWindow { start: None, expiry: Some(at(expiry)) };
    SasFacts { fingerprint: fingerprint.into(), window }
}

fn entry() -> CatalogEntry {
    let run = planned();
    let storage = run.policy_snapshot.storage.clone();
    let entry = CatalogEntry::new(run.app.clone(), run.id, storage, facts(), Origin::Succeeded);
    CatalogEntry { policy: run.policy.clone(), sas: Some(kept_sas("kept", 100_000)), ..entry }
}

fn before(run: &Run, entry: Option<&CatalogEntry>, is_last: bool) -> Precondition {
    let input = StepInput { subject: entry, is_last, ..input(run, at(10)) };
    precondition(&input, &task(), &mut rng())
}

#[track_caller]
fn assert_ended(before: Precondition, end: (Outcome, Option<Cause>)) {
    let Precondition::Ended(next) = before else { panic!("{before:?}") };
    assert_eq!(ending(&next), Some(end));
}

#[test]
fn a_deletion_is_sent_when_azure_keeps_a_usable_sas() {
    let Precondition::Met(sas) = before(&deletion(), Some(&entry()), false) else { panic!() };
    assert_eq!(sas.fingerprint, "kept");
}

#[test]
fn the_kept_sas_is_replaced_first_when_it_expires_is_unknown_or_failed_before() {
    let lapsing = CatalogEntry { sas: Some(kept_sas("kept", 2_000)), ..entry() };
    let unknown = CatalogEntry { sas: None, ..entry() };
    for entry in [lapsing, unknown] {
        let before = before(&deletion(), Some(&entry), false);
        assert!(
            matches!(before, Precondition::NeedsSas(RefreshReason::BeforeDelete, old) if old == entry.sas)
        );
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
    assert!(matches!(before(&again, Some(&entry()), false), Precondition::NeedsSas(..)));
    let renewed = CatalogEntry { sas: Some(kept_sas("other", 100_000)), ..entry() };
    assert!(matches!(before(&again, Some(&renewed), false), Precondition::Met(..)));
}

#[test]
fn a_held_backup_is_kept_and_the_last_one_unless_the_deletion_allows_it() {
    let held = CatalogEntry { hold: Some("lawsuit".into()), ..entry() };
    for trigger in [Trigger::Policy, Trigger::Manual] {
        let run = run_of("shop", Task::Delete(task()), trigger);
        assert_ended(before(&run, Some(&held), false), (Outcome::Failed, Some(Cause::Protected)));
    }
    for trigger in [Trigger::Policy, Trigger::Manual] {
        let run = run_of("shop", Task::Delete(task()), trigger);
        assert_ended(before(&run, Some(&entry()), true), (Outcome::Failed, Some(Cause::Protected)));
    }
    let allowed = run_of("shop", Task::Delete(Delete { allow_last: true, ..task() }), Trigger::Manual);
    let input = StepInput { subject: Some(&entry()), is_last: true, ..input(&allowed, at(10)) };
    let Task::Delete(delete) = &allowed.task else { panic!() };
    assert!(matches!(precondition(&input, delete, &mut rng()), Precondition::Met(..)));
}

#[test]
fn an_id_that_is_another_backups_in_the_catalog_deletes_nothing() {
    let backup = BackupFacts { blob: "other.zip".into(), ..facts() };
    let another = CatalogEntry { backup, ..entry() };
    for trigger in [Trigger::Policy, Trigger::Manual] {
        let run = run_of("shop", Task::Delete(task()), trigger);
        assert_ended(before(&run, Some(&another), false), (Outcome::Failed, Some(Cause::Protected)));
    }
}

#[test]
fn a_deletion_is_done_when_azure_lists_another_backup_under_the_id() {
    let run = moved(begun(), [RunEvent::Accepted { backup: DELETE, accepted_at: at(10), request_id: None }]);
    let other = Backup {
        blob_name: Some("other.zip".into()),
        name: Some("other".into()),
        ..backup(BackupStatus::Succeeded)
    };
    let next = polled(&input(&run, at(20)), &attempt(1), &task(), Ok(Some(other)), &mut rng());
    assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
}

#[test]
fn an_unknown_backup_is_not_deleted_and_a_deleted_one_is_done() {
    assert_ended(before(&deletion(), None, false), (Outcome::Failed, Some(Cause::BackupNotFound)));
    let gone = CatalogEntry { removal: Some(Removal { at: at(1), deleted: true }), ..entry() };
    assert_ended(before(&deletion(), Some(&gone), true), (Outcome::Succeeded, None));
}

#[test]
fn a_backup_that_an_earlier_deletion_may_have_taken_away_is_deleted_and_not_lost() {
    let (run, by) = (deletion(), run_of("shop", Task::Delete(task()), Trigger::Policy).id);
    let next = already_deleted(&input(&run, at(20)), &task(), by);
    assert!(matches!(next.events[0], RunEvent::BackupLost { deletion: Some(run), .. } if run == by));
    assert_eq!(ending(&next), Some((Outcome::Succeeded, None)));
}

fn begun() -> Run {
    moved(deletion(), [RunEvent::AttemptStarted { attempt: attempt(1), sas: Some(sas()) }])
}

fn seen(run: &Run, now: Timestamp, status: Option<BackupStatus>) -> Next {
    let listed = Ok(status.map(backup));
    polled(&input(run, now), &attempt(1), &task(), listed, &mut rng())
}

#[test]
fn a_deletion_is_polled_until_the_list_no_longer_has_the_backup() {
    let answer = Some(Backup { request_id: Some("r".into()), ..backup(BackupStatus::DeleteInProgress) });
    for answer in [answer, None] {
        let next = answered(&input(&begun(), at(10)), &attempt(1), &task(), Ok(answer), &mut rng());
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
fn a_deletion_that_failed_at_azure_is_tried_again_with_another_sas() {
    let run = moved(begun(), [RunEvent::Accepted { backup: DELETE, accepted_at: at(10), request_id: None }]);
    let next = seen(&run, at(20), Some(BackupStatus::DeleteFailed));
    let run = after(&run, &next);
    assert!(matches!(run.state, RunState::Waiting { cause: Cause::DeleteFailed, next_attempt: 2, .. }));
    assert_eq!(run.state.refused_sas(), Some("fingerprint"));
}

#[test]
fn a_deletion_whose_answer_was_lost_is_done_if_the_backup_is_removed_and_repeated_otherwise() {
    for kind in [ErrorKind::Ambiguous, ErrorKind::NotFound] {
        let lost = Err(error(kind));
        let next = answered(&input(&begun(), at(10)), &attempt(1), &task(), lost, &mut rng());
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

#[test]
fn an_unverified_backup_never_alone_stands_in_for_a_verified_one() {
    let of = |id: i64, verified: bool| {
        let backup = BackupFacts { id: BackupId(id), accepted_at: at(id), ..facts() };
        CatalogEntry { backup, verified_at: verified.then(|| at(id)), ..entry() }
    };
    let (old, unverified, verified) = (of(1, true), of(2, false), of(3, true));
    let rule = DeletionRule { retention: Retention::new(0, 1), timezone: "UTC".into() };
    for rule in [None, Some(rule)] {
        let delete = Delete { rule, ..task() };
        let stand_ins = StandIns { delete: &delete, subject: &old, now: at(100) };
        assert!(!stand_ins.suffice(&[]) && !stand_ins.suffice(&[&unverified]));
        assert!(stand_ins.suffice(&[&verified]) && stand_ins.suffice(&[&unverified, &verified]));
        let newer_first: Vec<i64> =
            stand_ins.candidates(vec![&verified, &old]).iter().map(|entry| entry.backup.id.0).collect();
        assert_eq!(newer_first, [3]);
    }
}

#[test]
fn every_backup_that_makes_another_expendable_must_be_proved() {
    let of = |id: i64| {
        let backup = BackupFacts { id: BackupId(id), accepted_at: at(id), ..facts() };
        CatalogEntry { backup, ..entry() }
    };
    let (old, others) = (of(1), [of(2), of(3), of(4)]);
    let rule = DeletionRule { retention: Retention::new(0, 3), timezone: "UTC".into() };
    let delete = Delete { rule: Some(rule), ..task() };
    let stand_ins = StandIns { delete: &delete, subject: &old, now: at(100) };
    let proved: Vec<&CatalogEntry> = others.iter().collect();
    assert!(stand_ins.suffice(&proved) && !stand_ins.suffice(&proved[..2]));
}
