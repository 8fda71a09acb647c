//! The delay after an outage of the broker.

use std::net::TcpStream;
use std::time::Duration;

use holdfast_model::{Clock as _, SystemClock, Timestamp};
use holdfast_simulator::Faults;
use holdfast_tests::postgres::Database;
use holdfast_tests::servers::Servers;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::fleet::Shape;
use crate::pipeline_world::{PipelineWorld, ServiceUrls};
use crate::store_against_azure::compare;
use crate::wait::{eventually, last};

const LEASE: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_down_for_a_minute_costs_at_most_the_lease_and_ten_seconds() {
    let Some(mut servers) = Servers::start(&["rabbitmq"], &[]) else { return };
    let Some(database) = Database::new().await else { return };
    let database_url = database.url().expose_secret().to_owned();
    let service_urls =
        ServiceUrls { database: database_url.clone(), broker: servers.fact("rabbitmq", "url").to_owned() };
    let shape = Shape {
        apps: 60,
        every_kind: false,
        faults: Faults::none(),
        slow_answer: Duration::ZERO,
        lease: LEASE,
        call_timeout: Duration::from_secs(2),
    };
    let mut world = PipelineWorld::new(shape, &service_urls, &database_url).await;
    world.start(2, 3).await;
    let accepted = |world: &PipelineWorld| world.simulated.azure().counters().accepted_posts;
    eventually("Azure accepted a POST", Duration::from_mins(2), async || {
        (accepted(&world) > 0).then_some(())
    })
    .await;

    let clock = SystemClock::default();
    servers.tell("stop rabbitmq");
    last(Duration::from_mins(1)).await;
    assert_eq!(world.revive(), Vec::<String>::new());
    let port = service_urls.broker.parse::<Url>().unwrap().port().unwrap();
    // Watch the port, because `start` returns only when the management API is up too.
    let back = std::thread::spawn(move || back(port));
    servers.tell("start rabbitmq");
    let back_at = back.join().unwrap();
    let first = eventually("Azure accepted a POST again", Duration::from_mins(2), async || {
        let azure = world.simulated.azure();
        azure.accepted_posts().iter().find(|post| post.at > back_at).map(|post| post.at)
    })
    .await;
    let cost = (first - back_at).to_std().unwrap();
    println!("the first POST came {:.1} s after the broker was back", cost.as_secs_f64());
    assert!(cost <= LEASE + Duration::from_secs(10), "{cost:?}");

    let until = clock.now();
    world.planned(until, Duration::from_mins(2)).await;
    world.stop_scheduling().await;
    let mut died = world.ended(Duration::from_mins(5)).await;
    let mut counters = compare(&world, until).await;
    counters.unexpected.append(&mut died);
    println!("{counters}");
    counters.demand();
}

/// Blocks until a server listens on `port`, and returns the time. Run it on its own thread.
fn back(port: u16) -> Timestamp {
    let clock = SystemClock::default();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(clock.elapsed() < Duration::from_mins(1), "the broker does not restart");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    clock.now()
}
