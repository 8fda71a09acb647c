//! Instructions of people about apps: pauses, acknowledgements and cancelled runs.

use holdfast_control::cancel::{CancelRequest, cancel};
use holdfast_model::schedule::PauseWindow;
use holdfast_model::{App, Cause, OperatorAction, Outcome, RunEvent, RunState};
use holdfast_store::{ActFilter, AppStatus, Committed, RunFilter};

use crate::fixture::{StoreFixture, app, attempt_ended, ended, enrolled, secs, started};

on_every_store!(
    a_paused_app_has_no_due_cursor_until_its_pause_ends_and_owes_nothing_of_it,
    a_pause_that_a_person_ends_owes_nothing_and_leaves_the_status,
    a_pause_within_a_pause_keeps_the_start_of_the_first,
    a_pause_outlives_a_sync_of_the_fleet,
    the_last_instruction_of_one_transaction_counts,
    an_acknowledgement_covers_the_runs_up_to_its_own,
    a_run_that_waits_is_cancelled_at_once_with_who_and_why,
    a_run_that_azure_was_asked_to_do_is_not_cancelled,
    a_step_that_was_decided_before_the_cancellation_is_stale,
    a_cancelled_run_is_neither_the_last_run_nor_in_the_roll_up,
    a_cancelled_run_keeps_the_partial_backup_of_an_earlier_attempt,
);

async fn status(fixture: &StoreFixture) -> AppStatus {
    fixture.store.status().await.unwrap().remove(0)
}

async fn enrol(fixture: &StoreFixture, app: &App) {
    fixture.sync(&[enrolled(app, Some(("daily", fixture.now() + secs(60))))]).await;
}

async fn pause(fixture: &StoreFixture, app: &App, seconds: u64) {
    let (until, reason) = (fixture.now() + secs(seconds), "migration".to_owned());
    fixture.add_action(app, OperatorAction::PausedUntil { until, reason }).await;
}

async fn resume(fixture: &StoreFixture, app: &App) {
    fixture.add_action(app, OperatorAction::PauseEnded { reason: "done".into() }).await;
}

async fn a_paused_app_has_no_due_cursor_until_its_pause_ends_and_owes_nothing_of_it(fixture: &StoreFixture) {
    let shop = app("shop");
    enrol(fixture, &shop).await;
    pause(fixture, &shop, 600).await;
    let ends = fixture.now() + secs(600);
    let shown = status(fixture).await.pause.unwrap();
    assert_eq!((shown.until, shown.reason.as_str(), shown.actor.as_str()), (ends, "migration", "bob"));
    fixture.advance(599);
    assert_eq!(fixture.cursors_due().await, []);
    fixture.advance(1);
    let due = fixture.cursors_due().await;
    let window = PauseWindow { since: ends - chrono::Duration::seconds(600), until: ends };
    assert_eq!((due.len(), due[0].pause), (1, Some(window)));
    assert_eq!(status(fixture).await.pause, None);
}

async fn a_pause_that_a_person_ends_owes_nothing_and_leaves_the_status(fixture: &StoreFixture) {
    let shop = app("shop");
    enrol(fixture, &shop).await;
    pause(fixture, &shop, 86_400).await;
    let since = fixture.now();
    fixture.advance(600);
    resume(fixture, &shop).await;
    assert_eq!(status(fixture).await.pause, None);
    let window = Some(PauseWindow { since, until: fixture.now() });
    assert_eq!(fixture.cursors_due().await[0].pause, window);
    // Nothing is in force: a second end changes nothing.
    fixture.advance(60);
    resume(fixture, &shop).await;
    assert_eq!(fixture.cursors_due().await[0].pause, window);
    pause(fixture, &shop, 60).await;
    assert!(status(fixture).await.is_paused() && !status(fixture).await.paused);
}

async fn a_pause_within_a_pause_keeps_the_start_of_the_first(fixture: &StoreFixture) {
    let shop = app("shop");
    enrol(fixture, &shop).await;
    let window = |since, until| PauseWindow { since, until };
    let first = fixture.now();
    pause(fixture, &shop, 600).await;
    fixture.advance(300);
    pause(fixture, &shop, 900).await;
    let shown = status(fixture).await.pause.unwrap();
    assert_eq!(shown.window(), window(first, fixture.now() + secs(900)));
    fixture.advance(100);
    resume(fixture, &shop).await;
    assert_eq!(fixture.cursors_due().await[0].pause, Some(window(first, fixture.now())));
    fixture.advance(100);
    let second = fixture.now();
    pause(fixture, &shop, 60).await;
    assert_eq!(status(fixture).await.pause.unwrap().window(), window(second, second + secs(60)));
}

async fn a_pause_outlives_a_sync_of_the_fleet(fixture: &StoreFixture) {
    let shop = app("shop");
    enrol(fixture, &shop).await;
    pause(fixture, &shop, 600).await;
    fixture.advance(100);
    // Another schedule begins another cursor.
    fixture.sync(&[enrolled(&shop, Some(("hourly", fixture.now() + secs(10))))]).await;
    fixture.advance(100);
    assert_eq!(fixture.cursors_due().await, []);
    assert!(status(fixture).await.pause.is_some());
}

async fn the_last_instruction_of_one_transaction_counts(fixture: &StoreFixture) {
    let shop = app("shop");
    enrol(fixture, &shop).await;
    let until = fixture.now() + secs(600);
    let actions = [
        OperatorAction::PausedUntil { until: until + secs(9), reason: "one".into() },
        OperatorAction::PausedUntil { until, reason: "two".into() },
    ];
    let record = |action: &OperatorAction| {
        let (snapshot, now) = (crate::fixture::policy_snapshot(), fixture.now());
        holdfast_model::NewRun::operator_action(
            fixture.id(),
            &shop,
            &snapshot,
            action.clone(),
            "bob".into(),
            now,
        )
    };
    let runs: Vec<_> = actions.iter().map(record).collect();
    fixture.store.add_runs(&runs).await.unwrap();
    assert_eq!(status(fixture).await.pause.unwrap().until, until);
}

