//! Revisions of the fleet, the processes that take them up, and what their consoles do in the background.

use std::time::Duration;

use holdfast_model::{Actor, NewRun, OperatorAction};
use holdfast_store::{OperationRecord, ProcessStatus, Revision, RevisionHead};

use crate::fixture::{StoreFixture, app, policy_snapshot};

on_every_store!(
    revisions_are_numbered_without_a_gap_and_come_back_as_they_were_made,
    a_revision_that_does_not_follow_the_newest_one_is_not_appended_and_not_recorded,
    of_two_revisions_at_once_one_wins,
    a_process_is_known_while_it_writes_and_forgotten_when_it_stops,
    an_operation_of_a_console_keeps_its_result_and_is_forgotten_after_a_time,
);

fn revision(number: u64, text: &str) -> Revision {
    let head = RevisionHead {
        number,
        sha256: format!("{number:064}"),
        at: holdfast_model::Timestamp::UNIX_EPOCH,
        by: Actor { through: Some("api".into()), ..Actor::from("ann") },
        reason: "it's time".into(),
        rolled_back_to: (number > 2).then_some(1),
    };
    Revision { head, text: text.to_owned() }
}

fn record(fixture: &StoreFixture, revision: &Revision) -> NewRun {
    let RevisionHead { number, sha256, reason, rolled_back_to, .. } = revision.head.clone();
    let action = OperatorAction::RevisionApplied { number, sha256, reason, rolled_back_to };
    let (now, snapshot) = (fixture.now(), policy_snapshot());
    NewRun::operator_action(fixture.id(), &app("shop"), &snapshot, action, "ann".into(), now)
}

async fn append(fixture: &StoreFixture, revision: &Revision) -> bool {
    fixture.store.append_revision(revision, &record(fixture, revision)).await.unwrap()
}

async fn events(fixture: &StoreFixture) -> usize {
    fixture.store.audit(0, 99).await.unwrap().len()
}

async fn revisions_are_numbered_without_a_gap_and_come_back_as_they_were_made(fixture: &StoreFixture) {
    let store = &fixture.store;
    assert_eq!((store.newest_revision().await.unwrap(), store.revision(1).await.unwrap()), (0, None));
    let mut heads = Vec::new();
    for (number, text) in [(1, "[azure]\n# \u{fc}"), (2, "it's"), (3, "[azure]\n# \u{fc}")] {
        let new = revision(number, text);
        assert!(append(fixture, &new).await);
        let kept = store.revision(number).await.unwrap().unwrap();
        assert_eq!((kept.head.at, kept.text.as_str()), (fixture.now(), text));
        assert_eq!(kept.head, RevisionHead { at: fixture.now(), ..new.head });
        heads.insert(0, kept.head);
        fixture.advance(60);
    }
    assert_eq!(store.newest_revision().await.unwrap(), 3);
    assert_eq!(store.revisions(9).await.unwrap(), heads);
    assert_eq!(store.revisions(1).await.unwrap(), heads[..1]);
    assert_eq!(events(fixture).await, 3);
}

async fn a_revision_that_does_not_follow_the_newest_one_is_not_appended_and_not_recorded(
    fixture: &StoreFixture,
) {
    for (number, follows) in [(2, false), (0, false), (1, true), (1, false), (3, false), (2, true)] {
        assert_eq!(append(fixture, &revision(number, "text")).await, follows, "{number}");
    }
    assert_eq!((fixture.store.newest_revision().await.unwrap(), events(fixture).await), (2, 2));
}

async fn of_two_revisions_at_once_one_wins(fixture: &StoreFixture) {
    let mut people = tokio::task::JoinSet::new();
    for person in 0..6 {
        let (store, new) = (fixture.store.clone(), revision(1, &format!("of person {person}")));
        let record = record(fixture, &new);
        people.spawn(async move { store.append_revision(&new, &record).await.unwrap() });
    }
    let appended = people.join_all().await;
    assert_eq!(appended.iter().filter(|appended| **appended).count(), 1);
    assert_eq!((fixture.store.newest_revision().await.unwrap(), events(fixture).await), (1, 1));
}

async fn a_process_is_known_while_it_writes_and_forgotten_when_it_stops(fixture: &StoreFixture) {
    let store = &fixture.store;
    let process = |role: &str| ProcessStatus {
        id: fixture.id(),
        role: role.to_owned(),
        host: Some("web-1".into()),
        started_at: fixture.now(),
        seen_at: holdfast_model::Timestamp::UNIX_EPOCH,
        revision: None,
        revision_error: None,
        file_note: None,
        notifier_error: None,
    };
    let (worker, scheduler) = (process("worker"), process("scheduler"));
    store.record_process(&worker).await.unwrap();
    assert_eq!(
        store.processes().await.unwrap(),
        [ProcessStatus { seen_at: fixture.now(), ..worker.clone() }]
    );
    fixture.advance(ProcessStatus::KEPT.as_secs());
    assert_eq!(store.processes().await.unwrap(), []);
    let behind = ProcessStatus {
        revision: Some(1),
        revision_error: Some("no secret".into()),
        file_note: Some("differs".into()),
        notifier_error: Some("newer".into()),
        ..worker
    };
    store.record_process(&scheduler).await.unwrap();
    store.record_process(&behind).await.unwrap();
    let known = store.processes().await.unwrap();
    let mut ids = [behind.id, scheduler.id];
    ids.sort();
    assert_eq!(known.iter().map(|process| process.id).collect::<Vec<_>>(), ids);
    let kept = known.into_iter().find(|process| process.id == behind.id).unwrap();
    assert_eq!(
        ProcessStatus { started_at: behind.started_at, ..kept },
        ProcessStatus { seen_at: fixture.now(), ..behind.clone() }
    );
    store.forget_process(behind.id).await.unwrap();
    store.forget_process(behind.id).await.unwrap();
    assert_eq!(store.processes().await.unwrap().len(), 1);
    fixture.advance(Duration::from_hours(1).as_secs());
    assert_eq!(store.processes().await.unwrap(), []);
}

async fn an_operation_of_a_console_keeps_its_result_and_is_forgotten_after_a_time(fixture: &StoreFixture) {
    let store = &fixture.store;
    assert_eq!(store.operation("7f").await.unwrap(), None);
    let begun = OperationRecord {
        id: "7f".into(),
        owner: "token:ann".into(),
        what: "it's a plan".into(),
        begun_at: fixture.now(),
        seen_at: holdfast_model::Timestamp::UNIX_EPOCH,
        progress: 0,
        result: None,
    };
    store.record_operation(&begun).await.unwrap();
    fixture.advance(60);
    let ended = OperationRecord { progress: 7, result: Some("{}".into()), ..begun.clone() };
    store.record_operation(&ended).await.unwrap();
    let kept = OperationRecord { seen_at: fixture.now(), ..ended };
    for late in [begun.clone(), OperationRecord { result: Some("[]".into()), ..begun.clone() }] {
        store.record_operation(&late).await.unwrap();
        assert_eq!(store.operation("7f").await.unwrap().unwrap(), kept);
    }
    fixture.advance(OperationRecord::KEPT.as_secs());
    assert_eq!(store.operation("7f").await.unwrap(), None);
    store.record_operation(&begun).await.unwrap();
    assert_eq!(store.operation("7f").await.unwrap().unwrap().result, None, "the old row is gone");
}
