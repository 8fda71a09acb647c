//! The consuming connection, which a task supervises and rebuilds after every loss.

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

use super::acker::AmqpAcker;
use super::backoff::Backoff;
use super::config::Config;
use super::connect_error::{ConnectError, describe};
use super::connection::{BrokerConnection, refused};
use super::log_limit::LogLimit;
use crate::buffer::{Buffer, End};
use crate::{Delivery, Message, Topology, message};

/// Consumers of a working queue: one for normal and one for urgent messages.
pub const CONSUMERS: usize = 2;

/// Maximum time to attach a consumer. A queue with a leader answers within milliseconds, and elects one within a second.
const CONSUME_WITHIN: Duration = Duration::from_secs(3);
/// Maximum time to delete a queue. The broker waits five seconds for a leader before it deletes without one.
const DELETE_WITHIN: Duration = Duration::from_secs(20);

/// Shortest time between two log lines about unreadable messages.
const UNREADABLE_LOGGED_EVERY: Duration = Duration::from_secs(10);

/// Keeps the consumers attached and forwards their messages to the buffer.
#[derive(Debug)]
pub(super) struct ConsumerSupervisor {
    pub buffer: Buffer<Delivery>,
    attached: AtomicUsize,
    /// Stops receiving. Received messages can still be acknowledged.
    pub stop_receiving: CancellationToken,
    /// Whoever may publish could fill the disk with the log of unreadable messages.
    unreadable: LogLimit,
}

impl Default for ConsumerSupervisor {
    fn default() -> Self {
        Self {
            buffer: Buffer::default(),
            attached: AtomicUsize::default(),
            stop_receiving: CancellationToken::default(),
            unreadable: LogLimit::new(UNREADABLE_LOGGED_EVERY),
        }
    }
}

/// A connection with both consumers.
pub(super) struct Consumers {
    connection: BrokerConnection,
    urgent: Consumer,
    normal: Consumer,
}

