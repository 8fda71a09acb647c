//! The enrolled fleet and its cursors.

use holdfast_model::{App, Call, OperatorAction, RunEvent, SubscriptionId, Timestamp};
use holdfast_store::{
    ClosedBudget, Cursor, Enrolled, FleetChange, Listing, ListingResult, Observation, Owed,
};

use crate::fixture::{StoreFixture, app, enrolled, secs};

on_every_store!(
    a_new_app_is_considered_from_now_on,
    the_same_fleet_again_changes_nothing,
    an_edited_schedule_begins_now_and_fires_nothing_that_was_due,
    an_edit_beside_the_schedule_leaves_the_cursor_where_it_is,
    a_change_of_policy_begins_now,
    a_paused_app_has_no_cursor_and_unpausing_fires_nothing,
    a_cursor_that_a_wrong_clock_moved_ahead_is_set_back,
    an_app_that_departs_loses_its_cursor_and_its_runs_go_on,
    each_change_of_an_enrolment_is_an_event_once,
    an_app_has_the_tags_of_its_latest_enrolment_whatever_their_texts_are,
    an_app_that_a_fleet_leaves_out_stays_with_its_cursor_and_plan,
    an_older_list_undoes_nothing_that_a_newer_one_wrote,
    what_a_clock_far_ahead_observed_does_not_freeze_an_app,
    a_new_app_whose_list_came_late_is_owed_the_ticks_since,
    a_missing_app_is_shown_until_it_is_seen_again,
    a_list_that_fails_is_shown_until_one_succeeds,
    an_app_that_comes_back_is_added_anew,
);

async fn a_new_app_is_considered_from_now_on(fixture: &StoreFixture) {
    let (shop, start) = (app("shop"), fixture.now());
    let change = fixture.sync(&[enrolled(&shop, Some(("daily", start + secs(60))))]).await;
    assert_eq!(change, FleetChange { added: 1, ..FleetChange::default() });
    assert_eq!(fixture.cursors_due().await, []);
    fixture.advance(60);
    let expected = Cursor {
        app: shop.id,
        policy: shop.policy.unwrap(),
        fingerprint: "daily".into(),
        through: start,
        next_at: start + secs(60),
        unfinished: 0,
        pause: None,
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
    assert_eq!(change, FleetChange { changed: 1, ..FleetChange::default() });
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

async fn an_app_that_departs_loses_its_cursor_and_its_runs_go_on(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, Some(("daily", fixture.now() + secs(10))))]).await;
    let run = fixture.add_manual(&shop).await;
    let change = fixture.depart(&shop, fixture.now()).await;
    assert_eq!(change, FleetChange { removed: 1, not_found: 1, ..FleetChange::default() });
    assert_eq!(fixture.depart(&shop, fixture.now()).await, FleetChange::default());
    fixture.advance(100);
    assert_eq!(fixture.cursors_due().await, []);
    assert_eq!(fixture.acquire_beside(&run, 9, &crate::fixture::no_limits()).await, [run.id]);
    let status = fixture.store.status().await.unwrap().remove(0);
    assert!(status.removed);
    assert_eq!(status.departed.unwrap().reason, holdfast_model::DepartureReason::NotFound);
    let events = fixture.store.audit(0, 1_000).await.unwrap();
    let left = events.iter().filter(|event| {
        matches!(&event.event, RunEvent::ActionRecorded { action: OperatorAction::LeftFleet { .. }, .. })
    });
    assert_eq!(left.count(), 1);
}

/// An app that loses its policy, as when somebody edits its tags in Azure, leaves no fleet: the event says what happened.
async fn each_change_of_an_enrolment_is_an_event_once(fixture: &StoreFixture) {
    let gold = app("shop");
    let none = App { policy: None, ..gold.clone() };
    let tagged = App { tags: [("team", "shop")].into_iter().collect(), ..none.clone() };
    let paused = App { paused: true, ..tagged.clone() };
    for app in [&gold, &none, &none, &tagged, &paused, &tagged] {
        fixture.sync(&[enrolled(app, None)]).await;
        fixture.advance(1);
    }
    let events = fixture.store.audit(0, 1_000).await.unwrap();
    let actions: Vec<OperatorAction> = events
        .into_iter()
        .filter_map(|event| match event.event {
            RunEvent::ActionRecorded { action, .. } => Some(action),
            _ => None,
        })
        .collect();
    let expected = [
        OperatorAction::Enrolled { policy: gold.policy, paused: false, tags: gold.tags },
        OperatorAction::PolicyChanged { policy: None },
        OperatorAction::TagsChanged { tags: tagged.tags },
        OperatorAction::Paused,
        OperatorAction::Resumed,
    ];
    assert_eq!(actions, expected);
}

