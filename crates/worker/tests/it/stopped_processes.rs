//! Processes that are stopped inside a step.

use std::time::Duration;

use holdfast_model::{Clock, RunState};
use holdfast_store::Store;
use holdfast_worker::{Settings, Stepped};

use crate::fixtures::fake_arm::PostResult;
use crate::fixtures::worker_world::WorkerWorld;
use crate::fixtures::yield_points::poll_times;

#[tokio::test]
async fn a_process_that_is_stopped_inside_the_load_starts_no_attempt() {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    // No dispatcher ran meanwhile, so the run still has its version.
    *world.store.load_stall.lock().unwrap() = Some((world.clock.clone(), Duration::from_mins(10)));
    let wakeup = world.acquire_due().await[0];
    assert_eq!(world.step(wakeup).await.unwrap(), Stepped::HostSuspended);
    assert_eq!(world.arm.calls(), [""; 0]);
    world.store.reclaim().await.unwrap();
    world.run_to_end().await;
    assert_eq!(world.arm.accepted().len(), 1);
}

#[tokio::test]
async fn a_short_stop_inside_the_load_makes_no_intent_older_than_its_send_window() {
    let world = WorkerWorld::new();
    world.add_run("shop").await;
    let stall = Duration::from_secs(9);
    *world.store.load_stall.lock().unwrap() = Some((world.clock.clone(), stall));
    world.arm.script_posts([PostResult::AnswerLost]);
    let wakeup = world.acquire_due().await[0];
    let mut step = std::pin::pin!(world.step(wakeup));
    // The step is dropped at some place after its intent: the row must not be due while its request may still leave.
    loop {
        assert!(poll_times(step.as_mut(), 1).is_none(), "the step ended before its intent was seen");
        let run = world.run().await;
        if matches!(run.state, RunState::Starting { .. }) {
            let lease = Settings::default().intent_lease();
            assert!(run.due_at >= world.clock.now() + lease, "{run:?}");
            break;
        }
    }
}
