//! Messages on a good day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_queue::{AmqpQueue, Queue};
use holdfast_tests::rabbitmq::VirtualHost;

use crate::bench::{attached, config, detached, message, queue, receive, receive_until, until, urgent};

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_messages_pass_through_four_consumers_and_none_is_lost_or_doubled() {
    let Some(host) = VirtualHost::new() else { return };
    let queue = Arc::new(queue(&host).await);
    let (seen, mut versions_seen) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..4 {
        let (queue, seen) = (Arc::clone(&queue), seen.clone());
        tokio::spawn(async move {
            loop {
                let delivery = queue.receive().await.unwrap();
                let version = delivery.message.wakeup.version;
                delivery.ack().await.unwrap();
                if seen.send(version).is_err() {
                    return;
                }
            }
        });
    }
    let messages: Vec<_> = (0..10_000).map(message).collect();
    queue.publish(&messages).await.unwrap();
    let mut versions = BTreeSet::new();
    for _ in 0..10_000 {
        let version =
            tokio::time::timeout(crate::bench::DEADLINE, versions_seen.recv()).await.unwrap().unwrap();
        assert!(versions.insert(version), "{version} came twice");
    }
    assert_eq!(versions, (0..10_000).collect());
    assert!(versions_seen.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_urgent_message_overtakes_all_that_was_not_sent_ahead() {
    let Some(host) = VirtualHost::new() else { return };
    let queue =
        AmqpQueue::connect(holdfast_queue::Config { prefetch: 2, ..config(host.url()) }).await.unwrap();
    queue.publish(&(0..50).map(message).collect::<Vec<_>>()).await.unwrap();
    queue.attach().await.unwrap();
    // Two are unacknowledged; the broker holds the rest.
    let in_hand = [receive(&queue).await, receive(&queue).await];
    queue.publish(&[urgent(99)]).await.unwrap();
    let next = receive(&queue).await;
    assert_eq!((next.message.wakeup.version, next.message.urgent), (99, true));
    drop(in_hand);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_of_a_message_goes_with_it() {
    let Some(host) = VirtualHost::new() else { return };
    let queue = queue(&host).await;
    let trace = BTreeMap::from(
        [
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("tracestate", "a=1,b=2"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let sent = message(1).with_trace(trace);
    queue.publish(std::slice::from_ref(&sent)).await.unwrap();
    let delivery = receive(&queue).await;
    assert_eq!(delivery.message, sent);
    delivery.ack().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_only_publishes_takes_no_messages() {
    let Some(host) = VirtualHost::new() else { return };
    let (scheduler, worker) = (queue(&host).await, queue(&host).await);
    scheduler.publish(&[message(1)]).await.unwrap();
    assert_eq!(scheduler.consumers_attached(), 0);
    receive(&worker).await.ack().await.unwrap();
    assert_eq!((scheduler.consumers_attached(), worker.consumers_attached()), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopping_worker_has_not_begun_goes_to_another_and_what_it_has_can_be_acked() {
    let Some(host) = VirtualHost::new() else { return };
    let (stops, goes_on) = (queue(&host).await, queue(&host).await);
    stops.publish(&(1..=5).map(message).collect::<Vec<_>>()).await.unwrap();
    let in_hand = receive(&stops).await;
    let mine = in_hand.message.wakeup.version;
    stops.stop_receiving();
    detached(&stops).await;
    let mut rest = BTreeSet::new();
    for _ in 0..4 {
        let delivery = receive(&goes_on).await;
        rest.insert(delivery.message.wakeup.version);
        delivery.ack().await.unwrap();
    }
    assert_eq!(rest, (1..=5).filter(|version| *version != mine).collect());
    in_hand.ack().await.unwrap();
    stops.publish(&[message(6)]).await.unwrap();
    receive_until(&goes_on, 6).await;
    stops.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dropped_queue_held_goes_to_another() {
    let Some(host) = VirtualHost::new() else { return };
    let (dies, lives) = (queue(&host).await, queue(&host).await);
    dies.publish(&[message(1)]).await.unwrap();
    let in_hand = receive(&dies).await;
    drop(dies);
    receive_until(&lives, 1).await;
    // Too late: nothing must hang or panic.
    drop(in_hand);
}

#[tokio::test(flavor = "multi_thread")]
async fn purged_messages_are_removed_and_later_ones_are_delivered() {
    let Some(host) = VirtualHost::new() else { return };
    let (scheduler, worker) = (queue(&host).await, queue(&host).await);
    scheduler.publish(&(1..=20).map(message).collect::<Vec<_>>()).await.unwrap();
    host.purge("holdfast.normal");
    worker.attach().await.unwrap();
    attached(&worker).await;
    scheduler.publish(&[message(21)]).await.unwrap();
    let delivery = receive(&worker).await;
    assert_eq!(delivery.message.wakeup.version, 21);
    delivery.ack().await.unwrap();
    until("nothing is left", async || worker.consumers_attached() == 2).await;
}
