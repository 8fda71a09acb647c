//! Commits of changes to runs.

use std::time::Duration;

use holdfast_model::{Cause, Fold, Outcome, RunEvent, StateCode};
use holdfast_store::{Change, Committed};

use crate::fixture::{StoreFixture, accepted, app, attempt_ended, ended, facts, secs, started};

on_every_store!(
    a_change_is_made_against_the_version_it_was_decided_on_or_not_at_all,
    of_many_commits_on_one_version_one_wins,
    a_run_that_has_ended_is_never_changed_again,
    a_change_of_a_run_that_is_not_there_is_stale,
    what_a_run_was_made_with_stays,
    a_change_without_events_moves_the_due_time_alone,
    instants_come_back_to_the_millisecond,
    an_app_that_another_run_holds_cannot_be_begun,
    the_events_of_any_legal_walk_fold_back_to_the_row,
    the_last_good_backups_tell_what_to_expect,
);

async fn a_change_is_made_against_the_version_it_was_decided_on_or_not_at_all(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    let change = fixture.change(run.clone(), vec![started(&run, fixture.now())]);
    assert_eq!(fixture.store.commit(&change).await.unwrap(), Committed::Done(2));
    assert_eq!(fixture.store.commit(&change).await.unwrap(), Committed::Stale);
    let ahead = Change { from: 3, ..change.clone() };
    assert_eq!(fixture.store.commit(&ahead).await.unwrap(), Committed::Stale);
    let row = fixture.read(run.id).await;
    assert_eq!((row.version, &row.state), (2, &change.run.state));
    assert_eq!(fixture.store.events(run.id).await.unwrap().len(), 2);
}

async fn of_many_commits_on_one_version_one_wins(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    let mut commits = tokio::task::JoinSet::new();
    for n in 0..16 {
        let until = fixture.now() + secs(n);
        let deferred = RunEvent::Deferred { cause: Cause::Busy, detail: n.to_string(), until };
        let (store, change) = (fixture.store.clone(), fixture.change(run.clone(), vec![deferred]));
        commits.spawn(async move { store.commit(&change).await.unwrap() });
    }
    let done = commits.join_all().await.into_iter().filter(|committed| *committed == Committed::Done(2));
    assert_eq!(done.count(), 1);
    assert_eq!(fixture.store.events(run.id).await.unwrap().len(), 2);
}

async fn a_run_that_has_ended_is_never_changed_again(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    let over = fixture.commit_events(run.id, vec![ended(Outcome::Failed, None)]).await;
    assert_eq!(over.ended_at, Some(fixture.now()));
    let back = Change { from: over.version, run, events: vec![], at: fixture.now() };
    assert_eq!(fixture.store.commit(&back).await.unwrap(), Committed::Stale);
    assert_eq!(fixture.read(over.id).await, over);
}

async fn a_change_of_a_run_that_is_not_there_is_stale(fixture: &StoreFixture) {
    let run = fixture.manual(&app("shop")).run;
    let change = fixture.change(run.clone(), vec![started(&run, fixture.now())]);
    assert_eq!(fixture.store.commit(&change).await.unwrap(), Committed::Stale);
    assert_eq!(fixture.store.load(run.id).await.unwrap(), None);
    assert_eq!(fixture.store.audit(0, 9).await.unwrap(), []);
}

async fn what_a_run_was_made_with_stays(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    let mut change = fixture.change(run.clone(), vec![]);
    change.run.app = app("blog").id;
    change.run.plan = "/p/9".into();
    change.run.policy_snapshot.account = "other".into();
    change.run.due_at = fixture.now() + secs(5);
    fixture.store.commit(&change).await.unwrap();
    let row = fixture.read(run.id).await;
    assert_eq!(row, holdfast_model::Run { version: 2, due_at: fixture.now() + secs(5), ..run });
}

async fn a_change_without_events_moves_the_due_time_alone(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    let mut change = fixture.change(run.clone(), vec![]);
    change.run.due_at = fixture.now() + secs(90);
    assert_eq!(fixture.store.commit(&change).await.unwrap(), Committed::Done(2));
    assert_eq!(fixture.read(run.id).await.due_at, fixture.now() + secs(90));
    assert_eq!(fixture.store.events(run.id).await.unwrap().len(), 1);
}

