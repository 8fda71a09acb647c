//! Messages that no dispatcher sent do nothing.

use std::time::Duration;

use holdfast_arm::{ErrorKind, ThrottleScope};
use holdfast_model::{Limits, RunId, RunState, Wakeup};
use holdfast_worker::Stepped;

use crate::fixtures::fake_arm::PostResult;
use crate::fixtures::worker_world::{LEASE, WorkerWorld};

/// Numbers that an attacker may try: none, an old one, and invented ones.
fn guesses(old: Wakeup) -> [i64; 4] {
    [0, old.nonce, 1, i64::MAX]
}

/// Steps on forged messages of the run's version, which must do nothing.
async fn forge(world: &WorkerWorld, run_id: RunId, old: Wakeup) {
    let (version, calls) = (world.store_run(run_id).await.version, world.arm.calls().len());
    for nonce in guesses(old) {
        let forged = Wakeup { run_id, version, nonce };
        assert_eq!(world.step(forged).await.unwrap(), Stepped::NotLeased, "{forged:?}");
    }
    assert_eq!(world.arm.calls().len(), calls);
    assert_eq!(world.store_run(run_id).await.version, version);
}

/// The attack that was tried: three forged messages during a `Retry-After` made three POSTs.
#[tokio::test]
async fn forged_messages_make_no_post_while_azure_asked_to_wait() {
    let world = WorkerWorld::new();
    let retry_after = Some(Duration::from_mins(10));
    let throttled = ErrorKind::Throttled { retry_after, scope: ThrottleScope::Provider };
    world.arm.script_posts([PostResult::Refused(throttled)]);
    let run = world.add_run("shop").await;
    let wakeup = world.acquire_due().await.remove(0);
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::Done);
    assert!(matches!(world.store_run(run).await.state, RunState::Waiting { .. }));
    forge(&world, run, wakeup).await;
    world.run_to_end().await;
    assert_eq!(world.arm.accepted().len(), 1);
}

/// The attack that was tried: four forged messages made five backups in a plan limited to one.
#[tokio::test]
async fn forged_messages_make_no_more_backups_than_a_plan_may_run() {
    let world = WorkerWorld::new();
    for site in ["a", "b", "c", "d", "e"] {
        world.add_run(site).await;
    }
    let limits = Limits { per_plan: 1, ..Limits::default() };
    let leased = world.acquire_within(&limits).await;
    assert_eq!(leased.len(), 1);
    assert_eq!(world.step(leased[0]).await.unwrap(), Stepped::Done);
    for run in world.runs().await.into_iter().filter(|run| run.id != leased[0].run_id) {
        forge(&world, run.id, leased[0]).await;
    }
    assert_eq!(world.arm.accepted().len(), 1);
}

#[tokio::test]
async fn a_message_is_worth_nothing_once_its_lease_has_lapsed_or_another_one_was_granted() {
    let world = WorkerWorld::new();
    let run = world.add_run("shop").await;
    let old = world.acquire_due().await.remove(0);
    world.clock.advance(LEASE);
    assert_eq!(world.step(old).await.unwrap(), Stepped::NotLeased, "before the lease is reclaimed");
    let new = world.acquire_due().await.remove(0);
    assert_eq!(world.step(old).await.unwrap(), Stepped::Dropped);
    assert_eq!(world.step(Wakeup { version: new.version, ..old }).await.unwrap(), Stepped::NotLeased);
    assert_eq!(world.arm.calls().len(), 0);
    assert_eq!(world.step(new).await.unwrap(), Stepped::Done);
    assert!(world.store_run(run).await.version > new.version);
}
