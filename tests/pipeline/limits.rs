//! A broker whose limits requeue and drop messages loses no run.

use std::time::Duration;

use holdfast_model::{Clock as _, SystemClock};
use holdfast_simulator::Faults;
use holdfast_tests::postgres::Database;
use holdfast_tests::servers::Servers;
use secrecy::ExposeSecret as _;

use crate::fleet::{NEVER, Shape};
use crate::pipeline_world::{PipelineWorld, ServiceUrls};
use crate::process::logs;
use crate::store_against_azure::compare;

const APPS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_low_consumer_timeout_and_a_low_delivery_limit_lose_no_run() {
    // Steps take up to three seconds; the broker closes a channel that holds a message for more than one.
    let Some(servers) = Servers::start(&["rabbitmq"], &["consumer_timeout = 1000"]) else { return };
    // The broker checks once a minute. Only this variable, which its configuration file cannot set, changes that.
    servers.rabbitmqctl(&["eval", "application:set_env(rabbit, channel_tick_interval, 500)."]);
    let Some(database) = Database::new().await else { return };
    let database_url = database.url().expose_secret().to_owned();
    let service_urls =
        ServiceUrls { database: database_url.clone(), broker: servers.fact("rabbitmq", "url").to_owned() };
    // The broker drops a redelivered message at once.
    let work = r"^holdfast\.(normal|urgent)$";
    servers.rabbitmqctl(&["set_policy", "--apply-to", "queues", "test", work, r#"{"delivery-limit": 0}"#]);
    let shape = Shape {
        apps: APPS,
        every_kind: false,
        faults: Faults { slow: 0.3, ..Faults::none() },
        slow_answer: Duration::from_secs(3),
        lease: Duration::from_secs(16),
        call_timeout: Duration::from_secs(4),
    };
    let mut world = PipelineWorld::new(shape, &service_urls, &database_url).await;
    world.simulated.write(world.folder(), NEVER);
    world.start(1, 2).await;
    world.back_up_all().await;
    let mut died = world.ended(Duration::from_mins(5)).await;
    let mut counters = compare(&world, SystemClock::default().now()).await;
    counters.unexpected.append(&mut died);
    println!("{counters}");
    counters.demand();
    assert_eq!(counters.outcomes["succeeded"], APPS, "{counters}");
    let logs: String = logs(world.folder()).into_values().collect();
    let taken_away = logs.matches("delivery acknowledgement on channel").count();
    let thrown_away = world.dead_letters().await.len();
    println!(
        "the broker took a worker's messages away {taken_away} times, and threw {thrown_away} of them away"
    );
    assert!(taken_away > 0 && thrown_away > 0, "the broker requeued or dropped no message");
}
