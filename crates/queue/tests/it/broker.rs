//! A broker of the test's own, which is killed, stopped and changed.

use holdfast_queue::{AmqpQueue, Queue};
use holdfast_tests::rabbitmq::VirtualHost;
use holdfast_tests::servers::Servers;

use crate::bench::{attached, config, detached, message, publish_until_confirmed, queue, receive, urgent};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_is_found_again() {
    let Some(mut servers) = Servers::start(&["rabbitmq"], &[]) else { return };
    let host = VirtualHost::on(&servers);
    let queue = queue(&host).await;
    queue.publish(&[message(1), urgent(2), message(3)]).await.unwrap();
    let in_hand = receive(&queue).await;
    servers.tell("kill rabbitmq");
    detached(&queue).await;
    let error = queue.publish(&[message(4)]).await.unwrap_err();
    assert!(error.to_string().contains("failed to publish 1 messages"), "{error}");
    assert!(in_hand.ack().await.is_err());
    // A client that connects while the broker is down fails immediately.
    assert!(AmqpQueue::connect(config(host.url())).await.is_err());

    servers.tell("start rabbitmq");
    attached(&queue).await;
    // A queue that came back without a leader was created again: its messages are published again, as after a lease.
    for again in [message(5), urgent(6)] {
        publish_until_confirmed(&queue, &again).await;
    }
    let mut missing = std::collections::BTreeSet::from([5, 6]);
    while !missing.is_empty() {
        let delivery = receive(&queue).await;
        missing.remove(&delivery.message.wakeup.version);
        delivery.ack().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_was_stopped_and_started_has_what_it_confirmed() {
    let Some(mut servers) = Servers::start(&["rabbitmq"], &[]) else { return };
    let host = VirtualHost::on(&servers);
    let scheduler = queue(&host).await;
    scheduler.publish(&[message(1), urgent(2), message(3)]).await.unwrap();
    servers.tell("stop rabbitmq");
    servers.tell("start rabbitmq");
    let mut missing = std::collections::BTreeSet::from([1, 2, 3]);
    while !missing.is_empty() {
        let delivery = receive(&scheduler).await;
        missing.remove(&delivery.message.wakeup.version);
        delivery.ack().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_outlasts_the_consumer_timeout_costs_a_second_delivery_and_no_more() {
    let Some(servers) = Servers::start(&["rabbitmq"], &["consumer_timeout = 500"]) else {
        return;
    };
    // It looks once a minute: too seldom for a test.
    servers.rabbitmqctl(&["eval", "application:set_env(rabbit, channel_tick_interval, 200)."]);
    let host = VirtualHost::on(&servers);
    let queue = queue(&host).await;
    queue.publish(&[message(1)]).await.unwrap();
    let in_hand = receive(&queue).await;
    let again = receive(&queue).await;
    assert_eq!(again.message.wakeup.version, 1);
    again.ack().await.unwrap();
    assert!(in_hand.ack().await.is_err());
}
