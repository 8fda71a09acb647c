//! The connection that consumes: watched over by a task, and rebuilt from nothing after whatever ended it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::select;
use lapin::BasicProperties;
use lapin::Consumer;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::FieldTable;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::buffer::Buffer;
use super::link::{Link, refused, words};
use super::settle::InHand;
use super::{Config, ConnectError};
use crate::{Delivery, Message, Topology, message};

/// Consumers that a working queue has attached: one for the normal, one for the urgent messages.
pub const CONSUMERS: usize = 2;

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
        let consuming = async {
            let channel = &link.channel;
            // Per consumer, so that a flood of normal messages leaves the urgent ones their places.
            channel.basic_qos(config.prefetch.max(1), BasicQosOptions { global: false }).await?;
            let Topology { normal, urgent, .. } = Topology::new(&config.prefix);
            let consume = |queue: crate::topology::Queue| {
                let options = BasicConsumeOptions::default();
                channel.basic_consume(queue.name.into(), "".into(), options, FieldTable::default())
            };
            Ok((consume(urgent).await?, consume(normal).await?))
        };
        let consuming = tokio::time::timeout(config.connect_within, consuming).await;
        match consuming {
            Ok(Ok((urgent, normal))) => Ok(Self { link, urgent, normal }),
            Ok(Err(error)) => Err(refused(config, &error)),
            Err(_) => Err(ConnectError::Reach {
                broker: "the known address".to_owned(),
                why: format!("no answer within {} s", config.connect_within.as_secs()),
            }),
        }
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
        let mut said = String::new();
        while backoff.pause(stop).await {
            match Attached::open(config).await {
                Ok(attached) => {
                    tracing::info!("the consumers are attached again");
                    return Some(attached);
                }
                Err(error) => {
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
