//! API tokens, and requests with a key.

use std::time::Duration;

use holdfast_access::{ApiToken, Role, Scope, TokenText};
use holdfast_model::{NewRun, OperatorAction, PolicyName};
use holdfast_store::{RequestAnswer, RequestKey};

use crate::fixture::{StoreFixture, app, policy_snapshot, secs};

on_every_store!(
    a_token_is_kept_with_its_record_and_comes_back_as_it_was_made,
    a_name_is_free_again_when_its_token_is_revoked,
    a_revoked_token_stays_revoked_and_is_recorded_once,
    the_use_of_a_token_is_recorded_every_ten_minutes,
    a_request_adds_its_runs_once_and_its_key_serves_no_other,
    the_key_of_a_request_is_forgotten_after_a_day,
    requests_at_the_same_time_add_their_runs_once,
    a_request_whose_run_is_left_out_adds_nothing,
);

fn token(fixture: &StoreFixture, seed: u8, name: &str) -> ApiToken {
    let text = TokenText::of([seed; 32]);
    ApiToken {
        id: text.id(),
        name: name.to_owned(),
        hash: text.hash(),
        role: Role::Operator,
        scope: Scope::of([PolicyName::new("gold"), PolicyName::new("silver")]),
        created_by: "it's \"ann\"".into(),
        created_login: Some("oidc".into()),
        created_at: fixture.now(),
        expires_at: fixture.now() + Duration::from_hours(24),
        last_used_at: None,
        revoked_at: None,
    }
}

fn record(fixture: &StoreFixture) -> NewRun {
    let action = OperatorAction::LoggedIn;
    let (now, snapshot) = (fixture.now(), policy_snapshot());
    NewRun::operator_action(fixture.id(), &app("shop"), &snapshot, action, "ann".into(), now)
}

async fn events(fixture: &StoreFixture) -> usize {
    fixture.store.audit(0, 99).await.unwrap().len()
}

