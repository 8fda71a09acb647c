//! Requests that a second person confirms.

use std::time::Duration;

use holdfast_model::{Actor, NewRun, OperatorAction, RunId, Task};
use holdfast_store::{Approval, ApprovalKind, ApprovalState, Asked, Decision, Maker, Verdict};

use crate::fixture::{StoreFixture, app, policy_snapshot};

on_every_store!(
    a_request_is_kept_with_its_record_and_comes_back_as_it_was_made,
    a_request_for_the_same_waits_once_until_it_is_decided_or_expires,
    a_request_is_decided_once_and_its_runs_are_added_with_the_decision,
    two_confirmations_at_once_start_the_runs_once,
    a_confirmation_whose_run_is_left_out_decides_nothing,
    an_expired_request_is_not_decided,
);

fn approval(fixture: &StoreFixture, effect: &str) -> Approval {
    Approval {
        id: fixture.id(),
        kind: ApprovalKind::Restore,
        app: app("shop").id,
        request: "{\"it's\":1}".into(),
        effect: vec![("From".into(), effect.into()), ("Into".into(), "it's \"shop\"".into())],
        reason: "lost\0 data".into(),
        asked_by: Actor { login: Some("token".into()), ..Actor::from("ann") },
        makers: vec![Maker { name: "root".into(), login: None }],
        asked_at: fixture.now(),
        expires_at: fixture.now() + Duration::from_hours(24),
        decision: None,
    }
}

fn record(fixture: &StoreFixture) -> NewRun {
    let (now, snapshot) = (fixture.now(), policy_snapshot());
    let action = OperatorAction::LoggedIn;
    NewRun::operator_action(fixture.id(), &app("shop"), &snapshot, action, "ann".into(), now)
}

/// The operator action that records a decision, and the runs that it starts.
fn with_record(fixture: &StoreFixture, runs: &[NewRun]) -> Vec<NewRun> {
    std::iter::once(record(fixture)).chain(runs.iter().cloned()).collect()
}

fn decision(verdict: Verdict, runs: &[NewRun]) -> Decision {
    let runs = runs.iter().map(|new| new.run.id).collect();
    Decision { verdict, by: "bob".into(), at: holdfast_model::Timestamp::UNIX_EPOCH, runs }
}

async fn ask(fixture: &StoreFixture, effect: &str) -> RunId {
    let new = approval(fixture, effect);
    assert_eq!(fixture.store.ask_approval(&new, &record(fixture)).await.unwrap(), Asked::New);
    new.id
}

async fn events(fixture: &StoreFixture) -> usize {
    fixture.store.audit(0, 99).await.unwrap().len()
}

async fn a_request_is_kept_with_its_record_and_comes_back_as_it_was_made(fixture: &StoreFixture) {
    let (store, new) = (&fixture.store, approval(fixture, "backup 7"));
    let before = fixture.now() - Duration::from_secs(1);
    store.ask_approval(&new, &record(fixture)).await.unwrap();
    let kept = store.approval(new.id).await.unwrap().unwrap();
    assert_eq!(Approval { reason: new.reason.clone(), ..kept.clone() }, new);
    fixture.advance(1);
    let second = ask(fixture, "backup 8").await;
    let ids = |all: Vec<Approval>| all.into_iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(store.approvals(before, 9).await.unwrap()), [second, new.id]);
    assert_eq!(ids(store.approvals(before, 1).await.unwrap()), [second]);
    assert_eq!(ids(store.approvals(kept.asked_at, 9).await.unwrap()), [second]);
    assert_eq!(store.approval(fixture.id()).await.unwrap(), None);
    assert_eq!(events(fixture).await, 2);
}

