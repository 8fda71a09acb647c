//! From notifications to a channel: at least once, in order, and no channel waits for another.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::Cause;
use holdfast_notify::SendError;
use holdfast_store::{NewNotification, NotificationState, NotifierAdvance};

use crate::world::{Hanging, Recorder, World, rule};

/// A world in which one failure is to be told.
async fn with_a_failure(channels: &[&str]) -> World {
    let world = World::new();
    let notifier = world.notifier(rule(channels));
    world.passes(&notifier).await;
    world.fails("shop", Cause::Unreachable).await;
    world.passes(&notifier).await;
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.passes(&notifier).await, channels.len());
    world
}

#[tokio::test]
async fn a_process_that_is_killed_between_sending_and_writing_it_down_sends_again_under_the_same_id() {
    let (world, hanging, recorder) =
        (with_a_failure(&["ops"]).await, Hanging::default(), Recorder::default());
    let killed = world.deliverer("ops", hanging.clone());
    tokio::select! {
        _ = killed.deliver() => unreachable!("it hangs"),
        () = hanging.has_received.notified() => {}
    }
    let second = world.deliverer("ops", recorder.clone());
    assert!(!second.deliver().await.unwrap(), "the lease is in force");
    world.clock.advance(Duration::from_mins(1));
    assert!(second.deliver().await.unwrap());
    assert!(!second.deliver().await.unwrap());
    assert_eq!(hanging.received.ids(), recorder.ids());
}

#[tokio::test]
async fn a_channel_that_hangs_holds_up_no_other() {
    let (world, hanging, recorder) =
        (with_a_failure(&["slow", "ops"]).await, Hanging::default(), Recorder::default());
    let (slow, ops) = (world.deliverer("slow", hanging.clone()), world.deliverer("ops", recorder.clone()));
    tokio::select! {
        _ = slow.deliver() => unreachable!("it hangs"),
        sent = async {
            hanging.has_received.notified().await;
            ops.deliver().await
        } => assert!(sent.unwrap()),
    }
    assert_eq!(recorder.ids().len(), 1);
}

#[tokio::test]
async fn a_receiver_that_is_down_for_a_day_gets_it_when_it_is_back() {
    let (world, recorder) = (with_a_failure(&["ops"]).await, Recorder::default());
    let down = SendError::Later { why: "answered 503".into(), pause: None };
    *recorder.answer.lock().unwrap() = Some(down);
    let deliverer = world.deliverer("ops", recorder.clone());
    for _ in 0..24 * 6 {
        deliverer.deliver().await.unwrap();
        world.clock.advance(Duration::from_mins(10));
    }
    let waiting = &world.list().await[0];
    assert_eq!((waiting.state, waiting.error.as_deref()), (NotificationState::Pending, Some("answered 503")));
    *recorder.answer.lock().unwrap() = None;
    world.clock.advance(Duration::from_hours(1));
    assert!(deliverer.deliver().await.unwrap());
    assert_eq!(world.list().await[0].state, NotificationState::Sent);
    let tries = recorder.ids().len();
    assert!((20..60).contains(&tries), "{tries}");
}

#[tokio::test]
async fn one_that_is_refused_for_good_is_given_up_and_the_audit_says_so() {
    let (world, recorder) = (with_a_failure(&["ops"]).await, Recorder::default());
    *recorder.answer.lock().unwrap() = Some(SendError::Never("answered 404".into()));
    let deliverer = world.deliverer("ops", recorder.clone());
    assert!(deliverer.deliver().await.unwrap());
    world.clock.advance(Duration::from_hours(1));
    assert!(!deliverer.deliver().await.unwrap());
    assert_eq!(world.list().await[0].state, NotificationState::GivenUp);
    let last = world.store.last_event().await.unwrap().unwrap();
    let text = serde_json::to_string(&last.event).unwrap();
    assert!(text.contains("notification_given_up") && text.contains("answered 404"), "{text}");
    let notifier = world.notifier(rule(&["ops"]));
    assert_eq!(world.passes(&notifier).await, 0, "nobody is notified of that by the same way");
}

#[tokio::test]
async fn a_thousand_notifications_arrive_through_kills_and_few_arrive_twice() {
    let (world, recorder) = (World::new(), Recorder::default());
    let one = |number: u32| NewNotification {
        id: format!("incident-{number}-1-ops"),
        channel: "ops".into(),
        incident: format!("incident-{number}"),
        number: 1,
        content: content(),
    };
    let notifications = (0..1_000).map(one).collect();
    let advance = NotifierAdvance { from: 0, through: 0, state: "{}".into(), notifications };
    assert!(world.store.notifications().advance_notifier(&advance).await.unwrap());
    let (mut kills, mut rng) = (0, fastrand::Rng::with_seed(3));
    loop {
        if rng.u32(..200) == 0 && kills < 8 {
            kills += 1;
            let hanging = Hanging { received: recorder.clone(), ..Hanging::default() };
            let killed = world.deliverer("ops", hanging.clone());
            tokio::select! {
                sent = killed.deliver() => assert!(!sent.unwrap()),
                () = hanging.has_received.notified() => {}
            }
        }
        if !world.deliverer("ops", recorder.clone()).deliver().await.unwrap() {
            break;
        }
    }
    world.clock.advance(Duration::from_mins(1));
    while world.deliverer("ops", recorder.clone()).deliver().await.unwrap() {}
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    recorder.ids().into_iter().for_each(|id| *counts.entry(id).or_default() += 1);
    let twice = counts.values().filter(|count| **count > 1).count();
    assert_eq!((counts.len(), twice), (1_000, kills));
    assert!(kills > 0 && twice < 10, "{twice}");
}

fn content() -> String {
    let at = holdfast_model::Timestamp::UNIX_EPOCH;
    serde_json::to_string(&holdfast_notify::Notice::empty("r", holdfast_notify::NoticeKind::Test, at))
        .unwrap()
}
