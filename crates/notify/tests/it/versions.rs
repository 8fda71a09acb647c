//! Programs of two versions over one store.

use std::time::Duration;

use holdfast_notify::NotifierHealth;
use holdfast_store::{NewNotification, NotifierAdvance, NotifierPlace};
use tokio_util::sync::CancellationToken;

use crate::world::{Recorder, World, rule};

/// Replaces what the notifier remembers.
async fn remember(world: &World, state: &str, notifications: Vec<NewNotification>) {
    let store = world.store.notifications();
    let NotifierPlace { version, through, .. } = store.notifier().await.unwrap().unwrap();
    let advance = NotifierAdvance { from: version, through, state: state.to_owned(), notifications };
    assert!(store.advance_notifier(&advance).await.unwrap());
}

/// Lets paused time go on.
async fn passes(span: Duration) {
    assert!(tokio::time::timeout(span, std::future::pending::<()>()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_notifier_that_cannot_read_what_it_remembers_says_so_until_it_can() {
    let (world, health, stop) = (World::new(), NotifierHealth::default(), CancellationToken::new());
    world.passes(&world.notifier(rule(&["ops"]))).await;
    remember(&world, "{\"incidents\":\"newer\"}", Vec::new()).await;
    let running = tokio::spawn(world.notifier_with(rule(&["ops"]), health.clone()).run(stop.clone()));
    let until = async |is_well: bool| {
        while health.error().is_none() != is_well {
            passes(Duration::from_secs(1)).await;
        }
    };
    until(false).await;
    assert!(health.error().unwrap().contains("a newer holdfast may have written it"));
    passes(Duration::from_mins(10)).await;
    remember(&world, "{}", Vec::new()).await;
    let begin = tokio::time::Instant::now();
    until(true).await;
    assert!(begin.elapsed() <= Duration::from_secs(61), "it tries each minute: {:?}", begin.elapsed());
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_notification_of_a_newer_program_is_left_to_it() {
    let (world, ops) = (World::new(), Recorder::default());
    world.passes(&world.notifier(rule(&["ops"]))).await;
    let newer = NewNotification {
        id: "id".into(),
        channel: "ops".into(),
        incident: "incident".into(),
        number: 1,
        content: "newer".into(),
    };
    remember(&world, "{}", vec![newer]).await;
    assert!(world.deliverer("ops", ops.clone()).deliver().await.unwrap());
    let waiting = world.list().await.remove(0);
    assert_eq!(waiting.state, holdfast_store::NotificationState::Pending);
    assert_eq!(waiting.error.as_deref(), Some("it was written by another version of Holdfast"));
    assert_eq!(ops.ids(), [""; 0]);
}