/// Tags come from Azure, where anybody writes them.
async fn an_app_has_the_tags_of_its_latest_enrolment_whatever_their_texts_are(fixture: &StoreFixture) {
    let long = "x".repeat(256);
    let tagged = |tags: &[(&str, &str)]| App { tags: tags.iter().copied().collect(), ..app("shop") };
    for tags in [
        &[("Team", "Shop"), ("team", "other")][..],
        &[("Team", "shop")],
        &[("team", "shop"), ("a\u{202e}b", "\u{0}\u{1b}[31m\n\u{202e}'\"\\"), ("", "")],
        &[("team", &long), (&long, "{\"$.x\":1}")],
        &[],
    ] {
        let shop = tagged(tags);
        let expected = FleetChange { changed: 1, ..FleetChange::default() };
        let change = fixture.sync(&[enrolled(&shop, None)]).await;
        assert!(change == expected || change.added == 1, "{change:?}");
        assert_eq!(fixture.sync(&[enrolled(&shop, None)]).await, FleetChange::default(), "{tags:?}");
        let status = fixture.store.status().await.unwrap().remove(0);
        assert_eq!(status.tags, shop.tags);
        let asked = [shop.id.clone(), app("stranger").id].into();
        let read = fixture.store.notifications().app_tags(&asked).await.unwrap();
        assert_eq!(read.into_iter().collect::<Vec<_>>(), [(shop.id, shop.tags)]);
    }
    assert_eq!(holdfast_store::row_differences(&*fixture.store).await.unwrap(), [""; 0]);
    fixture.sync(&[enrolled(&tagged(&[("team", "shop")]), None)]).await;
    fixture.advance(1);
    fixture.depart(&app("shop"), fixture.now()).await;
    let left = fixture.store.status().await.unwrap().remove(0);
    assert_eq!((left.removed, left.tags.is_empty()), (true, false), "an app that left keeps its tags");
}

async fn an_app_that_a_fleet_leaves_out_stays_with_its_cursor_and_plan(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, Some(("daily", fixture.now() + secs(10))))]).await;
    assert_eq!(fixture.sync(&[]).await, FleetChange::default());
    fixture.advance(10);
    assert_eq!(fixture.cursors_due().await.len(), 1);
    let status = fixture.store.status().await.unwrap().remove(0);
    assert_eq!((status.removed, status.plan), (false, shop.plan));
}

async fn an_older_list_undoes_nothing_that_a_newer_one_wrote(fixture: &StoreFixture) {
    let (shop, wiki) = (app("shop"), app("wiki"));
    let seen = |of: &App, at: Timestamp| {
        let observation = Observation { observed_at: Some(at), ..Observation::default() };
        Enrolled { observation, ..enrolled(of, None) }
    };
    let (old, new) = (fixture.now(), fixture.now() + secs(60));
    fixture.advance(60);
    fixture.sync(&[seen(&shop, old), seen(&wiki, new)]).await;
    // The proof against the wiki is older than the list that shows it.
    assert_eq!(fixture.depart(&wiki, old).await, FleetChange::default());
    assert_eq!(fixture.depart(&shop, new).await.removed, 1);
    let moved = App { plan: Some("/p/old".into()), ..wiki.clone() };
    assert_eq!(fixture.sync(&[seen(&shop, old), seen(&moved, old)]).await, FleetChange::default());
    fixture.advance(60);
    assert_eq!(fixture.sync(&[seen(&shop, fixture.now())]).await.added, 1);
}

