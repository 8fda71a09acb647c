//! The keys of the issuer: kept, changed, and away.

use std::time::Duration;

use holdfast_entra::{Error, LoginAttempt, Refusal};
use serde_json::json;

use crate::fake_issuer::World;
use crate::signer::Signer;

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn the_keys_are_asked_for_once_a_day_also_by_many_at_once() {
    let world = World::new();
    let token = Signer::first().sign(&world.claims(&json!({ "exp": 4_000_000_000_u32 })));
    let (one, two) = tokio::join!(world.entra.bearer(&token), world.entra.bearer(&token));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(world.keys_asked(), 1);
    world.clock.advance(Duration::from_hours(24));
    for _ in 0..3 {
        assert!(world.entra.bearer(&token).await.is_ok());
        tokio::task::yield_now().await;
    }
    assert_eq!(world.keys_asked(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_and_made_up_keys_ask_once_a_minute_at_most() {
    let (world, old, new) = (World::new(), Signer::first(), Signer::second());
    let claims = world.claims(&json!({}));
    assert!(world.entra.bearer(&old.sign(&claims)).await.is_ok());
    world.issuer().keys = vec![new.jwk()];
    let refused = world.entra.bearer(&new.sign(&claims)).await;
    assert_eq!(refused.unwrap_err(), Error::Refused(Refusal::UnknownKey), "asked a moment ago");
    world.clock.advance(MINUTE);
    assert!(world.entra.bearer(&new.sign(&claims)).await.is_ok());
    let given_up = world.entra.bearer(&old.sign(&claims)).await;
    assert_eq!(given_up.unwrap_err(), Error::Refused(Refusal::UnknownKey));
    for number in 0..50 {
        let header = json!({ "alg": "RS256", "kid": format!("made-up-{number}") });
        assert!(world.entra.bearer(&new.sign_under(&header, &claims)).await.is_err());
    }
    assert_eq!(world.keys_asked(), 2);
}

#[tokio::test]
async fn the_last_keys_serve_for_a_week_while_entra_is_away() {
    let world = World::new();
    let token = Signer::first().sign(&world.claims(&json!({ "exp": 4_000_000_000_u32 })));
    assert!(world.entra.bearer(&token).await.is_ok());
    world.issuer().is_away = true;
    for _ in 0..6 {
        world.clock.advance(Duration::from_hours(24));
        assert!(world.entra.bearer(&token).await.is_ok());
        tokio::task::yield_now().await;
    }
    let asked = world.issuer().asked.len();
    assert!(world.entra.bearer(&token).await.is_ok());
    tokio::task::yield_now().await;
    assert_eq!(world.issuer().asked.len(), asked, "asked a moment ago");
    world.clock.advance(Duration::from_hours(24));
    assert!(matches!(world.entra.bearer(&token).await, Err(Error::Unavailable(_))));
    world.issuer().is_away = false;
    world.clock.advance(MINUTE);
    assert!(world.entra.bearer(&token).await.is_ok());
}

#[tokio::test]
async fn without_keys_nobody_logs_in_and_entra_is_asked_again_soon() {
    let world = World::new();
    world.issuer().is_away = true;
    let attempt = LoginAttempt::of([[1; 32], [2; 32], [3; 32]]);
    let error = world.entra.login_url(&attempt).await.unwrap_err();
    assert_eq!(error.to_string(), "Entra ID cannot be asked for its keys: no connection");
    world.issuer().is_away = false;
    assert!(world.entra.login_url(&attempt).await.is_err(), "asked a moment ago");
    world.clock.advance(Duration::from_secs(5));
    assert!(world.entra.login_url(&attempt).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_entra_that_does_not_answer_is_given_up_in_time_for_a_page() {
    let world = World::new();
    world.issuer().is_silent = true;
    let began = tokio::time::Instant::now();
    let attempt = LoginAttempt::of([[1; 32], [2; 32], [3; 32]]);
    assert!(matches!(world.entra.log_in("code", &attempt).await, Err(Error::Unavailable(_))));
    assert_eq!(began.elapsed(), Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn old_keys_serve_at_once_while_an_entra_that_is_asked_again_does_not_answer() {
    let world = World::new();
    let token = Signer::first().sign(&world.claims(&json!({ "exp": 4_000_000_000_u32 })));
    assert!(world.entra.bearer(&token).await.is_ok());
    world.issuer().is_silent = true;
    world.clock.advance(Duration::from_hours(24));
    let began = tokio::time::Instant::now();
    for _ in 0..3 {
        assert!(world.entra.bearer(&token).await.is_ok());
        tokio::task::yield_now().await;
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_client_that_leaves_does_not_keep_the_keys_from_the_others() {
    let world = World::new();
    let token = Signer::first().sign(&world.claims(&json!({})));
    let mut leaving = Box::pin(world.entra.bearer(&token));
    assert!(futures::poll!(leaving.as_mut()).is_pending());
    drop(leaving);
    assert!(world.entra.bearer(&token).await.is_ok());
    assert_eq!(world.keys_asked(), 1);
}
