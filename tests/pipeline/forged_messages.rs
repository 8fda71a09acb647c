//! Whoever may publish at the broker forges and replays messages: no step follows.

use std::time::Duration;

use holdfast_model::{Run, RunState};
use holdfast_simulator::Faults;
use holdfast_tests::postgres::Database;
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::ExposeSecret as _;

use crate::fleet::{NEVER, Shape};
use crate::pipeline_world::{PipelineWorld, ServiceUrls};
use crate::process::fetched;
use crate::wait::eventually;

/// Publishes a wake-up of the run's version for each number that an attacker may try.
fn forge(broker: &VirtualHost, run: &Run) -> u64 {
    let numbers = [0, 1, i64::MAX];
    for nonce in numbers {
        let body = format!(r#"{{"v":1,"run_id":"{}","version":{},"nonce":{nonce}}}"#, run.id, run.version);
        broker.publish_to("holdfast", "normal", body.as_bytes());
    }
    numbers.len() as u64
}

/// Messages that the worker dropped: without a lease, or of a version that has passed meanwhile.
async fn refused(world: &PipelineWorld) -> u64 {
    let worker = world.processes.iter().find(|process| process.name().starts_with("worker")).unwrap();
    let page = fetched(worker.listens_at().unwrap(), "/metrics").await;
    let is_dropped = |line: &&str| line.contains("\"not_leased\"") || line.contains("\"dropped\"");
    let lines = page.lines().filter(|line| line.starts_with("holdfast_steps_total")).filter(is_dropped);
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

async fn all_refused(world: &PipelineWorld, count: u64) {
    eventually("every forged message was dropped", Duration::from_secs(30), async || {
        (refused(world).await >= count).then_some(())
    })
    .await;
}

/// Calls of `POST /backup`.
fn posts(world: &PipelineWorld) -> u64 {
    world.simulated.azure().counters().calls.get("backup").copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_messages_make_no_post_and_exceed_no_limit() {
    let Some(broker) = VirtualHost::new() else { return };
    let Some(database) = Database::new().await else { return };
    let database_url = database.url().expose_secret().to_owned();
    let service_urls =
        ServiceUrls { database: database_url.clone(), broker: broker.url().expose_secret().to_owned() };
    let shape = Shape {
        apps: 5,
        every_kind: false,
        faults: Faults::none(),
        slow_answer: Duration::ZERO,
        lease: Duration::from_secs(30),
        call_timeout: Duration::from_secs(5),
    };
    let mut world = PipelineWorld::new(shape, &service_urls, &database_url).await;
    world.simulated.write(world.folder(), NEVER);
    let path = world.folder().join("fleet.toml");
    let file = std::fs::read_to_string(&path).unwrap().replace("per_account = 500", "per_account = 1");
    std::fs::write(&path, file).unwrap();
    world.start(1, 1).await;

    // One backup runs, and four wait for it.
    world.back_up_all().await;
    eventually("a backup is under way", Duration::from_mins(1), async || (posts(&world) == 1).then_some(()))
        .await;
    let waiting: Vec<Run> = world.try_runs().await.unwrap();
    let waiting = waiting.iter().filter(|run| matches!(run.state, RunState::Planned));
    let mut forged: u64 = waiting.take(4).map(|run| forge(&broker, run)).sum();
    assert!(forged >= 9, "{forged}");
    all_refused(&world, forged).await;
    let most = world.simulated.azure().accepted_posts().len() as u64;
    assert!(posts(&world) == most && most <= 2, "{most} backups");
    let died = world.ended(Duration::from_mins(2)).await;
    assert_eq!((died, posts(&world)), (Vec::new(), 5));

    // Azure is busy, and the run waits for half a minute.
    world.simulated.azure().set_faults(Faults { conflict: 1.0, ..Faults::none() });
    let app = world.simulated.app(0);
    assert!(world.run(&["backup", &app]).await.status.success());
    let run = eventually("a run waits for Azure", Duration::from_mins(1), async || {
        let runs = world.try_runs().await?;
        runs.into_iter().find(|run| matches!(run.state, RunState::Waiting { .. }))
    })
    .await;
    let before = posts(&world);
    forged += forge(&broker, &run);
    all_refused(&world, forged).await;
    assert_eq!(posts(&world), before, "a step without a lease");
}