async fn what_a_clock_far_ahead_observed_does_not_freeze_an_app(fixture: &StoreFixture) {
    let (shop, start) = (app("shop"), fixture.now());
    let sync = async |plan: &str| {
        let mut seen = enrolled(&App { plan: Some(plan.into()), ..shop.clone() }, None);
        seen.observation.observed_at = Some(fixture.now());
        fixture.sync(&[seen]).await
    };
    fixture.clock.set(start + secs(1_000_000));
    sync("/p/ahead").await;
    fixture.clock.set(start);
    assert_eq!(sync("/p/now").await.changed, 1);
}

async fn a_new_app_whose_list_came_late_is_owed_the_ticks_since(fixture: &StoreFixture) {
    let (shop, since) = (app("shop"), fixture.now());
    fixture.advance(100);
    let owed = Some(Owed { since, next_at: since + secs(60) });
    let enrolled = Enrolled {
        observation: Observation { owed, ..Observation::default() },
        ..enrolled(&shop, Some(("daily", since + secs(120))))
    };
    assert_eq!(fixture.sync(std::slice::from_ref(&enrolled)).await.added, 1);
    let due = fixture.cursors_due().await;
    assert_eq!((due[0].through, due[0].next_at), (since, since + secs(60)));
    // Only a new app is owed anything.
    assert_eq!(fixture.sync(&[enrolled]).await, FleetChange::default());
}

async fn a_missing_app_is_shown_until_it_is_seen_again(fixture: &StoreFixture) {
    let (shop, at) = (app("shop"), fixture.now());
    let mut missing = enrolled(&shop, None);
    missing.observation.missing_since = Some(at);
    fixture.sync(&[missing]).await;
    assert_eq!(fixture.store.status().await.unwrap()[0].missing_since, Some(at));
    assert_eq!(fixture.sync(&[enrolled(&shop, None)]).await.changed, 1);
    assert_eq!(fixture.store.status().await.unwrap()[0].missing_since, None);
}

async fn a_list_that_fails_is_shown_until_one_succeeds(fixture: &StoreFixture) {
    let (subscription, at) = (SubscriptionId::new("s1"), fixture.now());
    fixture.advance(100);
    let listing = |seconds, result| {
        let asked_at = at + secs(seconds);
        Listing { subscription: SubscriptionId::new("s1"), asked_at, next_at: asked_at + secs(60), result }
    };
    let failed = || ListingResult::Failed { error: "azure answered 429".into() };
    let listed = || ListingResult::Listed { apps: 3, left_out: vec!["/odd".into()] };
    let record = async |listing| fixture.store.record_listings(&[listing]).await.unwrap();
    let read = async || fixture.store.subscriptions().await.unwrap().remove(0);
    record(listing(0, listed())).await;
    record(listing(10, failed())).await;
    record(listing(20, failed())).await;
    let status = read().await;
    assert_eq!((status.unanswered_since, status.next_list_at), (Some(at + secs(10)), Some(at + secs(80))));
    assert_eq!(
        (status.listed_at, status.apps, &*status.left_out),
        (Some(at), Some(3), &["/odd".to_owned()][..])
    );
    record(listing(5, listed())).await;
    assert_eq!(read().await, status, "an older answer changes nothing");
    record(listing(30, listed())).await;
    assert_eq!((read().await.unanswered_since, read().await.error), (None, None));
    let until = fixture.now() + secs(500);
    fixture.store.close_budget(&subscription, Call::Read, until).await.unwrap();
    assert_eq!(read().await.closed, [ClosedBudget { call: Call::Read, until }]);
    fixture.advance(500);
    assert_eq!(read().await.closed, []);
}

async fn an_app_that_comes_back_is_added_anew(fixture: &StoreFixture) {
    let shop = app("shop");
    fixture.sync(&[enrolled(&shop, None)]).await;
    fixture.depart(&shop, fixture.now()).await;
    let change = fixture.sync(&[enrolled(&shop, None)]).await;
    assert_eq!(change, FleetChange { added: 1, ..FleetChange::default() });
    assert!(!fixture.store.status().await.unwrap()[0].removed);
}