async fn instants_come_back_to_the_millisecond(fixture: &StoreFixture) {
    let odd = Duration::from_nanos(1_234_567_891);
    let mut new = fixture.scheduled(&app("shop"), fixture.now() + odd);
    new.run.created_at += odd;
    fixture.store.add_run(&new).await.unwrap();
    let row = fixture.read(new.run.id).await;
    let cut = fixture.now() + Duration::from_millis(1_234);
    assert_eq!((row.tick, row.created_at, row.due_at), (Some(cut), cut, cut));
    let mut change = fixture.change(row, vec![accepted_odd(fixture)]);
    change.run.due_at += odd;
    change.at += odd;
    fixture.store.commit(&change).await.unwrap();
    let row = fixture.read(new.run.id).await;
    assert_eq!(row.due_at, cut + Duration::from_millis(1_234));
    assert_eq!(row.state, change.run.state);
    let events = fixture.store.events(row.id).await.unwrap();
    assert_eq!((events[1].at, &events[1].event), (cut, &change.events[0]));
}

/// An event with a timestamp finer than a column's resolution keeps its full precision.
fn accepted_odd(fixture: &StoreFixture) -> RunEvent {
    let until = fixture.now() + Duration::from_nanos(7);
    RunEvent::Deferred { cause: Cause::Throttled, detail: String::new(), until }
}

async fn an_app_that_another_run_holds_cannot_be_begun(fixture: &StoreFixture) {
    let (one, two) = (fixture.add_manual(&app("shop")).await, fixture.add_manual(&app("shop")).await);
    fixture.commit_events(one.id, vec![started(&one, fixture.now())]).await;
    let change = fixture.change(two.clone(), vec![started(&two, fixture.now())]);
    assert!(fixture.store.commit(&change).await.is_err());
    assert_eq!(fixture.read(two.id).await, two);
    assert_eq!(fixture.store.audit(0, 9).await.unwrap().len(), 3);
}

async fn the_events_of_any_legal_walk_fold_back_to_the_row(fixture: &StoreFixture) {
    let mut rng = fastrand::Rng::with_seed(3);
    for walk in 0..30 {
        let mut run = fixture.add_manual(&app(&format!("app{walk}"))).await;
        for _ in 0..12 {
            fixture.advance(1);
            let choices = choices(fixture, &run);
            let legal: Vec<RunEvent> =
                choices.into_iter().filter(|event| run.state.next(event).is_ok()).collect();
            if legal.is_empty() {
                break;
            }
            run = fixture.commit_events(run.id, vec![legal[rng.usize(..legal.len())].clone()]).await;
        }
        let events = fixture.store.events(run.id).await.unwrap();
        let fold = Fold::of(events.iter().map(|event| &event.event)).unwrap();
        assert_eq!((fold.state, fold.failure_counts), (run.state, run.failure_counts));
        let RunEvent::Planned { task, .. } = &events[0].event else { panic!("{events:?}") };
        assert_eq!(*task, run.task);
    }
}

/// Events of which at least one is legal in every state but `Ended`.
fn choices(fixture: &StoreFixture, run: &holdfast_model::Run) -> Vec<RunEvent> {
    let (now, number) = (fixture.now(), run.state.next_attempt());
    let backup = facts(9, now, now);
    vec![
        started(run, now),
        accepted(now),
        RunEvent::AnswerLost { detail: "reset".into() },
        RunEvent::Absent { looked_at: now },
        RunEvent::StatusSeen { status: holdfast_model::BackupStatus::InProgress },
        RunEvent::Completed { backup: Some(backup.clone()), detail: None },
        RunEvent::CheckFailed { detail: "slow".into() },
        attempt_ended(number, Cause::TimedOut),
        RunEvent::Deferred { cause: Cause::Busy, detail: String::new(), until: now },
        ended(Outcome::Succeeded, Some(backup)),
    ]
}

async fn the_last_good_backups_tell_what_to_expect(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.complete_backup(&shop, 1_000, 300).await;
    fixture.complete_backup(&shop, 2_000, 120).await;
    fixture.complete_backup(&app("blog"), 5, 5).await;
    let partial = fixture.add_manual(&shop).await;
    fixture
        .commit_events(
            partial.id,
            vec![ended(Outcome::Partial, Some(facts(3, fixture.now(), fixture.now())))],
        )
        .await;
    let run = fixture.add_manual(&shop).await;
    let loaded = fixture.store.load(run.id).await.unwrap().unwrap();
    assert_eq!((loaded.durations, loaded.last_good_bytes), (vec![secs(120), secs(300)], Some(2_000)));
    assert_eq!((loaded.now, loaded.run.state.code()), (fixture.now(), StateCode::Planned));
    let other = fixture.add_manual(&app("new")).await;
    let loaded = fixture.store.load(other.id).await.unwrap().unwrap();
    assert_eq!((loaded.durations, loaded.last_good_bytes), (vec![], None));
}
