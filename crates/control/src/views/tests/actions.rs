use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use holdfast_config::{EngineConfig, Fleet};
use holdfast_model::schedule::Schedule;
use holdfast_model::{
    Actor, App, AppId, Budget, Cause, Limits, ManualClock, Policy, PolicyName, PolicySnapshot, RunEvent,
    StateCode, StorageName, Trigger, Zone,
};
use holdfast_store::{Enrolled, MemoryStore, Observation, RequestKey, RunFilter, Store};

use super::fixture::{app, failed, good, left, now, reading, running, without_policy};
use crate::ErrorKind;
use crate::views::actions::{BackupAction, Selection, back_up, preview};
use crate::views::cache::FleetCache;
use crate::views::fleet::FleetQuery;
use crate::views::reading::FleetReading;

fn fleet(writes: Budget) -> Fleet {
    let schedule =
        Schedule { crontab: "0 2 * * *".parse().unwrap(), timezone: Zone::UTC, spread: Duration::ZERO };
    let snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    let gold = Policy::new(PolicyName::new("gold"), schedule, snapshot);
    Fleet {
        clouds: Vec::new(),
        storages: BTreeMap::new(),
        policies: [(gold.name.clone(), gold)].into(),
        effective: BTreeMap::new(),
        tags: holdfast_config::FileTags::default(),
        apps: Vec::new(),
        discover: Vec::new(),
        limits: Limits { writes, ..Limits::default() },
        engine: EngineConfig::default(),
        checkpoints: None,
        four_eyes: holdfast_config::FourEyes::default(),
        settings: BTreeMap::new(),
        notifications: holdfast_config::Notifications::default(),
    }
}

fn budget() -> Budget {
    Budget { capacity: 200.0, per_second: 10.0 }
}

fn matching(text: &str, count: usize) -> Selection {
    Selection::Matching { query: FleetQuery::from_url(text).unwrap(), count }
}

#[test]
fn a_preview_says_what_starts_what_is_under_way_and_what_it_costs() {
    let mut busy = failed("busy", Cause::TimedOut);
    busy.running = Some(running(StateCode::Polling, None));
    let mut silver = good("silver");
    silver.policy = Some(PolicyName::new("silver"));
    let mut apps: Vec<_> = (0..205).map(|place| failed(&format!("app-{place}"), Cause::TimedOut)).collect();
    apps.extend([busy, silver, without_policy("stray"), left("left")]);
    let reading = reading(apps);
    let fleet = fleet(budget());
    let all = preview(&reading, &fleet, &matching("", 208)).unwrap();
    assert_eq!((all.selected, all.starts.len()), (208, 205));
    assert_eq!(all.under_way, [app("busy")]);
    let why: Vec<&str> = all.left_out.iter().map(|left| left.why.as_str()).collect();
    assert_eq!(why, ["the fleet file has no policy `silver`", "it is in no policy"]);
    let writes = &all.writes[0];
    assert_eq!((writes.writes, writes.at_once, writes.takes_s), (205, 200, Some(1)));
    let two = Selection::Apps([app("app-1"), app("left")].into());
    let two = preview(&reading, &fleet, &two).unwrap();
    assert_eq!((two.starts, two.left_out[0].why.as_str()), (vec![app("app-1")], "it left the fleet"));
    assert_eq!(two.writes[0].takes_s, Some(0));
    let never = self::fleet(Budget { capacity: 1.0, per_second: 0.0 });
    assert_eq!(preview(&reading, &never, &matching("cause=timed_out", 206)).unwrap().writes[0].takes_s, None);
}

