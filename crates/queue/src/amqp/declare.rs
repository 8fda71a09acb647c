//! The topology, told to a broker. Declaring what exists already changes nothing.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

use crate::topology::{Exchange, Queue, Topology, Value};

pub(super) async fn topology(channel: &Channel, topology: &Topology) -> lapin::Result<()> {
    let Topology { exchange: work, normal, urgent, dead_exchange, dead } = topology;
    // The dead first: from the first message on there is a place for what is refused.
    exchange(channel, dead_exchange).await?;
    queue(channel, dead, dead_exchange).await?;
    exchange(channel, work).await?;
    queue(channel, normal, work).await?;
    queue(channel, urgent, work).await
}

async fn exchange(channel: &Channel, exchange: &Exchange) -> lapin::Result<()> {
    let kind = if exchange.kind == "fanout" { ExchangeKind::Fanout } else { ExchangeKind::Direct };
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(exchange.name.as_str().into(), kind, options, FieldTable::default()).await
}

async fn queue(channel: &Channel, queue: &Queue, exchange: &Exchange) -> lapin::Result<()> {
    let mut arguments = FieldTable::default();
    for flag in &queue.flags {
        let value = match &flag.value {
            Value::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Value::Number(number) => AMQPValue::LongLongInt(*number),
        };
        arguments.insert(flag.name.into(), value);
    }
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let name = || queue.name.as_str().into();
    channel.queue_declare(name(), options, arguments).await?;
    let (exchange, key) = (exchange.name.as_str().into(), queue.routing_key.into());
    channel.queue_bind(name(), exchange, key, QueueBindOptions::default(), FieldTable::default()).await
}
