//! The receive loop.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Priority, RunState, Wakeup};
use holdfast_queue::{Message, Queue};
use holdfast_worker::{Settings, Worker};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// Runs of five apps, handed out and on the queue, and storage that lets nobody through.
async fn five() -> World {
    let world = World::new();
    world.storage.gate.forget_permits(1_000);
    for site in ["a", "b", "c", "d", "e"] {
        world.add_run(site).await;
    }
    let messages: Vec<Message> = world
        .runs()
        .await
        .iter()
        .map(|run| Message::new(Wakeup { run_id: run.id, version: run.version }, Priority::Scheduled))
        .collect();
    world.queue.publish(&messages).await.unwrap();
    world
}

fn start(world: &World, concurrency: usize) -> (JoinHandle<()>, CancellationToken) {
    let stop = CancellationToken::new();
    let worker = Worker::new(world.env.clone(), Settings::default(), concurrency);
    (tokio::spawn(worker.run(fastrand::Rng::with_seed(1), stop.clone())), stop)
}

/// Lets everything run that can.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

fn in_hand(world: &World) -> usize {
    world.storage.needs.lock().unwrap().len()
}

async fn polling(world: &World) -> usize {
    world.runs().await.iter().filter(|run| matches!(run.state, RunState::Polling { .. })).count()
}

#[tokio::test]
async fn a_worker_takes_as_many_steps_at_once_as_it_may_and_leaves_the_rest_in_the_queue() {
    let world = five().await;
    let (worker, stop) = start(&world, 2);
    settle().await;
    assert_eq!(in_hand(&world), 2);
    world.storage.gate.add_permits(1);
    settle().await;
    assert_eq!((in_hand(&world), polling(&world).await), (5, 5), "a place that is free again is filled");
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_worker_that_is_stopped_finishes_what_it_has_in_hand_and_takes_nothing_more() {
    let world = five().await;
    let (worker, stop) = start(&world, 2);
    settle().await;
    stop.cancel();
    settle().await;
    assert!(!worker.is_finished(), "steps are in hand");
    world.storage.gate.add_permits(1_000);
    worker.await.unwrap();
    assert_eq!((polling(&world).await, in_hand(&world)), (2, 2));
    assert_eq!(world.queue.purge(), 3);
}

#[tokio::test]
async fn a_worker_that_is_dropped_drops_its_steps_and_their_messages_come_again() {
    let world = five().await;
    let (worker, _stop) = start(&world, 2);
    settle().await;
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    settle().await;
    assert_eq!((polling(&world).await, world.azure.calls().len()), (0, 0));
    assert_eq!(world.queue.purge(), 5);
}

#[tokio::test]
async fn a_worker_told_to_take_no_steps_at_once_takes_one() {
    let world = five().await;
    world.storage.gate.add_permits(1_000);
    let (worker, stop) = start(&world, 0);
    settle().await;
    assert_eq!(polling(&world).await, 5);
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_step_that_panics_is_not_tried_again_before_its_lease_has_passed() {
    let world = five().await;
    let (worker, stop) = start(&world, 2);
    settle().await;
    // Whoever waits at a gate that closes panics.
    world.storage.gate.close();
    settle().await;
    assert_eq!(in_hand(&world), 5, "each message was tried once");
    assert_eq!(world.queue.purge(), 0);
    stop.cancel();
    worker.await.unwrap();
}

/// A queue that gives nothing but errors.
#[derive(Debug, Default)]
struct BrokenQueue {
    asked: std::sync::atomic::AtomicU32,
}

#[async_trait::async_trait]
impl Queue for BrokenQueue {
    async fn publish(&self, _: &[Message]) -> Result<(), holdfast_queue::Error> {
        Ok(())
    }

    async fn receive(&self) -> Result<holdfast_queue::Delivery, holdfast_queue::Error> {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Err(holdfast_queue::Error::Receive("the broker is gone".into()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_broken_is_asked_once_a_second_and_does_not_keep_the_worker_from_stopping() {
    let mut world = World::new();
    let queue = Arc::new(BrokenQueue::default());
    world.env.queue = queue.clone();
    let (worker, stop) = start(&world, 2);
    tokio::time::advance(Duration::from_millis(1)).await;
    for second in 1..5 {
        settle().await;
        assert_eq!(queue.asked.load(std::sync::atomic::Ordering::Relaxed), second);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    stop.cancel();
    worker.await.unwrap();
}
