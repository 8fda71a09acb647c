//! Every kind of run, by policies and by an operator, while Azure fails and processes are killed.

use std::time::Duration;

use holdfast_model::{Clock as _, Run, RunKind, SystemClock, Trigger};
use holdfast_simulator::Faults;
use holdfast_store::{RunFilter, Store as _};
use holdfast_tests::postgres::Database;
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::ExposeSecret as _;

use crate::counters::Counters;
use crate::fleet::Shape;
use crate::operator::Operator;
use crate::pipeline_world::{PipelineWorld, ServiceUrls};
use crate::process::Process;
use crate::store_against_azure::{compare_backups, panics};
use crate::wait::{eventually, last};
use crate::{kinds_against_azure, secrets, store_against_azure};

fn shape() -> Shape {
    let faults = Faults {
        lost_post_answer: 0.08,
        throttle: 0.04,
        delete_failed: 0.2,
        restore_failed: 0.2,
        databases_dropped: 0.3,
        ..Faults::none()
    };
    Shape {
        apps: 36,
        every_kind: true,
        faults,
        slow_answer: Duration::ZERO,
        lease: Duration::from_secs(8),
        call_timeout: Duration::from_secs(2),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_run_comes_to_one_end_loses_no_backup_and_shows_no_secret() {
    let (Some(broker), Some(database)) = (VirtualHost::new(), Database::new().await) else { return };
    let url = database.url().expose_secret().to_owned();
    let service_urls = ServiceUrls { database: url.clone(), broker: broker.url().expose_secret().to_owned() };
    let mut world = PipelineWorld::new(shape(), &service_urls, &url).await;
    world.set("HOLDFAST_LOG", "debug".to_owned());
    let clock = SystemClock::default();
    world.start(2, 3).await;
    broker.tap_work();

    let mut processes = std::mem::take(&mut world.processes);
    let mut operator = Operator::new(&world);
    let kills = tokio::select! {
        never = kill_processes(&mut processes) => never,
        () = busy_minute(&mut operator) => None,
    };
    assert_eq!(kills, None, "the kills stop only with the operator");
    let (asked, theirs) = (operator.asked, operator.theirs);
    world.processes = processes;
    let until = clock.now();
    world.planned(until, Duration::from_mins(2)).await;
    let fault_time = clock.elapsed();
    world.simulated.azure().set_faults(Faults::none());
    world.stop_scheduling().await;
    let died = world.ended(Duration::from_mins(5)).await;
    let recovery = clock.elapsed().saturating_sub(fault_time);
    world.record_messages(&broker);

    let runs = world.store.runs(&RunFilter::default()).await.unwrap();
    let events = world.store.audit(0, u32::MAX).await.unwrap();
    let mut by_kind = kinds_against_azure::by_kind(&asked, &runs, &events);
    kinds_against_azure::effects(&world, &runs, &events, &mut by_kind);
    let mut whole = Counters::default();
    compare_backups(&world, (until, &theirs), by_kind.entry(RunKind::Backup).or_default()).await;
    store_against_azure::audit(&world, &runs.iter().collect::<Vec<_>>(), &events, &mut whole).await;
    panics(&world, &mut whole);
    whole.unexpected.extend(died);
    whole.unexpected.extend(kinds_against_azure::catalog(&world).await);
    whole.unexpected.extend(secrets::got_out(&world).await);
    println!("{fault_time:.0?} of faults, every run ended {recovery:.0?} later");
    for (kind, counters) in &by_kind {
        println!("{kind}: {counters}");
    }
    let deleted = kinds_against_azure::retained(&world, &runs).await;
    println!("retention deleted {deleted} backups; of the whole {whole}");
    whole.demand();
    by_kind.values().for_each(Counters::demand);
    // A fresh catalog is checked only when an hour has passed or something is owed.
    let took_place = by_kind.keys().filter(|kind| **kind != RunKind::CheckCatalog).count();
    assert_eq!(took_place, RunKind::ALL.len() - 1, "every kind of run took place");
    assert!(
        whole.recovered > 0 && world.simulated.azure().counters().lost_answers > 0,
        "no response was lost, or no run recovered"
    );
    assert!(deleted > 0, "retention deleted nothing");
}

/// Backs up every app, runs every command, and waits for the first maintenance runs.
async fn busy_minute(operator: &mut Operator<'_>) {
    let clock = SystemClock::default();
    operator.back_up_all().await;
    operator.all_have(1).await;
    println!("{:.1?}: everything has a backup", clock.elapsed());
    operator.back_up_all().await;
    operator.all_commands().await;
    println!("{:.1?}: every command is done", clock.elapsed());
    operator.back_up_all().await;
    let world = operator.world;
    eventually("maintenance has run", Duration::from_mins(2), async || {
        let runs = world.try_runs().await?;
        let by_policy = |kind| move |run: &Run| run.task.kind() == kind && run.trigger == Trigger::Policy;
        let found = |kind| runs.iter().any(by_policy(kind));
        (found(RunKind::Delete) && found(RunKind::Drill)).then_some(())
    })
    .await;
}

/// Kills random processes, except the first scheduler, whose first maintenance pass takes a minute to come.
async fn kill_processes(processes: &mut [Process]) -> Option<u32> {
    let mut rng = fastrand::Rng::with_seed(20);
    loop {
        last(Duration::from_millis(rng.u64(3_000..8_000))).await;
        let process = &mut processes[rng.usize(1..5)];
        println!("{} is killed", process.name());
        process.kill().await;
        process.start_again();
    }
}
