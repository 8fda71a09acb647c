//! The dead-man's switch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use holdfast_config::Channel;
use holdfast_notify::{HeartbeatLoop, Progress};
use holdfast_storage::SecretRef;

use crate::channels::sender;
use crate::receiver::Receiver;
use crate::world::World;

#[derive(Default)]
struct Planner(AtomicBool);

impl Progress for Planner {
    fn stuck(&self, _: Duration) -> Option<String> {
        self.0.load(Ordering::Relaxed).then(|| "the planner has made no progress".to_owned())
    }
}

#[tokio::test]
async fn it_beats_while_there_is_progress_and_stops_when_the_planner_is_stuck() {
    let (receiver, planner, world) = (Receiver::start().await, Arc::new(Planner::default()), World::new());
    let (url, every) = (SecretRef::Env("URL".into()), Duration::from_secs(10));
    let channel = Channel::Heartbeat { url: url.clone(), every };
    let heartbeat = HeartbeatLoop {
        name: "beat".into(),
        url,
        every,
        sender: sender(channel, &[("URL", &receiver.url)]),
        progress: Arc::clone(&planner) as Arc<dyn Progress>,
        store: Arc::clone(&world.store),
    };
    heartbeat.beat().await.unwrap();
    planner.0.store(true, Ordering::Relaxed);
    assert_eq!(heartbeat.beat().await.unwrap_err(), "the planner has made no progress");
    assert_eq!(receiver.received().len(), 1);
    planner.0.store(false, Ordering::Relaxed);
    receiver.answers(500, None);
    assert_eq!(heartbeat.beat().await.unwrap_err(), "answered 500");
}
