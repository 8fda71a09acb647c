//! From committed events to notifications.

use std::time::Duration;

use holdfast_config::NotifyRule;
use holdfast_model::{Cause, TagFilter};
use holdfast_store::NotificationState;

use crate::world::{Recorder, World, rule};

#[tokio::test]
async fn an_outage_of_five_hundred_apps_sends_one_message_and_one_when_it_is_over() {
    let (world, ops) = (World::new(), Recorder::default());
    let (notifier, deliverer) = (world.notifier(rule(&["ops"])), world.deliverer("ops", ops.clone()));
    world.passes(&notifier).await;
    for number in 0..500 {
        world.fails(&format!("app-{number}"), Cause::Unreachable).await;
        if number % 100 == 0 {
            world.passes(&notifier).await;
        }
    }
    world.clock.advance(Duration::from_secs(20));
    world.passes(&notifier).await;
    assert!(deliverer.deliver().await.unwrap());
    assert!(!deliverer.deliver().await.unwrap());
    world.clock.advance(Duration::from_hours(24));
    for number in 0..500 {
        world.succeeds(&format!("app-{number}")).await;
    }
    world.passes(&notifier).await;
    assert!(deliverer.deliver().await.unwrap());
    assert!(!deliverer.deliver().await.unwrap());
    assert_eq!(
        ops.titles(),
        [
            "500 apps not backed up: out of reach (gold)",
            "Over after 1d 20s: 500 apps not backed up: out of reach (gold)"
        ]
    );
    assert!(world.list().await.iter().all(|one| one.state == NotificationState::Sent));
}

#[tokio::test]
async fn what_no_event_tells_is_told_within_a_minute_however_long_a_rule_gathers() {
    let world = World::new();
    let notifier = world.notifier(NotifyRule { gather: Duration::from_secs(30), ..rule(&["ops"]) });
    world.passes(&notifier).await;
    world.enrol("shop", &[]).await;
    let mut waited = 0;
    while world.passes(&notifier).await == 0 {
        world.clock.advance(Duration::from_secs(2));
        waited += 2;
    }
    assert!((30..=58).contains(&waited), "{waited} s");
    assert!(world.list().await[0].content.contains("nothing_planned"));
}

#[tokio::test]
async fn what_happened_before_the_first_start_is_not_told() {
    let world = World::new();
    world.fails("shop", Cause::Unreachable).await;
    let notifier = world.notifier(rule(&["ops"]));
    world.passes(&notifier).await;
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(world.passes(&notifier).await, 0);
    world.fails("wiki", Cause::Unreachable).await;
    world.passes(&notifier).await;
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.passes(&notifier).await, 1);
}

#[tokio::test]
async fn of_several_processes_one_tells() {
    let world = World::new();
    let notifiers: Vec<_> = (0..4).map(|_| world.notifier(rule(&["ops", "mail"]))).collect();
    world.passes(&notifiers[0]).await;
    for round in 0..20 {
        world.fails(&format!("app-{round}"), Cause::Unreachable).await;
        let passes = notifiers.iter().map(holdfast_notify::Notifier::pass);
        for passed in futures::future::join_all(passes).await {
            passed.unwrap();
        }
        world.clock.advance(Duration::from_secs(2));
    }
    let told = world.list().await;
    let ids: Vec<&str> = told.iter().map(|one| one.channel.as_str()).collect();
    assert_eq!((told.len(), ids.contains(&"ops"), ids.contains(&"mail")), (2, true, true), "{told:#?}");
}

#[tokio::test]
async fn the_notifier_goes_on_where_a_killed_one_stopped() {
    let world = World::new();
    world.passes(&world.notifier(rule(&["ops"]))).await;
    world.fails("shop", Cause::Unreachable).await;
    world.passes(&world.notifier(rule(&["ops"]))).await;
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.passes(&world.notifier(rule(&["ops"]))).await, 1);
    world.succeeds("shop").await;
    assert_eq!(world.passes(&world.notifier(rule(&["ops"]))).await, 1);
    assert_eq!(world.passes(&world.notifier(rule(&["ops"]))).await, 0);
}

#[tokio::test]
async fn a_rule_by_tags_tells_of_apps_that_have_them_now() {
    let world = World::new();
    let by_team = NotifyRule { tags: vec![TagFilter::new("team", "shop")], ..rule(&["ops"]) };
    let notifier = world.notifier(by_team);
    world.passes(&notifier).await;
    world.enrol("shop", &[("Team", "shop")]).await;
    world.enrol("wiki", &[("team", "web")]).await;
    for name in ["shop", "wiki", "stranger"] {
        world.fails(name, Cause::Unreachable).await;
    }
    world.passes(&notifier).await;
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.passes(&notifier).await, 1);
    assert!(world.list().await[0].content.contains("shop"));
    assert!(!world.list().await[0].content.contains("wiki"));
    world.enrol("shop", &[]).await;
    world.succeeds("shop").await;
    assert_eq!(world.passes(&notifier).await, 1, "what was told ends, whatever its tags are");
    world.fails("shop", Cause::Unreachable).await;
    world.passes(&notifier).await;
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.passes(&notifier).await, 0);
}
