//! A queue in a separate virtual host, and helpers of the tests.

use std::time::Duration;

use holdfast_model::{Priority, RunId, Timestamp, Wakeup};
use holdfast_queue::{AmqpQueue, CONSUMERS, Config, Delivery, Message, Queue};
use holdfast_tests::rabbitmq::VirtualHost;
use secrecy::SecretString;

/// Nothing that a test waits for takes this long unless it is broken.
pub const DEADLINE: Duration = Duration::from_mins(1);

pub fn config(url: SecretString) -> Config {
    Config { confirm_within: Duration::from_secs(5), ..Config::new(url) }
}

pub async fn queue(host: &VirtualHost) -> AmqpQueue {
    AmqpQueue::connect(config(host.url())).await.unwrap()
}

pub fn message(version: i64) -> Message {
    Message::new(wakeup(version), Priority::Scheduled)
}

pub fn urgent(version: i64) -> Message {
    Message::new(wakeup(version), Priority::Manual)
}

pub fn wakeup(version: i64) -> Wakeup {
    Wakeup { run_id: RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(1)), version, nonce: 1 }
}

pub async fn receive(queue: &AmqpQueue) -> Delivery {
    tokio::time::timeout(DEADLINE, queue.receive()).await.expect("no message came").unwrap()
}

/// Publishes until it is confirmed: what a dispatcher does, pass after pass.
pub async fn publish_until_confirmed(queue: &AmqpQueue, message: &Message) {
    until("a publish is confirmed", async || queue.publish(std::slice::from_ref(message)).await.is_ok())
        .await;
}

/// Receives and acks until this version has come.
pub async fn receive_until(queue: &AmqpQueue, version: i64) {
    loop {
        let delivery = receive(queue).await;
        let came = delivery.message.wakeup.version;
        // An ack on a lost connection is an error, and the message comes again.
        let acked = delivery.ack().await;
        if came == version && acked.is_ok() {
            return;
        }
    }
}

pub async fn attached(queue: &AmqpQueue) {
    until("the consumers are attached", async || queue.consumers_attached() == CONSUMERS).await;
}

pub async fn detached(queue: &AmqpQueue) {
    until("the consumers are lost", async || queue.consumers_attached() == 0).await;
}

/// Looks until the condition holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let looking = async {
        while !holds().await {
            look.tick().await;
        }
    };
    tokio::time::timeout(DEADLINE, looking).await.unwrap_or_else(|_| panic!("in vain: until {what}"));
}
