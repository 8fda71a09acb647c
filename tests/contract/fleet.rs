//! The enrolled fleet and its cursors.

use holdfast_store::{Cursor, FleetChange};

use crate::fixture::{StoreFixture, app, enrolled, secs};

on_every_store!(
    a_new_app_is_considered_from_now_on,
    the_same_fleet_again_changes_nothing,
    an_edited_schedule_begins_now_and_fires_nothing_that_was_due,
    an_edit_beside_the_schedule_leaves_the_cursor_where_it_is,
    a_change_of_policy_begins_now,
    a_paused_app_has_no_cursor_and_unpausing_fires_nothing,
    a_cursor_that_a_wrong_clock_moved_ahead_is_set_back,
    an_app_no_longer_named_loses_its_cursor_and_its_runs_go_on,
    an_app_that_comes_back_is_added_anew,
);

async fn a_new_app_is_considered_from_now_on(fixture: &StoreFixture) {
    let (shop, start) = (app("shop"), fixture.now());
    let change = fixture.sync(&[enrolled(&shop, Some(("daily", start + secs(60))))]).await;
    assert_eq!(change, FleetChange { added: 1, changed: 0, removed: 0 });
    assert_eq!(fixture.cursors_due().await, []);
    fixture.advance(60);
    let expected = Cursor {
        app: shop.id,
        policy: shop.policy.unwrap(),
        fingerprint: "daily".into(),
        through: start,
        next_at: start + secs(60),
        unfinished: 0,
    };
    assert_eq!(fixture.cursors_due().await, [expected]);
}

async fn the_same_fleet_again_changes_nothing(fixture: &StoreFixture) {
    let fleet = ["shop", "blog"].map(|name| enrolled(&app(name), Some(("daily", fixture.now() + secs(60)))));
    assert_eq!(fixture.sync(&fleet).await.added, 2);
    fixture.advance(30);
    assert_eq!(fixture.sync(&fleet).await, FleetChange::default());
    fixture.advance(30);
    let due = fixture.cursors_due().await;
    assert!(due.iter().all(|cursor| cursor.through == fixture.now() - secs(60)), "{due:?}");
}

async fn an_edited_schedule_begins_now_and_fires_nothing_that_was_due(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, Some(("daily", fixture.now() + secs(10))))]).await;
    fixture.advance(20);
    assert_eq!(fixture.cursors_due().await.len(), 1);
    let change = fixture.sync(&[enrolled(&shop, Some(("hourly", fixture.now() + secs(100))))]).await;
    assert_eq!(change, FleetChange { added: 0, changed: 1, removed: 0 });
    assert_eq!(fixture.cursors_due().await, []);
    let edited_at = fixture.now();
    fixture.advance(100);
    assert_eq!(fixture.cursors_due().await[0].through, edited_at);
}

async fn an_edit_beside_the_schedule_leaves_the_cursor_where_it_is(fixture: &StoreFixture) {
    let (mut shop, start) = (app("shop"), fixture.now());
    let schedule = Some(("daily", start + secs(10)));
    fixture.sync(&[enrolled(&shop, schedule)]).await;
    fixture.advance(20);
    shop.plan = Some("/p/2".into());
    assert_eq!(fixture.sync(&[enrolled(&shop, schedule)]).await.changed, 1);
    assert_eq!(fixture.cursors_due().await[0].through, start);
}

async fn a_change_of_policy_begins_now(fixture: &StoreFixture) {
    let mut shop = app("shop");
    fixture.sync(&[enrolled(&shop, Some(("daily", fixture.now() + secs(10))))]).await;
    fixture.advance(20);
    shop.policy = Some(holdfast_model::PolicyName::new("silver"));
    assert_eq!(fixture.sync(&[enrolled(&shop, Some(("daily", fixture.now() + secs(10))))]).await.changed, 1);
    assert_eq!(fixture.cursors_due().await, []);
}

async fn a_paused_app_has_no_cursor_and_unpausing_fires_nothing(fixture: &StoreFixture) {
    let mut shop = app("shop");
    fixture.sync(&[enrolled(&shop, Some(("daily", fixture.now() + secs(10))))]).await;
    shop.paused = true;
    assert_eq!(fixture.sync(&[enrolled(&shop, None)]).await.changed, 1);
    fixture.advance(100);
    assert_eq!(fixture.cursors_due().await, []);
    shop.paused = false;
    assert_eq!(fixture.sync(&[enrolled(&shop, Some(("daily", fixture.now() + secs(10))))]).await.changed, 1);
    assert_eq!(fixture.cursors_due().await, []);
    let unpaused_at = fixture.now();
    fixture.advance(10);
    assert_eq!(fixture.cursors_due().await[0].through, unpaused_at);
}

async fn a_cursor_that_a_wrong_clock_moved_ahead_is_set_back(fixture: &StoreFixture) {
    let (shop, start) = (app("shop"), fixture.now());
    fixture.clock.set(start + secs(1_000_000));
    fixture.sync(&[enrolled(&shop, Some(("daily", start + secs(1_000_060))))]).await;
    fixture.clock.set(start);
    assert_eq!(
        fixture.sync(&[enrolled(&shop, Some(("daily", start + secs(60))))]).await,
        FleetChange::default()
    );
    assert_eq!(fixture.cursors_due().await, []);
    fixture.advance(60);
    let due = fixture.cursors_due().await;
    assert_eq!((due[0].through, due[0].next_at), (start, start + secs(60)));
}

async fn an_app_no_longer_named_loses_its_cursor_and_its_runs_go_on(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, Some(("daily", fixture.now() + secs(10))))]).await;
    let run = fixture.add_manual(&shop).await;
    assert_eq!(fixture.sync(&[]).await, FleetChange { added: 0, changed: 0, removed: 1 });
    assert_eq!(fixture.sync(&[]).await, FleetChange::default());
    fixture.advance(100);
    assert_eq!(fixture.cursors_due().await, []);
    assert_eq!(fixture.acquire_beside(&run, 9, &crate::fixture::no_limits()).await, [run.id]);
    assert!(fixture.store.status().await.unwrap()[0].removed);
}

async fn an_app_that_comes_back_is_added_anew(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    fixture.sync(&[]).await;
    assert_eq!(
        fixture.sync(&[enrolled(&shop, None)]).await,
        FleetChange { added: 1, changed: 0, removed: 0 }
    );
    assert!(!fixture.store.status().await.unwrap()[0].removed);
}
