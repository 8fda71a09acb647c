//! The seeded simulation: the real planner, dispatcher and worker on in-memory doubles, under paused time.
//!
//! One seed determines everything that happens. Processes crash at any await; messages are lost, duplicated,
//! reordered and forged; responses are lost; Azure throttles, fails and forgets; a store loses commits that it confirmed. Then the faults stop, and every run must end with
//! nothing lost or duplicated.
//!
//! `HOLDFAST_SEEDS` is the number of seeds (200), `HOLDFAST_SEEDS_FROM` the first one (0), `HOLDFAST_SEED_JOBS` how
//! many run at once (the number of cores); `HOLDFAST_SEED` replays one seed.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bulkheads;
mod checkers;
mod counts;
mod doubles;
mod drawn_fleet;
mod faults;
mod operator;
mod people;
mod process;
mod quiet_world;
mod seeds;
mod simulated_world;
mod subscription_limits;
mod wiped_container;

use std::thread;

use counts::SeedCounts;
use holdfast_model::{RefreshReason, RunKind};
use holdfast_simulator::CallFault;
use seeds::{Report, Seeds};
use simulated_world::SimulatedWorld;

/// Every operation of Azure that runs and operators use.
const OPERATIONS: [&str; 13] = [
    "backup",
    "get_backup",
    "list_backups",
    "list_site_backups",
    "delete_backup",
    "backup_secrets",
    "restore",
    "restore_from_blob",
    "get_operation",
    "discover",
    "get_schedule",
    "put_schedule",
    "delete_schedule",
];

/// Answers that are not Azure's word, or not the whole of it.
const ODD_ANSWERS: [CallFault; 7] = [
    CallFault::GarbageAfter,
    CallFault::GarbageBefore,
    CallFault::GatewayAfter,
    CallFault::GatewayBefore,
    CallFault::OddForbidden,
    CallFault::OddNotFound,
    CallFault::UnreadableList,
];

/// Simulates one seed to its end and runs every checker.
fn simulate(seed: u64) -> SeedCounts {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    // The world is created inside the runtime, because its clock reads the runtime's paused time.
    runtime.block_on(async { SimulatedWorld::new(seed).run().await })
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: a whole number")))
}

fn seeds_from_environment() -> Seeds {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    Seeds {
        first: from_environment("HOLDFAST_SEEDS_FROM").unwrap_or_default(),
        count: from_environment("HOLDFAST_SEEDS").unwrap_or(200),
        jobs: from_environment("HOLDFAST_SEED_JOBS")
            .map_or_else(cores, |jobs| usize::try_from(jobs).unwrap()),
    }
}

#[test]
fn whatever_goes_wrong_nothing_is_lost_and_nothing_is_doubled() {
    if let Some(seed) = from_environment("HOLDFAST_SEED") {
        println!("seed {seed}: {:#?}", simulate(seed));
        return;
    }
    let chosen = seeds_from_environment();
    let Report { counts: total, passed: seeds, failures } = chosen.run(simulate);
    let failed: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{} seeds failed:\n{}", failed.len(), failed.join("\n"));
    println!("{seeds} seeds: {total:#?}");
    // A simulation without faults proves nothing.
    if seeds >= 50 {
        assert!(total.crashes > seeds && total.lost_answers > seeds && total.throttled > seeds, "{total:#?}");
        assert!(total.messages_lost > 0 && total.messages_doubled > 0 && total.adopted > 0, "{total:#?}");
        assert!(total.missed > 0 && total.retried > seeds, "{total:#?}");
        assert!(total.messages_forged > seeds, "{total:#?}");
        assert!(total.commits_lost > 0 && total.reads_refused > 0, "{total:#?}");
    }
    // Some events are rare: the first 200 seeds have enough of them, others may need more seeds.
    if seeds >= 1_000 || chosen.first == 0 && seeds >= 200 {
        let of = |kind: RunKind, outcome: &str| {
            total.ended.get(&format!("{kind} {outcome}")).copied().unwrap_or_default()
        };
        for kind in RunKind::ALL {
            assert!(of(kind, "succeeded") > 10, "{kind} runs rarely succeed: {total:#?}");
        }
        for reason in RefreshReason::ALL.map(RefreshReason::as_str) {
            assert!(total.sas_refreshes.get(reason).is_some_and(|count| *count > 0), "{reason}: {total:#?}");
        }
        for fault in ODD_ANSWERS.map(CallFault::as_str) {
            assert!(total.call_faults.get(fault).is_some_and(|count| *count > 10), "{fault}: {total:#?}");
        }
        assert!(total.failures_as_500 > 0, "{total:#?}");
        for operation in OPERATIONS {
            assert!(total.calls.get(operation).is_some_and(|calls| *calls > 10), "{operation}: {total:#?}");
        }
    }
}

#[test]
fn a_seed_replays_to_the_same_end() {
    for seed in [7, 20, 4711] {
        assert_eq!(simulate(seed), simulate(seed), "seed {seed}");
    }
}
