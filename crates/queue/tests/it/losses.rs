//! Connections that are lost, in every way in which they can be.

use std::time::Duration;

use holdfast_queue::{AmqpQueue, Config, Error, Queue};
use holdfast_tests::proxy::{Network, Proxy};
use holdfast_tests::rabbitmq::VirtualHost;

use crate::bench::{
    attached, config, detached, message, publish_until_confirmed, queue, receive, receive_until, until,
    urgent,
};

#[tokio::test(flavor = "multi_thread")]
async fn connections_closed_by_force_come_back_and_nothing_unacked_is_lost() {
    let Some(host) = VirtualHost::new() else { return };
    let queue = queue(&host).await;
    queue.publish(&[message(1), urgent(2)]).await.unwrap();
    let in_hand = receive(&queue).await;
    until("the broker lists both connections", async || host.close_connections() == 2).await;
    detached(&queue).await;
    let error = in_hand.ack().await.unwrap_err();
    assert!(matches!(error, Error::Ack(_)), "{error:?}");
    attached(&queue).await;
    let mut again = [receive(&queue).await, receive(&queue).await];
    again.sort_by_key(|delivery| delivery.message.wakeup.version);
    assert_eq!(again.each_ref().map(|delivery| delivery.message.wakeup.version), [1, 2]);
    for delivery in again {
        delivery.ack().await.unwrap();
    }
    publish_until_confirmed(&queue, &message(3)).await;
    receive_until(&queue, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_queue_ends_its_consumer_and_both_are_made_again() {
    let Some(host) = VirtualHost::new() else { return };
    let (scheduler, worker) = (queue(&host).await, queue(&host).await);
    worker.attach().await.unwrap();
    for (name, again) in [("holdfast.normal", message(1)), ("holdfast.urgent", urgent(2))] {
        host.delete_queue(name);
        publish_until_confirmed(&scheduler, &again).await;
        receive_until(&worker, again.wakeup.version).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_connection_costs_the_confirm_limit_and_is_replaced() {
    let Some(host) = VirtualHost::new() else { return };
    let proxy = Proxy::before(host.port()).await;
    let url = host.url_with(|url| url.set_port(Some(proxy.port())).unwrap());
    let queue = AmqpQueue::connect(Config { confirm_within: Duration::from_millis(500), ..config(url) })
        .await
        .unwrap();
    queue.publish(&[message(1)]).await.unwrap();
    proxy.set(Network::Stalled);
    let error = queue.publish(&[message(2)]).await.unwrap_err();
    assert!(matches!(&error, Error::Publish { why, .. } if why.contains("no confirmation")), "{error:?}");
    // While it is stalled the next one fails too, and says why.
    assert!(queue.publish(&[message(2)]).await.is_err());
    let before = proxy.accepted();
    proxy.set(Network::Open);
    publish_until_confirmed(&queue, &message(3)).await;
    assert!(proxy.accepted() > before || before > 1, "the stalled connection was not replaced");
    receive_until(&queue, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_consumer_is_noticed_by_its_heartbeat() {
    let Some(host) = VirtualHost::new() else { return };
    let (scheduler, proxy) = (queue(&host).await, Proxy::before(host.port()).await);
    let url = host.url_with(|url| {
        url.set_port(Some(proxy.port())).unwrap();
        url.set_query(Some("heartbeat=1"));
    });
    let worker = AmqpQueue::connect(config(url)).await.unwrap();
    scheduler.publish(&[message(1)]).await.unwrap();
    let in_hand = receive(&worker).await;
    proxy.set(Network::Stalled);
    detached(&worker).await;
    proxy.set(Network::Open);
    attached(&worker).await;
    assert!(in_hand.ack().await.is_err());
    receive_until(&worker, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_again_and_again_lose_nothing_that_was_confirmed() {
    let Some(host) = VirtualHost::new() else { return };
    let proxy = Proxy::before(host.port()).await;
    let queue = AmqpQueue::connect(config(host.url_with(|url| url.set_port(Some(proxy.port())).unwrap())))
        .await
        .unwrap();
    let mut missing = std::collections::BTreeSet::new();
    for round in 0..5 {
        publish_until_confirmed(&queue, &message(round)).await;
        missing.insert(round);
        if round == 2 {
            queue.attach().await.unwrap();
        }
        proxy.set(Network::Refused);
        assert!(queue.publish(&[message(100)]).await.is_err());
        proxy.set(Network::Open);
    }
    while !missing.is_empty() {
        let delivery = receive(&queue).await;
        let version = delivery.message.wakeup.version;
        if delivery.ack().await.is_ok() {
            missing.remove(&version);
        }
    }
}
