//! The contract of the trait `Queue`: one function for each rule, run on every implementation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::{Priority, RunId, Timestamp, Wakeup};
use holdfast_queue::{AmqpQueue, Config, Delivery, MemoryQueue, Message, Queue};
use holdfast_tests::rabbitmq::VirtualHost;

/// Generates a test of each rule for each queue.
macro_rules! on_every_queue {
    ($($rule:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                super::$rule(std::sync::Arc::new(super::MemoryQueue::default())).await;
            })*
        }
        mod amqp {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                if let Some(host) = super::VirtualHost::new() {
                    super::$rule(super::amqp_queue(&host).await).await;
                }
            })*
        }
    };
}

on_every_queue!(
    a_message_arrives_as_it_was_sent,
    urgent_messages_do_not_wait_behind_all_the_others,
    what_is_dropped_without_an_ack_comes_again,
    what_is_acked_does_not_come_again,
    every_waiting_worker_is_woken,
    a_worker_that_stops_waiting_takes_no_message_with_it,
    a_thousand_messages_reach_four_workers_once_each,
    publishing_nothing_is_well,
);

async fn amqp_queue(host: &VirtualHost) -> Arc<AmqpQueue> {
    Arc::new(AmqpQueue::connect(Config::new(host.url())).await.unwrap())
}

fn message(version: i64, priority: Priority) -> Message {
    let run_id = RunId::new(Timestamp::UNIX_EPOCH, &mut fastrand::Rng::with_seed(1));
    Message::new(Wakeup { run_id, version, nonce: 1 }, priority)
}

fn scheduled(versions: std::ops::Range<i64>) -> Vec<Message> {
    versions.map(|version| message(version, Priority::Scheduled)).collect()
}

async fn receive(queue: &Arc<impl Queue>) -> Delivery {
    tokio::time::timeout(Duration::from_secs(30), queue.receive()).await.expect("no message arrived").unwrap()
}

async fn a_message_arrives_as_it_was_sent(queue: Arc<impl Queue>) {
    let trace = BTreeMap::from([(
        "traceparent".to_owned(),
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
    )]);
    for priority in [Priority::Scheduled, Priority::Manual] {
        let sent = message(i64::MAX, priority).with_trace(trace.clone());
        queue.publish(std::slice::from_ref(&sent)).await.unwrap();
        let delivery = receive(&queue).await;
        assert_eq!(delivery.message, sent);
        delivery.ack().await.unwrap();
    }
}

async fn urgent_messages_do_not_wait_behind_all_the_others(queue: Arc<impl Queue>) {
    queue.publish(&scheduled(0..200)).await.unwrap();
    queue.publish(&[message(999, Priority::Manual)]).await.unwrap();
    for before in 0..200 {
        let delivery = receive(&queue).await;
        let urgent = delivery.message.urgent;
        delivery.ack().await.unwrap();
        if urgent {
            assert!(before < 150, "{before} others arrived first");
            return;
        }
    }
    unreachable!("the urgent message arrived last");
}

async fn what_is_dropped_without_an_ack_comes_again(queue: Arc<impl Queue>) {
    for urgent in [Priority::Scheduled, Priority::Manual] {
        let sent = message(1, urgent);
        queue.publish(std::slice::from_ref(&sent)).await.unwrap();
        for _ in 0..3 {
            assert_eq!(receive(&queue).await.message, sent);
        }
        receive(&queue).await.ack().await.unwrap();
    }
}

async fn what_is_acked_does_not_come_again(queue: Arc<impl Queue>) {
    queue.publish(&scheduled(0..5)).await.unwrap();
    for _ in 0..5 {
        receive(&queue).await.ack().await.unwrap();
    }
    // A redelivered message would arrive before the one published now.
    queue.publish(&scheduled(5..6)).await.unwrap();
    let delivery = receive(&queue).await;
    assert_eq!(delivery.message.wakeup.version, 5);
    delivery.ack().await.unwrap();
}

async fn every_waiting_worker_is_woken(queue: Arc<impl Queue + 'static>) {
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move { receive(&queue).await.ack().await.unwrap() })
        })
        .collect();
    tokio::task::yield_now().await;
    queue.publish(&scheduled(0..3)).await.unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn a_worker_that_stops_waiting_takes_no_message_with_it(queue: Arc<impl Queue + 'static>) {
    for round in 0..20 {
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { drop(queue.receive().await) }
        });
        tokio::task::yield_now().await;
        queue.publish(&scheduled(round..round + 1)).await.unwrap();
        waiting.abort();
        let delivery = receive(&queue).await;
        assert_eq!(delivery.message.wakeup.version, round);
        delivery.ack().await.unwrap();
    }
}

async fn a_thousand_messages_reach_four_workers_once_each(queue: Arc<impl Queue + 'static>) {
    let (seen, mut versions_seen) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..4 {
        let (queue, seen) = (Arc::clone(&queue), seen.clone());
        tokio::spawn(async move {
            loop {
                let delivery = queue.receive().await.unwrap();
                let version = delivery.message.wakeup.version;
                delivery.ack().await.unwrap();
                seen.send(version).unwrap();
            }
        });
    }
    queue.publish(&scheduled(0..1_000)).await.unwrap();
    let mut versions = BTreeSet::new();
    for _ in 0..1_000 {
        let version =
            tokio::time::timeout(Duration::from_secs(30), versions_seen.recv()).await.unwrap().unwrap();
        assert!(versions.insert(version), "{version} arrived twice");
    }
}

async fn publishing_nothing_is_well(queue: Arc<impl Queue>) {
    queue.publish(&[]).await.unwrap();
}
