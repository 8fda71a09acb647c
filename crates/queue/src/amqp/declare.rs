//! Declares the topology at a broker. Declaring what exists changes nothing.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

use crate::topology::{Exchange, Queue, Topology, Value};

pub(super) async fn topology(channel: &Channel, topology: &Topology) -> lapin::Result<()> {
    let Topology { exchange: work, normal, urgent, dead_letter_exchange, dead_letters } = topology;
    // Dead letters come first, so that the first message already has a place to go when it is refused.
    exchange(channel, dead_letter_exchange).await?;
    queue(channel, dead_letters, dead_letter_exchange).await?;
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
    for argument in &queue.arguments {
        let value = match &argument.value {
            Value::Text(text) => AMQPValue::LongString(text.as_str().into()),
            Value::Number(number) => AMQPValue::LongLongInt(*number),
        };
        arguments.insert(argument.name.into(), value);
    }
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let name = || queue.name.as_str().into();
    channel.queue_declare(name(), options, arguments).await?;
    let (exchange, key) = (exchange.name.as_str().into(), queue.routing_key.into());
    channel.queue_bind(name(), exchange, key, QueueBindOptions::default(), FieldTable::default()).await
}