async fn a_token_is_kept_with_its_record_and_comes_back_as_it_was_made(fixture: &StoreFixture) {
    let (one, store) = (token(fixture, 1, "ci"), &fixture.store);
    assert!(store.add_token(&one, &record(fixture)).await.unwrap());
    fixture.advance(1);
    let two = ApiToken { scope: Scope::ALL, role: Role::Admin, ..token(fixture, 2, "ann") };
    assert!(store.add_token(&two, &record(fixture)).await.unwrap());
    assert_eq!(store.token(&one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(store.token("0").await.unwrap(), None);
    assert_eq!(store.tokens().await.unwrap(), [one, two]);
    assert_eq!(events(fixture).await, 2);
}

async fn a_name_is_free_again_when_its_token_is_revoked(fixture: &StoreFixture) {
    let store = &fixture.store;
    let (one, two) = (token(fixture, 1, "ci"), token(fixture, 2, "ci"));
    assert!(store.add_token(&one, &record(fixture)).await.unwrap());
    assert!(!store.add_token(&two, &record(fixture)).await.unwrap(), "the name is taken");
    assert_eq!(events(fixture).await, 1, "what was not done is not recorded");
    assert!(store.revoke_token(&one.id, &record(fixture)).await.unwrap());
    assert!(store.add_token(&two, &record(fixture)).await.unwrap());
    let again = ApiToken { name: "other".into(), ..one };
    assert!(!store.add_token(&again, &record(fixture)).await.unwrap(), "the text was used");
}

async fn a_revoked_token_stays_revoked_and_is_recorded_once(fixture: &StoreFixture) {
    let (one, store) = (token(fixture, 1, "ci"), &fixture.store);
    assert!(!store.revoke_token(&one.id, &record(fixture)).await.unwrap());
    store.add_token(&one, &record(fixture)).await.unwrap();
    fixture.advance(5);
    assert!(store.revoke_token(&one.id, &record(fixture)).await.unwrap());
    let revoked_at = Some(fixture.now());
    fixture.advance(5);
    assert!(!store.revoke_token(&one.id, &record(fixture)).await.unwrap());
    assert_eq!(store.token(&one.id).await.unwrap().unwrap().revoked_at, revoked_at);
    assert_eq!(events(fixture).await, 2);
}

async fn the_use_of_a_token_is_recorded_every_ten_minutes(fixture: &StoreFixture) {
    let (one, store) = (token(fixture, 1, "ci"), &fixture.store);
    store.add_token(&one, &record(fixture)).await.unwrap();
    let mut used = Vec::new();
    for seconds in [0, 599, 1] {
        fixture.advance(seconds);
        store.token_used(&one.id, fixture.now()).await.unwrap();
        let last = store.token(&one.id).await.unwrap().unwrap().last_used_at.unwrap();
        used.push((last - one.created_at).num_seconds());
    }
    assert_eq!(used, [0, 0, 600]);
    store.token_used("0", fixture.now()).await.unwrap();
}

fn key(principal: &str, key: &str, fingerprint: &str) -> RequestKey {
    let [principal, key, fingerprint] = [principal, key, fingerprint].map(str::to_owned);
    RequestKey { principal, key, fingerprint }
}

async fn a_request_adds_its_runs_once_and_its_key_serves_no_other(fixture: &StoreFixture) {
    let store = &fixture.store;
    let once = async |key: &RequestKey| {
        let runs = [fixture.manual(&app("shop")), fixture.manual(&app("blog"))];
        store.add_runs_once(key, "{\"it's\": 1}", &runs).await.unwrap()
    };
    let night = key("ann", "night", "a");
    assert_eq!(store.request(&night).await.unwrap(), RequestAnswer::New);
    assert_eq!(once(&night).await, RequestAnswer::New);
    let answered = RequestAnswer::Answered("{\"it's\": 1}".into());
    assert_eq!((once(&night).await, events(fixture).await), (answered.clone(), 2));
    assert_eq!(store.request(&night).await.unwrap(), answered);
    let other = key("ann", "night", "b");
    assert_eq!((once(&other).await, events(fixture).await), (RequestAnswer::Reused, 2));
    assert_eq!(store.request(&other).await.unwrap(), RequestAnswer::Reused);
    assert_eq!(once(&key("bob", "night", "a")).await, RequestAnswer::New, "the key is another's");
    assert_eq!(events(fixture).await, 4);
}

async fn the_key_of_a_request_is_forgotten_after_a_day(fixture: &StoreFixture) {
    let night = key("ann", "night", "a");
    let mut known = Vec::new();
    for hours in [0, 23, 1] {
        fixture.advance(hours * 3_600);
        let runs = [fixture.manual(&app("shop"))];
        let answer = fixture.store.add_runs_once(&night, "first", &runs).await.unwrap();
        known.push(answer == RequestAnswer::New);
    }
    assert_eq!(known, [true, false, true]);
    assert_eq!(events(fixture).await, 2);
}

async fn requests_at_the_same_time_add_their_runs_once(fixture: &StoreFixture) {
    let mut senders = tokio::task::JoinSet::new();
    for n in 0..6 {
        let (store, runs) = (fixture.store.clone(), [fixture.manual(&app("shop"))]);
        let night = key("ann", "night", "a");
        senders.spawn(async move { store.add_runs_once(&night, &n.to_string(), &runs).await.unwrap() });
    }
    let answers = senders.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == RequestAnswer::New).count(), 1);
    let first = answers.iter().find(|answer| **answer != RequestAnswer::New).unwrap();
    assert!(answers.iter().all(|answer| *answer == RequestAnswer::New || answer == first), "{answers:?}");
    assert_eq!(events(fixture).await, 1);
}

async fn a_request_whose_run_is_left_out_adds_nothing(fixture: &StoreFixture) {
    let push = || holdfast_model::Task::PushSchedule { schedule: None, databases: Vec::new(), renews: None };
    fixture.add_task(&app("shop"), push()).await;
    let taken = fixture.task_run(&app("shop"), push(), holdfast_model::Trigger::Manual);
    let runs = [fixture.manual(&app("blog")), taken];
    let night = key("ann", "night", "a");
    assert!(fixture.store.add_runs_once(&night, "never", &runs).await.is_err());
    assert_eq!(fixture.store.request(&night).await.unwrap(), RequestAnswer::New);
    fixture.advance(secs(1).as_secs());
    assert_eq!(events(fixture).await, 1);
}
