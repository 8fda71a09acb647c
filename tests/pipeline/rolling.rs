//! A rolling restart: every process is stopped and started in turn.

use std::time::Duration;

use holdfast_model::{Clock as _, SystemClock};
use holdfast_simulator::Faults;
use holdfast_tests::postgres::Database;
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::ExposeSecret as _;

use crate::fleet::Shape;
use crate::pipeline_world::{PipelineWorld, ServiceUrls, is_begun};
use crate::process::logs;
use crate::store_against_azure::compare;
use crate::wait::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_loses_nothing_and_leaves_no_step_unfinished() {
    let Some(broker) = VirtualHost::new() else { return };
    let Some(database) = Database::new().await else { return };
    let database_url = database.url().expose_secret().to_owned();
    let service_urls =
        ServiceUrls { database: database_url.clone(), broker: broker.url().expose_secret().to_owned() };
    // The lease is long, so it expires only if a process left a step or a message behind.
    let shape = Shape {
        apps: 120,
        every_kind: false,
        faults: Faults { slow: 0.05, ..Faults::none() },
        slow_answer: Duration::from_secs(2),
        lease: Duration::from_secs(30),
        call_timeout: Duration::from_secs(5),
    };
    let mut world = PipelineWorld::new(shape, &service_urls, &database_url).await;
    world.start(2, 3).await;
    broker.tap_work();
    world.back_up_all().await;
    eventually("runs are under way", Duration::from_mins(2), async || {
        let runs = world.try_runs().await?;
        (runs.iter().filter(|run| is_begun(run)).count() > 5).then_some(())
    })
    .await;

    let clock = SystemClock::default();
    let restarted = clock.now();
    let mut midst = 0;
    for index in 0..world.processes.len() {
        midst += world.try_runs().await.unwrap().iter().filter(|run| is_begun(run)).count();
        let process = &mut world.processes[index];
        let code = process.stop(Duration::from_secs(25)).await;
        assert_eq!(code, Some(0), "{}: {}", process.name(), process.log());
        process.start_again();
        process.runs(Duration::from_mins(1)).await;
    }
    assert!(midst > 0, "no restart met a run under way");
    let mut died = world.ended_before(clock.now(), Duration::from_mins(5)).await;
    let unfinished = logs(world.folder()).into_iter().find(|(_, log)| log.contains("did not finish in time"));
    assert_eq!(unfinished, None);
    assert_eq!(world.leases_passed(), 0, "a process left a step or a message behind");

    world.stop_scheduling().await;
    died.extend(world.ended(Duration::from_mins(5)).await);
    world.record_messages(&broker);
    let mut counters = compare(&world, restarted).await;
    counters.unexpected.append(&mut died);
    println!("{midst} runs were under way when a process was stopped\n{counters}");
    counters.demand();
}
