//! The connection that consumes: watched over by a task, and rebuilt from nothing after whatever ended it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::select;
use lapin::options::{
    BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Consumer};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::buffer::Buffer;
use super::link::{Link, refused, words};
use super::settle::InHand;
use super::{Config, ConnectError};
use crate::{Delivery, Message, Topology, message};

/// Consumers that a working queue has attached: one for the normal, one for the urgent messages.
pub const CONSUMERS: usize = 2;

/// A queue with a leader answers within milliseconds, and elects one within a second.
const CONSUME_WITHIN: Duration = Duration::from_secs(3);
/// The broker itself gives a leaderless queue five seconds before it deletes it all the same.
const DELETE_WITHIN: Duration = Duration::from_secs(20);

/// Keeps consumers attached and the buffer filled.
#[derive(Debug, Default)]
pub(super) struct Intake {
    pub buffer: Buffer,
    attached: AtomicUsize,
    /// Take no more messages. Those in workers' hands can still be acked.
    pub full: CancellationToken,
}

/// A connection with both consumers on it.
pub(super) struct Attached {
    link: Link,
    urgent: Consumer,
    normal: Consumer,
}

impl Attached {
    /// Connects and attaches both consumers, or attaches none.
    pub async fn open(config: &Config) -> Result<Self, ConnectError> {
        let link = Link::open(config, "holdfast consumer").await?;
        let channel = &link.channel;
        // Per consumer, so that a flood of normal messages leaves the urgent ones their places.
        let prefetch = channel.basic_qos(config.prefetch.max(1), BasicQosOptions { global: false });
        prefetch.await.map_err(|error| refused(config, &error))?;
        let Topology { normal, urgent, .. } = Topology::new(&config.prefix);
        let urgent = consume(config, channel, &urgent.name).await?;
        let normal = consume(config, channel, &normal.name).await?;
        Ok(Self { link, urgent, normal })
    }
}

async fn consume(config: &Config, channel: &Channel, queue: &str) -> Result<Consumer, ConnectError> {
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
    match tokio::time::timeout(CONSUME_WITHIN, consumer).await {
        Ok(consumer) => consumer.map_err(|error| refused(config, &error)),
        Err(_) => Err(ConnectError::Leaderless { queue: queue.to_owned() }),
    }
}

/// Deletes a queue that has twice failed to answer: the next connection declares it anew.
///
/// A killed RabbitMQ of one node can come back with a quorum queue that elects no leader, ever (seen on 3.10.8;
/// rabbitmq-server issue 10070). Only deleting it helps. Its messages are wake-ups: those that were in it are made
/// again when their leases pass. A queue that has lost its majority in a cluster refuses, and is tried on.
async fn remake(config: &Config, queue: &str) {
    tracing::warn!(
        queue,
        "a queue does not answer: deleting it, to make it anew; its runs wait for their leases"
    );
    let deleted = async {
        let link = Link::open(config, "holdfast repair").await.map_err(|error| error.to_string())?;
        let deleted = link.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await;
        let deleted = deleted.map_err(|error| words(&error));
        link.close().await;
        deleted
    };
    match tokio::time::timeout(DELETE_WITHIN, deleted).await {
        Ok(Ok(_)) => {}
        Ok(Err(why)) => tracing::error!(queue, why, "the queue cannot be deleted"),
        Err(_) => tracing::error!(queue, "the broker does not delete the queue"),
    }
}

impl Intake {
    /// How many consumers are attached: [`CONSUMERS`] or none.
    pub fn attached(&self) -> usize {
        self.attached.load(Ordering::Relaxed)
    }

    /// Keeps consumers attached until `stop`.
    pub async fn keep(self: Arc<Self>, config: Config, first: Option<Attached>, stop: CancellationToken) {
        let mut next = first;
        loop {
            let attached = match next.take() {
                Some(attached) => attached,
                None => match self.attach(&config, &stop).await {
                    Some(attached) => attached,
                    None => return,
                },
            };
            self.attached.store(CONSUMERS, Ordering::Relaxed);
            let ended = self.drain(&attached, &config, &stop).await;
            self.attached.store(0, Ordering::Relaxed);
            // The broker sends all of it again.
            self.buffer.clear();
            attached.link.close().await;
            match ended {
                Some(why) => tracing::warn!(why, "the consumers were lost"),
                None => return,
            }
        }
    }