impl Consumers {
    /// Connects and attaches both consumers, or none.
    pub async fn open(config: &Config) -> Result<Self, ConnectError> {
        let connection = BrokerConnection::open(config, "holdfast consumer").await?;
        let channel = &connection.channel;
        // The limit is per consumer, so that many normal messages take no capacity from urgent ones.
        let prefetch = channel.basic_qos(config.prefetch.max(1), BasicQosOptions { global: false });
        prefetch.await.map_err(|error| refused(config, &error))?;
        let Topology { normal, urgent, .. } = Topology::new(&config.prefix);
        let urgent = consume(config, channel, &urgent.name).await?;
        let normal = consume(config, channel, &normal.name).await?;
        Ok(Self { connection, urgent, normal })
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

/// Deletes a queue that failed to answer twice, so that the next connection declares it again.
///
/// A killed single-node RabbitMQ can restart with a quorum queue that never elects a leader (seen on 3.10.8;
/// rabbitmq-server issue 10070), and only deleting the queue helps. Its wake-ups are published again when their leases
/// expire. A queue that lost its majority in a cluster refuses, and the supervisor tries again.
async fn recreate(config: &Config, queue: &str) {
    tracing::warn!(
        queue,
        "a queue does not answer; recreating it: its runs are due again when their leases expire"
    );
    let deleted = async {
        let connection =
            BrokerConnection::open(config, "holdfast repair").await.map_err(|error| error.to_string())?;
        let deleted = connection.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await;
        let deleted = deleted.map_err(|error| describe(&error));
        connection.close().await;
        deleted
    };
    match tokio::time::timeout(DELETE_WITHIN, deleted).await {
        Ok(Ok(_)) => {}
        Ok(Err(why)) => tracing::error!(queue, why, "failed to delete the queue"),
        Err(_) => tracing::error!(queue, "failed to delete the queue in time"),
    }
}

impl ConsumerSupervisor {
    /// The number of attached consumers: [`CONSUMERS`] or 0.
    pub fn attached(&self) -> usize {
        self.attached.load(Ordering::Relaxed)
    }

    /// Keeps the consumers attached until `stop`. Starts with `first` if it is given.
    pub async fn run(self: Arc<Self>, config: Config, first: Option<Consumers>, stop: CancellationToken) {
        let mut next = first;
        loop {
            let consumers = match next.take() {
                Some(consumers) => consumers,
                None => match attach(&config, &stop).await {
                    Some(consumers) => consumers,
                    None => return,
                },
            };
            self.attached.store(CONSUMERS, Ordering::Relaxed);
            let ended = self.forward(&consumers, &config, &stop).await;
            self.attached.store(0, Ordering::Relaxed);
            // The broker delivers the buffered messages again.
            self.buffer.clear();
            consumers.connection.close().await;
            match ended {
                Some(why) => tracing::warn!(why, "the consumers were lost"),
                None => return,
            }
        }
    }

    /// Forwards messages to the buffer. Returns why the consumers were lost, or `None` after `stop`.
    async fn forward(
        &self,
        consumers: &Consumers,
        config: &Config,
        stop: &CancellationToken,
    ) -> Option<String> {
        let urgent = consumers.urgent.clone().map(|delivery| Some((true, delivery))).chain(end());
        let normal = consumers.normal.clone().map(|delivery| Some((false, delivery))).chain(end());
        let mut arrivals = std::pin::pin!(select(urgent, normal));
        let mut lost = std::pin::pin!(consumers.connection.lost());
        loop {
            let arrival = tokio::select! {
                () = stop.cancelled() => return None,
                () = self.stop_receiving.cancelled() => return self.wind_down(consumers, stop).await,
                why = &mut lost => return Some(why),
                arrival = arrivals.next() => arrival,
            };
            match arrival.flatten() {
                Some((urgent, Ok(delivery))) => self.accept(delivery, urgent, config.confirm_within),
                Some((_, Err(error))) => return Some(describe(&error)),
                // The stream ends without an error when the broker cancels a consumer, because its queue was deleted
                // or moved.
                None => return Some("the broker cancelled a consumer".to_owned()),
            }
        }
    }

    /// Cancels the consumers and returns buffered messages. Received ones can be acknowledged until `stop`.
    async fn wind_down(&self, consumers: &Consumers, stop: &CancellationToken) -> Option<String> {
        self.attached.store(0, Ordering::Relaxed);
        for consumer in [&consumers.urgent, &consumers.normal] {
            let cancel =
                consumers.connection.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
            // A consumer that cannot be cancelled ends with its connection.
            let _ = tokio::time::timeout(Duration::from_secs(2), cancel).await;
        }
        // Messages that arrived meanwhile are still in the streams.
        for mut consumer in [consumers.urgent.clone(), consumers.normal.clone()] {
            while let Some(Some(Ok(late))) = futures::FutureExt::now_or_never(consumer.next()) {
                AmqpAcker::new(late.acker, Duration::ZERO).requeue_now();
            }
        }
        self.buffer.clear();
        tokio::select! {
            () = stop.cancelled() => {}
            _ = consumers.connection.lost() => stop.cancelled().await,
        }
        None
    }

    fn accept(&self, delivery: lapin::message::Delivery, urgent: bool, within: Duration) {
        match message::decode(&delivery.data) {
            Ok(wakeup) => {
                let message = Message { wakeup, urgent, trace: trace(&delivery.properties) };
                let acker = AmqpAcker::new(delivery.acker, within);
                self.buffer.put(Delivery::new(message, Box::new(acker)), urgent, End::Back);
            }
            Err(error) => {
                if let Some(left_out) = self.unreadable.admit(tokio::time::Instant::now()) {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        left_out,
                        "an unreadable message becomes a dead letter; more of them within ten seconds are only counted"
                    );
                }
                let reject = delivery.acker.reject(BasicRejectOptions { requeue: false });
                // The frame is sent on the first poll. If it is lost, the message is delivered again.
                let _ = futures::FutureExt::now_or_never(reject);
            }
        }
    }
}

/// Attaches the consumers, with pauses between attempts. Returns `None` after `stop`.
async fn attach(config: &Config, stop: &CancellationToken) -> Option<Consumers> {
    let mut backoff = Backoff::new();
    let (mut logged, mut leaderless) = (String::new(), None);
    while backoff.pause(stop).await {
        let error = match Consumers::open(config).await {
            Ok(consumers) => {
                tracing::info!("the consumers are attached again");
                return Some(consumers);
            }
            Err(error) => error,
        };
        let queue = match &error {
            ConnectError::Leaderless { queue } => Some(queue.clone()),
            _ => None,
        };
        match queue {
            Some(queue) if leaderless.as_ref() == Some(&queue) => {
                recreate(config, &queue).await;
                leaderless = None;
                continue;
            }
            queue => leaderless = queue,
        }
        // A repeated error is logged once.
        if error.to_string() != logged {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to attach consumers; trying again"
            );
            logged = error.to_string();
        }
    }
    None
}

fn end<T>() -> impl futures::Stream<Item = Option<T>> {
    futures::stream::once(std::future::ready(None))
}

fn trace(properties: &BasicProperties) -> BTreeMap<String, String> {
    let headers = properties.headers().iter().flat_map(FieldTable::inner);
    let texts = headers.filter_map(|(name, value)| Some((name.as_str(), value.as_long_string()?)));
    // Only the headers of W3C Trace Context: the broker adds its own headers.
    let traces = texts.filter(|(name, _)| ["traceparent", "tracestate", "baggage"].contains(name));
    traces.map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}
