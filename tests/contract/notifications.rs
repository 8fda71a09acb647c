//! Notifications: the notifier's place, and what is to be sent.

use std::time::Duration;

use holdfast_model::{NewRun, OperatorAction};
use holdfast_store::{
    Delivery, KEPT_FOR, NewNotification, Notification, NotificationState, NotifierAdvance, NotifierPlace,
};

use crate::fixture::{StoreFixture, app, policy_snapshot};

on_every_store!(
    the_place_moves_from_the_version_that_it_was_read_in_and_brings_its_notifications,
    of_processes_that_move_the_place_at_once_one_does,
    a_notification_is_leased_once_and_again_after_its_lease,
    a_notification_waits_for_the_earlier_ones_of_its_incident_on_its_channel_alone,
    what_became_of_a_notification_is_written_once,
    a_notification_that_failed_is_due_again_when_it_says,
    one_that_is_given_up_is_recorded_in_the_audit,
    an_ended_notification_is_deleted_after_a_month,
);

const LEASE: Duration = Duration::from_mins(1);

fn new(incident: &str, number: u32, channel: &str) -> NewNotification {
    NewNotification {
        id: format!("{incident}-{number}-{channel}"),
        channel: channel.into(),
        incident: incident.into(),
        number,
        content: format!("it's \"{number}\""),
    }
}

async fn advance(fixture: &StoreFixture, from: i64, notifications: &[NewNotification]) -> bool {
    let (state, notifications) = ("{\"it's\":1}".to_owned(), notifications.to_vec());
    let advance = NotifierAdvance { from, through: from * 10, state, notifications };
    fixture.store.notifications().advance_notifier(&advance).await.unwrap()
}

async fn lease(fixture: &StoreFixture, channel: &str) -> Vec<String> {
    let leased = fixture.store.notifications().lease_notifications(channel, 9, LEASE).await.unwrap();
    leased.into_iter().map(|one| one.id).collect()
}

async fn settle(fixture: &StoreFixture, id: &str, delivery: Delivery) -> bool {
    let of = by_id(fixture, id).await;
    fixture.store.notifications().settle_notification(&of, &delivery, None).await.unwrap()
}

/// A notification, or one that is not in the store.
async fn by_id(fixture: &StoreFixture, id: &str) -> Notification {
    let all = all(fixture).await;
    let found = all.iter().find(|one| one.id == id);
    found.cloned().unwrap_or_else(|| Notification { id: id.into(), ..all[0].clone() })
}

async fn all(fixture: &StoreFixture) -> Vec<Notification> {
    let since = fixture.now() - Duration::from_hours(24 * 90);
    fixture.store.notifications().list(since, 99).await.unwrap()
}

async fn the_place_moves_from_the_version_that_it_was_read_in_and_brings_its_notifications(
    fixture: &StoreFixture,
) {
    let place = async || fixture.store.notifications().notifier().await.unwrap();
    assert_eq!(place().await, None);
    assert!(!advance(fixture, 1, &[new("a", 1, "ops")]).await, "there is no version 1 yet");
    assert!(advance(fixture, 0, &[]).await);
    assert!(!advance(fixture, 0, &[new("a", 1, "ops")]).await);
    assert!(advance(fixture, 1, &[new("a", 1, "ops"), new("a", 1, "mail")]).await);
    assert!(!advance(fixture, 1, &[new("b", 1, "ops")]).await);
    let expected = NotifierPlace { version: 2, through: 10, state: "{\"it's\":1}".into() };
    assert_eq!(place().await, Some(expected));
    let found = all(fixture).await;
    let mut ids: Vec<_> = found.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a-1-mail", "a-1-ops"]);
    assert!(
        found.iter().all(|one| one.state == NotificationState::Pending && one.created_at == fixture.now())
    );
}

async fn of_processes_that_move_the_place_at_once_one_does(fixture: &StoreFixture) {
    assert!(advance(fixture, 0, &[]).await);
    let mut processes = tokio::task::JoinSet::new();
    for number in 0..6 {
        let store = fixture.store.clone();
        let notifications = vec![new(&format!("incident-{number}"), 1, "ops")];
        let advance = NotifierAdvance { from: 1, through: 5, state: String::new(), notifications };
        processes.spawn(async move { store.notifications().advance_notifier(&advance).await.unwrap() });
    }
    let moved = processes.join_all().await;
    assert_eq!(moved.iter().filter(|moved| **moved).count(), 1);
    assert_eq!(all(fixture).await.len(), 1);
}