    async fn attach(&self, config: &Config, stop: &CancellationToken) -> Option<Attached> {
        let mut backoff = Backoff::new();
        let (mut said, mut leaderless) = (String::new(), String::new());
        while backoff.pause(stop).await {
            match Attached::open(config).await {
                Ok(attached) => {
                    tracing::info!("the consumers are attached again");
                    return Some(attached);
                }
                Err(ConnectError::Leaderless { queue }) if leaderless == queue => {
                    remake(config, &queue).await;
                    leaderless = String::new();
                }
                Err(error) => {
                    leaderless = match &error {
                        ConnectError::Leaderless { queue } => queue.clone(),
                        _ => String::new(),
                    };
                    // The same trouble is told once.
                    if error.to_string() != said {
                        tracing::error!(error = &error as &dyn std::error::Error, "no consumers; trying on");
                        said = error.to_string();
                    }
                }
            }
        }
        None
    }

    /// Fills the buffer until something ends: why, or nothing when it was told to stop.
    async fn drain(&self, attached: &Attached, config: &Config, stop: &CancellationToken) -> Option<String> {
        let urgent = attached.urgent.clone().map(|delivery| Some((true, delivery))).chain(end());
        let normal = attached.normal.clone().map(|delivery| Some((false, delivery))).chain(end());
        let mut arrivals = std::pin::pin!(select(urgent, normal));
        let mut lost = std::pin::pin!(attached.link.lost());
        loop {
            let arrival = tokio::select! {
                () = stop.cancelled() => return None,
                () = self.full.cancelled() => return self.settle(attached, stop).await,
                why = &mut lost => return Some(why),
                arrival = arrivals.next() => arrival,
            };
            match arrival.flatten() {
                Some((urgent, Ok(delivery))) => self.take_in(delivery, urgent, config.confirm_within),
                Some((_, Err(error))) => return Some(words(&error)),
                // The stream ends as if all were well when the broker cancels a consumer: its queue was deleted, or
                // has moved.
                None => return Some("the broker cancelled a consumer".to_owned()),
            }
        }
    }

    /// No more messages: what is buffered goes back, what is in hand may still be acked.
    async fn settle(&self, attached: &Attached, stop: &CancellationToken) -> Option<String> {
        self.attached.store(0, Ordering::Relaxed);
        for consumer in [&attached.urgent, &attached.normal] {
            let cancel = attached.link.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
            // One that cannot be cancelled goes with its connection.
            let _ = tokio::time::timeout(Duration::from_secs(2), cancel).await;
        }
        // What arrived while that was on its way is still in the streams.
        for mut consumer in [attached.urgent.clone(), attached.normal.clone()] {
            while let Some(Some(Ok(late))) = futures::FutureExt::now_or_never(consumer.next()) {
                InHand::new(late.acker, Duration::ZERO).put_back_now();
            }
        }
        self.buffer.clear();
        tokio::select! {
            () = stop.cancelled() => {}
            _ = attached.link.lost() => stop.cancelled().await,
        }
        None
    }

    fn take_in(&self, delivery: lapin::message::Delivery, urgent: bool, within: Duration) {
        match message::decode(&delivery.data) {
            Ok(wakeup) => {
                let message = Message { wakeup, urgent, trace: trace(&delivery.properties) };
                self.buffer.put(Delivery::new(message, Box::new(InHand::new(delivery.acker, within))));
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a message goes to the dead letters"
                );
                let reject = delivery.acker.reject(BasicRejectOptions { requeue: false });
                // Sent when first polled. Should it be lost, the message comes again.
                let _ = futures::FutureExt::now_or_never(reject);
            }
        }
    }
}

fn end<T>() -> impl futures::Stream<Item = Option<T>> {
    futures::stream::once(std::future::ready(None))
}

fn trace(properties: &BasicProperties) -> BTreeMap<String, String> {
    let headers = properties.headers().iter().flat_map(FieldTable::inner);
    let texts = headers.filter_map(|(name, value)| Some((name.as_str(), value.as_long_string()?)));
    // Those of W3C alone: the broker adds headers of its own.
    let traces = texts.filter(|(name, _)| ["traceparent", "tracestate", "baggage"].contains(name));
    traces.map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}
