//! Schedulers are killed while they send notifications: each arrives, and one that arrives twice has one id.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use holdfast_model::schedule::{MissReason, MissedTick};
use holdfast_model::{App, AppId, NewRun, PolicySnapshot, RunId, StorageName};
use holdfast_simulator::Faults;
use holdfast_store::{Mode, PgStore, Store as _};
use holdfast_tests::collector::Collector;
use holdfast_tests::postgres::Database;
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::fleet::{NEVER, Shape};
use crate::pipeline_world::{PipelineWorld, ServiceUrls};
use crate::wait::{eventually, last};

/// The incidents of a usual test; `HOLDFAST_NOTIFICATIONS` overrides them.
const INCIDENTS: u64 = 150;
/// The incidents between two kills.
const PER_KILL: u64 = 50;
/// The default seed; `HOLDFAST_SEED` overrides it.
const SEED: u64 = 13;
/// No delivery takes longer, with a start of the program.
const DELIVERED: Duration = Duration::from_mins(1);

/// The value of a variable, or what it is without one.
fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Missed ticks, each of an app in a subscription of its own, so that each opens an incident.
async fn miss(store: &PgStore, subscriptions: std::ops::Range<u64>, rng: &mut fastrand::Rng) {
    let now = store.now().await.unwrap();
    let (snapshot, missed) = (
        PolicySnapshot::new(StorageName::new("sim"), "acct"),
        MissedTick { tick: now, reason: MissReason::TooLate },
    );
    let runs: Vec<NewRun> = subscriptions
        .map(|number| {
            let app = App::new(AppId::new(&format!("s-{number}"), "g", "shop", None));
            NewRun::missed(RunId::new(now, rng), &app, &snapshot, &missed, now)
        })
        .collect();
    store.add_runs(&runs).await.unwrap();
}

/// How often each notification arrived, by its id.
fn arrived(receiver: &Collector) -> BTreeMap<String, usize> {
    let mut found: BTreeMap<String, (Bytes, usize)> = BTreeMap::new();
    for body in receiver.bodies("/hook") {
        let event: Value = serde_json::from_slice(&body).unwrap();
        let id = event["id"].as_str().unwrap().to_owned();
        let (first, count) = found.entry(id).or_insert((body.clone(), 0));
        assert_eq!(*first, body, "what arrives twice says the same");
        *count += 1;
    }
    found.into_iter().map(|(id, (_, count))| (id, count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn notifications_of_schedulers_that_are_killed_arrive_and_hardly_any_twice() {
    let Some(broker) = VirtualHost::new() else { return };
    let Some(database) = Database::new().await else { return };
    let database_url = database.url().expose_secret().to_owned();
    let service_urls =
        ServiceUrls { database: database_url.clone(), broker: broker.url().expose_secret().to_owned() };
    let shape = Shape {
        apps: 1,
        every_kind: false,
        faults: Faults::none(),
        slow_answer: Duration::ZERO,
        lease: Duration::from_secs(30),
        call_timeout: Duration::from_secs(5),
    };
    let mut world = PipelineWorld::new(shape, &service_urls, &database_url).await;
    world.simulated.write(world.folder(), NEVER);
    let file = std::fs::read_to_string(world.folder().join("fleet.toml")).unwrap();
    let told = "[channel.ops]\ntype = \"webhook\"\nurl = \"env:HOOK\"\n[notify.all]\nchannels = [\"ops\"]\ngather = \"0s\"\n";
    std::fs::write(world.folder().join("fleet.toml"), format!("{file}{told}")).unwrap();
    let receiver = Collector::start().await;
    world.set("HOOK", format!("{}/hook", receiver.url()));
    world.start(2, 0).await;
    let store = PgStore::connect(&database.url(), Mode::Join).await.unwrap();
    eventually("a notifier has begun", DELIVERED, async || store.notifications().notifier().await.unwrap())
        .await;

    let (incidents, seed) = (setting("HOLDFAST_NOTIFICATIONS", INCIDENTS), setting("HOLDFAST_SEED", SEED));
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut kills = 0;
    for round in 0..incidents / PER_KILL {
        let before = receiver.bodies("/hook").len();
        miss(&store, round * PER_KILL..(round + 1) * PER_KILL, &mut rng).await;
        let some = usize::try_from(rng.u64(1..PER_KILL - 10)).unwrap();
        eventually("some arrive", DELIVERED, async || {
            (receiver.bodies("/hook").len() >= before + some).then_some(())
        })
        .await;
        last(Duration::from_millis(rng.u64(0..20))).await;
        let which = rng.usize(0..2);
        world.processes[which].kill().await;
        world.processes[which].start_again();
        kills += 1;
    }
    // What a killed process had leased is due again after a minute. Nobody works, so the minute may as well have passed.
    for process in &mut world.processes {
        process.kill().await;
    }
    let passed = "UPDATE notifications SET due_at = now() WHERE state = 'pending'";
    sqlx::raw_sql(passed).execute(&mut database.raw().await).await.unwrap();
    world.processes[0].start_again();
    eventually("all arrive", DELIVERED, async || {
        (arrived(&receiver).len() as u64 >= incidents).then_some(())
    })
    .await;
    let counts = arrived(&receiver);
    let doubles = counts.values().map(|count| count - 1).sum::<usize>();
    println!("seed {seed}: {incidents} notifications, {kills} kills, {doubles} arrived twice");
    assert_eq!(counts.len() as u64, incidents, "each notification has one id");
    assert!(doubles <= kills + 2, "a kill doubles at most the one that is being sent: {doubles}");
    let is_many = incidents >= 1_000;
    assert!(!is_many || doubles as u64 * 100 < incidents, "{doubles} of {incidents} arrived twice");
}