async fn an_acknowledgement_covers_the_runs_up_to_its_own(fixture: &StoreFixture) {
    let shop = app("shop");
    enrol(fixture, &shop).await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        let run = fixture.add_manual(&shop).await;
        runs.push(fixture.commit_events(run.id, vec![ended(Outcome::Failed, None)]).await.id);
        fixture.advance(60);
    }
    let note = "a \"known\" \u{1f4be} fault".to_owned();
    fixture.add_action(&shop, OperatorAction::Acknowledged { run: runs[1], note }).await;
    let status = status(fixture).await;
    let told = status.acknowledged.as_ref().unwrap();
    assert_eq!((told.run_id, told.actor.as_str(), told.at), (runs[1], "bob", fixture.now()));
    let covered: Vec<bool> = runs.iter().map(|run| status.has_acknowledged(*run)).collect();
    assert_eq!(covered, [true, true, false]);
}

fn request(run: holdfast_model::RunId) -> CancelRequest {
    CancelRequest { run, reason: "wrong app".into(), actor: "ann".into() }
}

async fn a_run_that_waits_is_cancelled_at_once_with_who_and_why(fixture: &StoreFixture) {
    let shop = app("shop");
    let fresh = fixture.add_manual(&shop).await;
    let waiting = fixture.add_manual(&shop).await;
    fixture.commit_events(waiting.id, vec![started(&waiting, fixture.now())]).await;
    fixture.commit_events(waiting.id, vec![attempt_ended(1, Cause::TimedOut)]).await;
    for run in [fresh.id, waiting.id] {
        let cancelled = cancel(&*fixture.store, &request(run)).await.unwrap();
        assert_eq!((cancelled.app, cancelled.may_leave_backup), (shop.id.clone(), false));
        let row = fixture.read(run).await;
        let RunState::Ended { outcome, cause, .. } = row.state else { panic!("{row:?}") };
        assert_eq!((outcome, cause), (Outcome::Cancelled, Some(Cause::Cancelled)));
        assert!(cancel(&*fixture.store, &request(run)).await.is_err(), "twice");
    }
    let unfinished = RunFilter { unfinished: true, ..RunFilter::default() };
    assert_eq!(fixture.store.runs(&unfinished).await.unwrap(), []);
    let acts = fixture.store.acts(&ActFilter { before: None, most: 10 }).await.unwrap();
    let reasons: Vec<_> = acts
        .iter()
        .filter_map(|act| match &act.event {
            RunEvent::CancelRequested { reason, actor } => Some((reason.as_str(), actor.name.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [("wrong app", "ann"), ("wrong app", "ann")]);
}

async fn a_run_that_azure_was_asked_to_do_is_not_cancelled(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    let events = [started(&run, fixture.now()), crate::fixture::accepted(fixture.now())];
    for event in events {
        fixture.commit_events(run.id, vec![event]).await;
        let version = fixture.read(run.id).await.version;
        let refused = cancel(&*fixture.store, &request(run.id)).await.unwrap_err();
        assert_eq!(refused.kind(), holdfast_control::ErrorKind::Conflict);
        assert_eq!(fixture.read(run.id).await.version, version);
    }
}

async fn a_step_that_was_decided_before_the_cancellation_is_stale(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    let intent = fixture.change(fixture.read(run.id).await, vec![started(&run, fixture.now())]);
    cancel(&*fixture.store, &request(run.id)).await.unwrap();
    assert_eq!(fixture.store.commit(&intent).await.unwrap(), Committed::Stale);
}

async fn a_cancelled_run_is_neither_the_last_run_nor_in_the_roll_up(fixture: &StoreFixture) {
    let shop = app("shop");
    enrol(fixture, &shop).await;
    let failed = fixture.add_manual(&shop).await;
    fixture.commit_events(failed.id, vec![ended(Outcome::Failed, None)]).await;
    fixture.advance(60);
    let run = fixture.add_manual(&shop).await;
    cancel(&*fixture.store, &request(run.id)).await.unwrap();
    assert_eq!(status(fixture).await.last.unwrap().run_id, failed.id);
    let since = holdfast_model::Timestamp::UNIX_EPOCH.date_naive();
    let days = fixture.store.app_days(since, None).await.unwrap();
    assert_eq!(days.iter().map(|day| day.counts.runs()).collect::<Vec<_>>(), [1]);
}

async fn a_cancelled_run_keeps_the_partial_backup_of_an_earlier_attempt(fixture: &StoreFixture) {
    let run = fixture.add_manual(&app("shop")).await;
    fixture.commit_events(run.id, vec![started(&run, fixture.now())]).await;
    fixture.commit_events(run.id, vec![crate::fixture::accepted(fixture.now())]).await;
    let backup = Some(crate::fixture::facts(5, fixture.now(), fixture.now()));
    let RunEvent::AttemptEnded { number, status, cause, detail, retry_at, .. } =
        attempt_ended(1, Cause::PartiallySucceeded)
    else {
        unreachable!()
    };
    let partial = RunEvent::AttemptEnded { number, status, cause, detail, backup: backup.clone(), retry_at };
    fixture.commit_events(run.id, vec![partial]).await;
    cancel(&*fixture.store, &request(run.id)).await.unwrap();
    let RunState::Ended { outcome, backup: kept, .. } = fixture.read(run.id).await.state else { panic!() };
    assert_eq!((outcome, kept), (Outcome::Partial, backup));
}
