//! All faults together: no run is lost or duplicated.

use std::time::Duration;

use holdfast_model::{Clock as _, SystemClock};
use holdfast_simulator::Faults;
use holdfast_tests::proxy::Proxy;
use holdfast_tests::rabbitmq::VirtualHost;
use holdfast_tests::servers::Servers;
use secrecy::ExposeSecret as _;

use crate::faults::{Targets, inject_faults};
use crate::fleet::Shape;
use crate::pipeline_world::{PipelineWorld, ServiceUrls, is_begun};
use crate::store_against_azure::compare;
use crate::wait::eventually;

const APPS: usize = 300;
const FAULT_PERIOD: Duration = Duration::from_secs(75);
/// The default seed; `HOLDFAST_SEED` overrides it.
const SEED: u64 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn two_schedulers_and_three_workers_under_all_faults_lose_and_double_nothing() {
    let Some(servers) = Servers::start(&["rabbitmq", "postgres"], &[]) else { return };
    let broker = VirtualHost::on(&servers);
    let database_url = servers.fact("postgres", "url").to_owned();
    let (to_broker, broker_url) = Proxy::before_url(broker.url().expose_secret()).await;
    let (to_database, proxied_url) = Proxy::before_url(&database_url).await;
    let service_urls = ServiceUrls { database: proxied_url, broker: broker_url };
    let mut targets = Targets { servers, broker, to_broker, to_database };
    let faults = Faults { timed_out: 0.03, lost_post_answer: 0.05, slow: 0.01, ..Faults::none() };
    let shape = Shape {
        apps: APPS,
        every_kind: false,
        faults,
        slow_answer: Duration::from_secs(3),
        lease: Duration::from_secs(8),
        call_timeout: Duration::from_secs(2),
    };
    let mut world = PipelineWorld::new(shape, &service_urls, &database_url).await;
    world.start(2, 3).await;
    targets.broker.tap_work();
    // Faults start once the first run has started.
    eventually("a run is under way", Duration::from_mins(2), async || {
        world.try_runs().await?.iter().any(is_begun).then_some(())
    })
    .await;

    let seed = std::env::var("HOLDFAST_SEED").map_or(SEED, |text| text.parse().unwrap());
    println!("seed {seed}");
    let clock = SystemClock::default();
    let (met, mut died) = inject_faults(&mut world, &mut targets, FAULT_PERIOD, seed).await;
    let until = clock.now();
    let fault_time = clock.elapsed();
    world.planned(until, Duration::from_mins(2)).await;
    world.stop_scheduling().await;
    died.extend(world.ended(Duration::from_mins(6)).await);
    let recovery = clock.elapsed().saturating_sub(fault_time);
    world.record_messages(&targets.broker);
    let mut counters = compare(&world, until).await;
    counters.unexpected.append(&mut died);
    println!("{fault_time:.0?} of faults, every run ended {recovery:.0?} later: met {met:?}\n{counters}");
    counters.demand();
    assert!(counters.leases_passed > 0 && counters.recovered > 0, "no fault had an effect: {counters}");
    assert!(counters.outcomes["succeeded"] >= APPS, "{counters}");
}