#[test]
fn a_selection_that_is_no_longer_what_the_person_saw_is_a_conflict() {
    let reading = reading([failed("a", Cause::TimedOut), failed("b", Cause::TimedOut), good("c")]);
    let fleet = fleet(budget());
    let error = preview(&reading, &fleet, &matching("cause=timed_out", 3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.to_string(), "3 apps matched when this was asked, and 2 match now; nothing was done");
    // The page that the person was on does not matter.
    let on_a_page = Selection::Matching {
        query: FleetQuery { after: Some("x".into()), ..FleetQuery::from_url("cause=timed_out").unwrap() },
        count: 2,
    };
    assert_eq!(preview(&reading, &fleet, &on_a_page).unwrap().starts.len(), 2);
    let unknown = Selection::Apps([app("nobody")].into());
    assert_eq!(preview(&reading, &fleet, &unknown).unwrap_err().kind(), ErrorKind::NotFound);
    let none = preview(&reading, &fleet, &Selection::Apps(BTreeSet::new())).unwrap();
    assert_eq!((none.selected, none.writes.len()), (0, 0));
}

async fn store(names: &[&str]) -> (Arc<MemoryStore>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(now()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let enrolled = |name: &&str| Enrolled {
        app: App { policy: Some(PolicyName::new("gold")), plan: Some("/p/1".into()), ..App::new(app(name)) },
        recovery_point_objective: None,
        retention: None,
        partial_is_good: false,
        schedule: None,
        observation: Observation::default(),
    };
    let fleet: Vec<Enrolled> = names.iter().map(enrolled).collect();
    store.sync_fleet(&fleet, &[]).await.unwrap();
    (store, clock)
}

async fn read(store: &Arc<MemoryStore>, clock: &Arc<ManualClock>) -> Arc<FleetReading> {
    FleetCache::new(store.clone(), clock.clone()).read().await.unwrap().reading
}

fn action(selection: Selection, key: &str) -> BackupAction {
    BackupAction {
        selection,
        actor: Actor::from("ann"),
        key: key.into(),
        asked_at: now(),
        request: None,
        left_out: Vec::new(),
    }
}

async fn apps_of_runs(store: &MemoryStore) -> Vec<AppId> {
    let filter = RunFilter { unfinished: true, ..RunFilter::default() };
    let mut apps: Vec<AppId> = store.runs(&filter).await.unwrap().into_iter().map(|run| run.app).collect();
    apps.sort();
    apps
}

#[tokio::test]
async fn a_request_adds_one_manual_run_for_each_app_in_the_name_of_the_person() {
    let (store, clock) = store(&["shop", "blog"]).await;
    let (fleet, reading) = (fleet(budget()), read(&store, &clock).await);
    let request = action(matching("condition=never_backed_up", 2), "k1");
    let started = back_up(&*store, &fleet, &reading, &request).await.unwrap();
    assert_eq!((started.runs.len(), started.is_repeated), (2, false));
    assert_eq!(apps_of_runs(&store).await, [app("blog"), app("shop")]);
    let run = store.load(started.runs[0]).await.unwrap().unwrap().run;
    assert_eq!(
        (run.trigger, run.plan.as_str(), run.policy.as_ref().map(PolicyName::as_str)),
        (Trigger::Manual, "/p/1", Some("gold"))
    );
    let events = store.events(run.id).await.unwrap();
    assert!(matches!(&events[0].event, RunEvent::Planned { actor: Some(actor), .. } if actor.name == "ann"));
}

#[tokio::test]
async fn a_request_that_is_sent_twice_adds_its_runs_once() {
    let (store, clock) = store(&["shop", "blog"]).await;
    let (fleet, reading) = (fleet(budget()), read(&store, &clock).await);
    let request = action(Selection::Apps([app("shop"), app("blog")].into()), "k1");
    // A double click: both are decided on the same reading.
    let both = futures::future::join(
        back_up(&*store, &fleet, &reading, &request),
        back_up(&*store, &fleet, &reading, &request),
    );
    let (first, second) = both.await;
    let repeated = [first.unwrap().is_repeated, second.unwrap().is_repeated];
    assert_eq!(repeated.iter().filter(|is| **is).count(), 1);
    assert_eq!(apps_of_runs(&store).await.len(), 2);
    // Another request finds them under way, and a later one of the same key changes nothing.
    let reading = read(&store, &clock).await;
    let other = back_up(&*store, &fleet, &reading, &action(request.selection.clone(), "k2")).await.unwrap();
    assert_eq!((other.runs.len(), other.under_way), (0, vec![app("blog"), app("shop")]));
    let again = back_up(&*store, &fleet, &reading, &request).await.unwrap();
    assert_eq!((again.runs.len(), again.is_repeated, again.under_way.len()), (0, true, 2));
    assert_eq!(apps_of_runs(&store).await.len(), 2);
}

#[tokio::test]
async fn two_people_who_ask_at_the_same_moment_each_get_their_run() {
    let (store, clock) = store(&["shop"]).await;
    let (fleet, reading) = (fleet(budget()), read(&store, &clock).await);
    let selection = Selection::Apps([app("shop")].into());
    let ann = back_up(&*store, &fleet, &reading, &action(selection.clone(), "k1")).await.unwrap();
    let bob = BackupAction { actor: Actor::from("bob"), ..action(selection, "k1") };
    let bob = back_up(&*store, &fleet, &reading, &bob).await.unwrap();
    assert_ne!(ann.runs, bob.runs);
}

#[tokio::test]
async fn a_request_with_a_key_is_answered_as_the_first_time_whatever_became_of_the_fleet() {
    let ((store, clock), fleet) = (store(&["one", "two"]).await, fleet(budget()));
    let key = RequestKey { principal: "ann".into(), key: "night".into(), fingerprint: "a".into() };
    let send = async |key: &RequestKey, asked: &str| {
        let reading = read(&store, &clock).await;
        let action = BackupAction { request: Some(key.clone()), ..action(matching("", 2), asked) };
        back_up(&*store, &fleet, &reading, &action).await
    };
    let first = send(&key, "one").await.unwrap();
    assert_eq!(first.runs.len(), 2);
    assert_eq!(send(&key, "another process").await.unwrap(), first);
    let other = RequestKey { fingerprint: "b".into(), ..key };
    assert_eq!(send(&other, "x").await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(apps_of_runs(&store).await.len(), 2);
}