async fn a_request_for_the_same_waits_once_until_it_is_decided_or_expires(fixture: &StoreFixture) {
    let (store, first) = (&fixture.store, ask(fixture, "backup 7").await);
    let again = async || {
        let asked = store.ask_approval(&approval(fixture, "backup 7"), &record(fixture)).await;
        asked.unwrap()
    };
    assert_eq!((again().await, events(fixture).await), (Asked::Pending(first), 1));
    ask(fixture, "backup 8").await;
    let declined = decision(Verdict::Declined, &[]);
    assert!(store.decide_approval(first, &declined, &with_record(fixture, &[])).await.unwrap());
    let second = ask(fixture, "backup 7").await;
    assert_eq!(again().await, Asked::Pending(second));
    fixture.advance(24 * 3_600);
    assert_eq!(again().await, Asked::New);
}

async fn a_request_is_decided_once_and_its_runs_are_added_with_the_decision(fixture: &StoreFixture) {
    let (store, id) = (&fixture.store, ask(fixture, "backup 7").await);
    fixture.advance(5);
    let runs = [fixture.manual(&app("shop")), fixture.manual(&app("blog"))];
    let approved = decision(Verdict::Approved, &runs);
    assert!(store.decide_approval(id, &approved, &with_record(fixture, &runs)).await.unwrap());
    let kept = store.approval(id).await.unwrap().unwrap();
    assert_eq!(kept.state(fixture.now()), ApprovalState::Approved);
    assert_eq!(kept.decision, Some(Decision { at: fixture.now(), ..approved }));
    let declined = decision(Verdict::Declined, &[]);
    assert!(!store.decide_approval(id, &declined, &with_record(fixture, &[])).await.unwrap());
    assert!(!store.decide_approval(fixture.id(), &declined, &with_record(fixture, &[])).await.unwrap());
    assert_eq!(store.approval(id).await.unwrap(), Some(kept));
    assert_eq!(events(fixture).await, 4, "what was not done is not recorded");
}

async fn two_confirmations_at_once_start_the_runs_once(fixture: &StoreFixture) {
    let id = ask(fixture, "backup 7").await;
    let mut people = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (store, runs) = (fixture.store.clone(), [fixture.manual(&app("shop"))]);
        let (approved, new) = (decision(Verdict::Approved, &runs), with_record(fixture, &runs));
        people.spawn(async move { store.decide_approval(id, &approved, &new).await.unwrap() });
    }
    let decided = people.join_all().await;
    assert_eq!(decided.iter().filter(|decided| **decided).count(), 1);
    let kept = fixture.store.approval(id).await.unwrap().unwrap();
    let runs = fixture.store.runs(&holdfast_store::RunFilter::default()).await.unwrap();
    let backups: Vec<RunId> =
        runs.iter().filter(|run| run.task == Task::default()).map(|run| run.id).collect();
    assert_eq!(kept.decision.unwrap().runs, backups);
    assert_eq!(events(fixture).await, 3);
}

async fn a_confirmation_whose_run_is_left_out_decides_nothing(fixture: &StoreFixture) {
    let push = || Task::PushSchedule { schedule: None, databases: Vec::new(), renews: None };
    fixture.add_task(&app("shop"), push()).await;
    let id = ask(fixture, "backup 7").await;
    let taken = fixture.task_run(&app("shop"), push(), holdfast_model::Trigger::Manual);
    let runs = [fixture.manual(&app("blog")), taken];
    let approved = decision(Verdict::Approved, &runs);
    assert!(fixture.store.decide_approval(id, &approved, &with_record(fixture, &runs)).await.is_err());
    let kept = fixture.store.approval(id).await.unwrap().unwrap();
    assert!(kept.is_pending(fixture.now()));
    assert_eq!(events(fixture).await, 2);
}

async fn an_expired_request_is_not_decided(fixture: &StoreFixture) {
    let (store, id) = (&fixture.store, ask(fixture, "backup 7").await);
    fixture.advance(24 * 3_600);
    let kept = store.approval(id).await.unwrap().unwrap();
    assert_eq!(kept.state(fixture.now()), ApprovalState::Expired);
    let runs = [fixture.manual(&app("shop"))];
    let approved = decision(Verdict::Approved, &runs);
    assert!(!store.decide_approval(id, &approved, &with_record(fixture, &runs)).await.unwrap());
    assert_eq!(events(fixture).await, 1);
}