async fn a_notification_is_leased_once_and_again_after_its_lease(fixture: &StoreFixture) {
    assert!(advance(fixture, 0, &[new("a", 1, "ops"), new("b", 1, "ops"), new("a", 1, "mail")]).await);
    let mut processes = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = fixture.store.clone();
        processes
            .spawn(async move { store.notifications().lease_notifications("ops", 1, LEASE).await.unwrap() });
    }
    let mut leased: Vec<String> =
        processes.join_all().await.into_iter().flatten().map(|one| one.id).collect();
    leased.sort();
    assert_eq!(leased, ["a-1-ops", "b-1-ops"]);
    fixture.advance(59);
    assert!(lease(fixture, "ops").await.is_empty());
    fixture.advance(1);
    assert_eq!(lease(fixture, "ops").await, ["a-1-ops", "b-1-ops"]);
    let twice = all(fixture).await.into_iter().find(|one| one.id == "a-1-ops").unwrap();
    assert_eq!((twice.attempts, twice.content.as_str()), (2, "it's \"1\""));
}

async fn a_notification_waits_for_the_earlier_ones_of_its_incident_on_its_channel_alone(
    fixture: &StoreFixture,
) {
    let both = [new("a", 1, "ops"), new("a", 2, "ops"), new("a", 2, "mail"), new("b", 1, "ops")];
    assert!(advance(fixture, 0, &both).await);
    assert_eq!(lease(fixture, "ops").await, ["a-1-ops", "b-1-ops"]);
    assert_eq!(lease(fixture, "mail").await, ["a-2-mail"]);
    assert!(settle(fixture, "a-1-ops", Delivery::Sent).await);
    assert_eq!(lease(fixture, "ops").await, ["a-2-ops"]);
}

async fn what_became_of_a_notification_is_written_once(fixture: &StoreFixture) {
    assert!(advance(fixture, 0, &[new("a", 1, "ops")]).await);
    assert!(settle(fixture, "a-1-ops", Delivery::Sent).await);
    assert!(!settle(fixture, "a-1-ops", Delivery::GivenUp { error: "late".into() }).await);
    assert!(!settle(fixture, "z-1-ops", Delivery::Sent).await);
    let found = all(fixture).await;
    assert_eq!((found[0].state, found[0].ended_at), (NotificationState::Sent, Some(fixture.now())));
    assert_eq!(found[0].error, None);
    assert!(lease(fixture, "ops").await.is_empty());
}

async fn a_notification_that_failed_is_due_again_when_it_says(fixture: &StoreFixture) {
    assert!(advance(fixture, 0, &[new("a", 1, "ops")]).await);
    assert_eq!(lease(fixture, "ops").await.len(), 1);
    let retry_at = fixture.now() + Duration::from_secs(10);
    assert!(settle(fixture, "a-1-ops", Delivery::Failed { retry_at, error: "answered 503".into() }).await);
    fixture.advance(9);
    assert!(lease(fixture, "ops").await.is_empty());
    fixture.advance(1);
    assert_eq!(lease(fixture, "ops").await.len(), 1);
    assert_eq!(all(fixture).await[0].error.as_deref(), Some("answered 503"));
}

async fn one_that_is_given_up_is_recorded_in_the_audit(fixture: &StoreFixture) {
    assert!(advance(fixture, 0, &[new("a", 1, "ops")]).await);
    let (now, snapshot) = (fixture.now(), policy_snapshot());
    let action = OperatorAction::NotificationGivenUp {
        notification: "a-1-ops".into(),
        channel: "ops".into(),
        error: "answered 404".into(),
    };
    let record =
        NewRun::operator_action(fixture.id(), &app("shop"), &snapshot, action, "holdfast".into(), now);
    let given_up = Delivery::GivenUp { error: "answered 404".into() };
    let (store, of) = (fixture.store.notifications(), by_id(fixture, "a-1-ops").await);
    assert!(store.settle_notification(&of, &given_up, Some(&record)).await.unwrap());
    let second = NewRun { run: holdfast_model::Run { id: fixture.id(), ..record.run.clone() }, ..record };
    assert!(!store.settle_notification(&of, &given_up, Some(&second)).await.unwrap());
    assert_eq!(fixture.store.audit(0, 9).await.unwrap().len(), 1);
    assert_eq!(all(fixture).await[0].state, NotificationState::GivenUp);
}

async fn an_ended_notification_is_deleted_after_a_month(fixture: &StoreFixture) {
    assert!(advance(fixture, 0, &[new("a", 1, "ops"), new("b", 1, "ops")]).await);
    assert!(settle(fixture, "a-1-ops", Delivery::Sent).await);
    fixture.advance(KEPT_FOR.as_secs() + 1);
    assert!(advance(fixture, 1, &[]).await);
    let left: Vec<String> = all(fixture).await.into_iter().map(|one| one.id).collect();
    assert_eq!(left, ["b-1-ops"]);
}
