//! A fleet whose container is wiped says so by itself within a day, and deletes nothing more.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use holdfast_model::schedule::Schedule;
use holdfast_model::{Policy, Retention};
use holdfast_simulator::Faults;
use holdfast_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::faults::{FaultRates, pause};
use crate::process::{Parts, run_process};
use crate::simulated_world::SimulatedWorld;

const NO_FAULTS: FaultRates = FaultRates {
    crash: 0.0,
    stall: 0.0,
    store_error: 0.0,
    message_lost: 0.0,
    message_doubled: 0.0,
    message_forged: 0.0,
    read_refused: 0.0,
    failure_as_500: 0.0,
};

/// A backup in each of two nights, kept for two days and at least one.
fn nightly(policy: &mut Policy) {
    policy.schedule = Schedule { crontab: "30 2 29,30 * *".parse().unwrap(), ..policy.schedule.clone() };
    policy.retention = Some(Retention { dry_run: false, ..Retention::new(2, 1) });
    (policy.drill, policy.native_schedule) = (None, None);
}

/// What a fleet reports a day after its container was, or was not, wiped, and how many backups it then deletes.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    apps: usize,
    with_losses: usize,
    with_good_backup: usize,
    deletions: usize,
}

/// Two nights of backups, then perhaps a wipe, then two days.
async fn two_nights(is_wiped: bool) -> Report {
    let mut world = SimulatedWorld::new(3);
    world.faults_on.store(false, Ordering::Relaxed);
    world.azure.lock().unwrap().set_faults(Faults::none());
    world.storage.unreachable.lock().unwrap().0 = 0.0;
    world.fleet.policies.values_mut().for_each(nightly);
    let (_fleet, fleet) = watch::channel(Arc::new(world.fleet.clone()));
    let enrolled = world.fleet.enrolled(crate::simulated_world::start());
    world.store.sync_fleet(&enrolled, &[]).await.unwrap();
    let parts = world.parts(fleet, Arc::new(world.fleet.clone()));
    let parts = Parts { rates: NO_FAULTS, check_every: Duration::from_hours(24), ..parts };
    let stop = CancellationToken::new();
    let process = tokio::spawn(run_process(parts, fastrand::Rng::with_seed(1), stop.clone()));
    pause(Duration::from_hours(28)).await;
    if is_wiped {
        let place = world.place.clone();
        assert!(world.azure.lock().unwrap().wipe_container(&place.account, &place.container) > 0);
    }
    // A day, and the time of the second look.
    pause(Duration::from_hours(25)).await;
    let status = world.store.status().await.unwrap();
    pause(Duration::from_hours(17)).await;
    stop.cancel();
    process.await.unwrap();
    Report {
        apps: status.len(),
        with_losses: status.iter().filter(|status| status.check.lost == 2).count(),
        with_good_backup: status.iter().filter(|status| status.last_good_at.is_some()).count(),
        deletions: world.azure.lock().unwrap().accepted_deletes().len(),
    }
}

fn simulated(is_wiped: bool) -> Report {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(two_nights(is_wiped))
}

#[test]
fn a_fleet_whose_container_was_wiped_says_so_within_a_day_and_deletes_nothing_more() {
    let Report { apps, deletions, with_good_backup, .. } = simulated(false);
    assert_eq!((with_good_backup, deletions), (apps, apps), "each app has its first backup deleted");
    assert_eq!(simulated(true), Report { apps, with_losses: apps, with_good_backup: 0, deletions: 0 });
}
