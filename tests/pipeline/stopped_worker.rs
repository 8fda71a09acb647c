//! A worker that is stopped between loading a run and acting on it, until another worker has done the work.

use std::time::Duration;

use holdfast_model::{Clock as _, SystemClock};
use holdfast_simulator::Faults;
use holdfast_tests::postgres::Database;
use holdfast_tests::proxy::{Network, Proxy};
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::ExposeSecret as _;

use crate::fleet::{NEVER, Shape};
use crate::pipeline_world::{PipelineWorld, ServiceUrls};
use crate::store_against_azure::compare;
use crate::wait::{eventually, last};

const LEASE: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_stopped_past_its_lease_posts_nothing_and_loses_nothing() {
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
        lease: LEASE,
        call_timeout: Duration::from_secs(2),
    };
    let mut world = PipelineWorld::new(shape, &service_urls, &database_url).await;
    world.simulated.write(world.folder(), NEVER);
    // The first worker reaches storage through a network that stalls, so it stands still after it has loaded its run.
    let container = world.simulated.container();
    let (to_storage, through) = Proxy::before_url(&container).await;
    to_storage.set(Network::Stalled);
    let elsewhere = tempfile::tempdir().unwrap();
    let file = std::fs::read_to_string(world.folder().join("fleet.toml")).unwrap();
    assert!(file.contains(&container), "{file}");
    std::fs::write(elsewhere.path().join("fleet.toml"), file.replace(&container, &through)).unwrap();

    world.start(1, 0).await;
    let mut first = world.start_in("worker-1", elsewhere.path());
    first.runs(Duration::from_mins(1)).await;
    world.back_up_all().await;
    eventually("the first worker tests its SAS", Duration::from_mins(1), async || {
        (to_storage.accepted() > 0).then_some(())
    })
    .await;
    first.signal("-STOP").await;
    to_storage.set(Network::Open);
    let second = world.start_in("worker-2", world.folder());
    world.processes.push(second);
    let died = world.ended(Duration::from_mins(2)).await;
    assert_eq!(world.simulated.azure().accepted_posts().len(), 1);

    first.signal("-CONT").await;
    last(Duration::from_secs(4)).await;
    assert_eq!(world.simulated.azure().accepted_posts().len(), 1, "{}", first.log());
    assert!(world.leases_passed() > 0, "the lease of the stopped worker lapsed");
    assert_eq!(first.stop(Duration::from_secs(25)).await, Some(0), "{}", first.log());
    let mut counters = compare(&world, SystemClock::default().now()).await;
    counters.unexpected.extend(died);
    counters.demand();
    assert_eq!(counters.outcomes["succeeded"], 1, "{counters}");
}
