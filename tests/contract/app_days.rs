//! The daily roll-up of backup runs.

use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{App, NewRun, Outcome, Run, RunEvent, Timestamp};
use holdfast_store::{Change, Committed, CursorAdvance, DayCounts};

use crate::fixture::{StoreFixture, accepted, app, ended, enrolled, facts, policy_snapshot, secs, started};

on_every_store!(
    the_ends_of_one_day_add_up_in_one_row_for_each_app,
    ends_of_one_commit_add_up_and_a_stale_change_adds_nothing,
    a_missed_tick_counts_for_its_own_day_and_only_when_its_advance_applies,
    days_are_read_from_a_day_on_and_for_one_app_by_app_and_day,
    runs_that_are_no_backups_and_steps_that_end_nothing_leave_no_row,
);

const DAY: u64 = 24 * 3_600;

/// The rows as texts: app, day, counts of good, partial, failed and missed runs, and size.
async fn days(fixture: &StoreFixture) -> Vec<String> {
    let days = fixture.store.app_days(Timestamp::UNIX_EPOCH.date_naive(), None).await.unwrap();
    let text = |day: holdfast_store::AppDay| {
        assert_eq!(day.policy.unwrap().as_str(), "gold");
        let DayCounts { good, partial, failed, missed } = day.counts;
        let bytes = day.bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        format!("{} {} {good} {partial} {failed} {missed} {bytes}", day.app.site(), day.day)
    };
    days.into_iter().map(text).collect()
}

async fn ends(fixture: &StoreFixture, app: &App, outcome: Outcome) {
    let run = fixture.add_manual(app).await;
    fixture.commit_events(run.id, vec![ended(outcome, None)]).await;
}

async fn the_ends_of_one_day_add_up_in_one_row_for_each_app(fixture: &StoreFixture) {
    let (shop, blog) = (app("shop"), app("blog"));
    fixture.complete_backup(&shop, 5, 30).await;
    fixture.complete_backup(&shop, 8, 30).await;
    ends(fixture, &shop, Outcome::Failed).await;
    ends(fixture, &shop, Outcome::Exhausted).await;
    ends(fixture, &shop, Outcome::Partial).await;
    ends(fixture, &blog, Outcome::Failed).await;
    fixture.advance(DAY);
    ends(fixture, &shop, Outcome::Failed).await;
    assert_eq!(
        days(fixture).await,
        ["blog 2026-03-02 0 0 1 0 -", "shop 2026-03-02 2 1 2 0 8", "shop 2026-03-03 0 0 1 0 -"]
    );
}

async fn ends_of_one_commit_add_up_and_a_stale_change_adds_nothing(fixture: &StoreFixture) {
    let shop = app("shop");
    let runs = [fixture.add_manual(&shop).await, fixture.add_manual(&shop).await];
    let change = |run: &Run| fixture.change(run.clone(), vec![ended(Outcome::Failed, None)]);
    let mut changes: Vec<Change> = runs.iter().map(change).collect();
    changes.push(Change { from: 7, ..change(&runs[0]) });
    let stale = Committed::Stale;
    let committed = fixture.store.commit_all(&changes).await.unwrap();
    assert_eq!(committed, [Committed::Done(2), Committed::Done(2), stale]);
    assert_eq!(fixture.store.commit_all(&changes).await.unwrap(), [stale, stale, stale]);
    assert_eq!(days(fixture).await, ["shop 2026-03-02 0 0 2 0 -"]);
}

async fn a_missed_tick_counts_for_its_own_day_and_only_when_its_advance_applies(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, Some(("daily", fixture.now() - secs(DAY))))]).await;
    fixture.advance(1);
    let cursor = fixture.cursors_due().await.remove(0);
    let missed = |fixture: &StoreFixture, back: u64| {
        let missed = MissedTick { tick: fixture.now() - secs(back), reason: MissReason::TooLate };
        NewRun::missed(fixture.id(), &shop, &policy_snapshot(), &missed, fixture.now())
    };
    let runs = vec![missed(fixture, DAY), missed(fixture, DAY + 60), missed(fixture, 1)];
    let advance = CursorAdvance {
        through: fixture.now(),
        next_at: Some(fixture.now() + secs(DAY)),
        runs,
        cursor: cursor.clone(),
    };
    assert_eq!(fixture.plan(advance.clone()).await.missed, 3);
    assert_eq!(fixture.plan(advance).await.conflicts, 1);
    assert_eq!(days(fixture).await, ["shop 2026-03-01 0 0 0 2 -", "shop 2026-03-02 0 0 0 1 -"]);
    // A tick that has a run adds none.
    let again = fixture.store.add_runs(&[missed(fixture, DAY)]).await.unwrap();
    assert_eq!((again, days(fixture).await.len()), (0, 2));
}

async fn days_are_read_from_a_day_on_and_for_one_app_by_app_and_day(fixture: &StoreFixture) {
    let (shop, blog) = (app("shop"), app("blog"));
    for _ in 0..3 {
        ends(fixture, &shop, Outcome::Failed).await;
        ends(fixture, &blog, Outcome::Failed).await;
        fixture.advance(DAY);
    }
    let second = (fixture.now() - secs(2 * DAY)).date_naive();
    let read = async |app: Option<&App>| -> Vec<(String, String)> {
        let days = fixture.store.app_days(second, app.map(|app| &app.id)).await.unwrap();
        days.iter().map(|day| (day.app.site().to_owned(), day.day.to_string())).collect()
    };
    let pair = |app: &str, day: &str| (app.to_owned(), day.to_owned());
    let shops = [pair("shop", "2026-03-03"), pair("shop", "2026-03-04")];
    let blogs = [pair("blog", "2026-03-03"), pair("blog", "2026-03-04")];
    assert_eq!(read(None).await, [blogs, shops.clone()].concat());
    assert_eq!(read(Some(&shop)).await, shops);
    assert_eq!(read(Some(&app("wiki"))).await, []);
}

async fn runs_that_are_no_backups_and_steps_that_end_nothing_leave_no_row(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.add_action(&shop, holdfast_model::OperatorAction::Paused).await;
    let run = fixture.add_manual(&shop).await;
    fixture.commit_events(run.id, vec![started(&run, fixture.now())]).await;
    fixture.commit_events(run.id, vec![accepted(fixture.now())]).await;
    let backup = Some(facts(5, fixture.now(), fixture.now()));
    fixture.commit_events(run.id, vec![RunEvent::Completed { backup, detail: None }]).await;
    assert_eq!(days(fixture).await, [""; 0]);
}
