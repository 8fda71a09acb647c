//! Silences, from the request to the notifications that wait.

use std::time::Duration;

use holdfast_control::ErrorKind;
use holdfast_model::{Cause, PolicyName, TagFilter};
use holdfast_notify::{SilenceRequest, end_silence, silence, silences};

use crate::world::{World, rule};

fn request() -> SilenceRequest {
    SilenceRequest {
        rule: None,
        policy: Some(PolicyName::new("gold")),
        app: None,
        tags: Vec::new(),
        lasts: Duration::from_hours(2),
        reason: "release".into(),
        actor: "ann".into(),
    }
}

#[tokio::test]
async fn a_silence_is_in_force_at_once_and_what_lasts_is_told_when_it_ends() {
    let world = World::new();
    let notifier = world.notifier(rule(&["ops"]));
    let early = silence(&*world.store, request(), &mut world.rng()).await.unwrap_err();
    assert_eq!(early.kind(), ErrorKind::Refused);
    world.passes(&notifier).await;
    let id = silence(&*world.store, request(), &mut world.rng()).await.unwrap();
    let found = silences(&*world.store).await.unwrap();
    assert_eq!((found.len(), found[0].id, found[0].by.as_str()), (1, id, "ann"));
    world.fails("shop", Cause::Unreachable).await;
    world.passes(&notifier).await;
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(world.passes(&notifier).await, 0);
    end_silence(&*world.store, id, ("done", "ann".into()), &mut world.rng()).await.unwrap();
    assert_eq!(silences(&*world.store).await.unwrap(), []);
    assert_eq!(world.passes(&notifier).await, 1);
    let again = end_silence(&*world.store, id, ("done", "ann".into()), &mut world.rng()).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_silence_needs_a_reason_and_an_end() {
    let world = World::new();
    world.passes(&world.notifier(rule(&["ops"]))).await;
    for wrong in [
        SilenceRequest { reason: " ".into(), ..request() },
        SilenceRequest { lasts: Duration::ZERO, ..request() },
        SilenceRequest { lasts: Duration::from_hours(24 * 32), ..request() },
    ] {
        let refused = silence(&*world.store, wrong, &mut world.rng()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Invalid);
    }
    assert_eq!(silences(&*world.store).await.unwrap(), []);
}

#[tokio::test]
async fn a_silence_of_a_tag_holds_back_what_is_about_apps_with_the_tag_alone() {
    let world = World::new();
    let notifier = world.notifier(rule(&["ops"]));
    world.passes(&notifier).await;
    world.enrol("shop", &[("team", "shop")]).await;
    world.enrol("wiki", &[("team", "web")]).await;
    let tags = vec![TagFilter::new("team", "shop")];
    let of_team = SilenceRequest { policy: None, tags: tags.clone(), ..request() };
    silence(&*world.store, of_team, &mut world.rng()).await.unwrap();
    assert_eq!(silences(&*world.store).await.unwrap()[0].tags, tags);
    world.fails("shop", Cause::Unreachable).await;
    world.fails("wiki", Cause::StorageRefused).await;
    world.passes(&notifier).await;
    world.clock.advance(Duration::from_secs(20));
    assert_eq!(world.passes(&notifier).await, 1);
    assert!(world.list().await[0].content.contains("wiki"));
    world.fails("wiki", Cause::Unreachable).await;
    assert_eq!(world.passes(&notifier).await, 1, "an app without the tag is in the same incident now");
}
