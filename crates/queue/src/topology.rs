//! The exchanges and queues in RabbitMQ as data, each argument with its reason. Works on RabbitMQ 3.10 to 4.x.

/// The exchanges and queues of one fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Routes wake-ups by their routing key to the normal or the urgent queue.
    pub exchange: Exchange,
    /// Wake-ups of scheduled and maintenance runs.
    pub normal: Queue,
    /// Wake-ups of manual runs and restores. Quorum queues have no priorities before RabbitMQ 4.0.
    pub urgent: Queue,
    /// Receives dead letters from the broker.
    pub dead_letter_exchange: Exchange,
    /// Stores dead letters for inspection.
    pub dead_letters: Queue,
}

/// An exchange. All are durable and not auto-deleted, so that they survive a restart of the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its name in the virtual host.
    pub name: String,
    /// `direct` or `fanout`.
    pub kind: &'static str,
}

/// A queue. All are durable, shared and not auto-deleted, as quorum queues must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name in the virtual host.
    pub name: String,
    /// The routing key of its binding.
    pub routing_key: &'static str,
    /// Its arguments. They cannot change while the queue exists.
    pub arguments: Vec<Argument>,
}

/// An argument of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// RabbitMQ's name for it.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
    /// Why it is set.
    pub why: &'static str,
}

/// The value of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
}

impl Topology {
    /// The topology whose names all start with `prefix`, by default `holdfast`.
    ///
    /// Two arguments are absent on purpose. `x-consumer-timeout`: RabbitMQ 3.10 does not know it, and the broker's 30
    /// minutes are far more than a step takes. `x-message-ttl`: a worker drops an old wake-up by its version.
    pub fn new(prefix: &str) -> Self {
        let dead_letter_exchange = Exchange { name: format!("{prefix}.dead"), kind: "fanout" };
        let work = |name: &'static str| Queue {
            name: format!("{prefix}.{name}"),
            routing_key: name,
            arguments: work_arguments(&dead_letter_exchange.name),
        };
        Self {
            exchange: Exchange { name: prefix.to_owned(), kind: "direct" },
            normal: work("normal"),
            urgent: work("urgent"),
            dead_letters: Queue {
                name: format!("{prefix}.dead"),
                routing_key: "dead",
                arguments: dead_letter_arguments(),
            },
            dead_letter_exchange,
        }
    }
}

fn quorum() -> Argument {
    let why = "replicated, and confirmed only when a majority of brokers has the message on disk";
    Argument { name: "x-queue-type", value: Value::Text("quorum".to_owned()), why }
}

fn work_arguments(dead_letter_exchange: &str) -> Vec<Argument> {
    vec![
        quorum(),
        Argument {
            name: "x-delivery-limit",
            value: Value::Number(20),
            why: "a message that crashes every worker must not be redelivered forever: 4.0 has a default of 20, 3.10 \
                  no limit; its run loses nothing, because its lease expires and a new message is published",
        },
        Argument {
            name: "x-dead-letter-exchange",
            value: Value::Text(dead_letter_exchange.to_owned()),
            why: "malformed messages, those of a newer version and those past the delivery limit are kept for inspection",
        },
        Argument {
            name: "x-max-length",
            value: Value::Number(50_000),
            why: "while no worker runs, leases expire and wake-ups multiply: a restarted worker must not have to process \
                  a weekend of them",
        },
        Argument {
            name: "x-max-length-bytes",
            value: Value::Number(64 * 1024 * 1024),
            why: "50,000 wake-ups have 5 MB; foreign messages must not fill the broker's disk",
        },
        Argument {
            name: "x-overflow",
            value: Value::Text("reject-publish".to_owned()),
            why: "a full queue refuses new messages; by default it would drop old ones silently",
        },
    ]
}

fn dead_letter_arguments() -> Vec<Argument> {
    vec![
        quorum(),
        Argument {
            name: "x-max-length",
            value: Value::Number(10_000),
            why: "kept for inspection, for which the newest are enough",
        },
        Argument {
            name: "x-max-length-bytes",
            value: Value::Number(8 * 1024 * 1024),
            why: "a wake-up has about 100 bytes; whoever may publish could fill the broker's disk with larger ones",
        },
        Argument {
            name: "x-overflow",
            value: Value::Text("drop-head".to_owned()),
            why: "the oldest letters go first: no run depends on a letter",
        },
        Argument {
            name: "x-delivery-limit",
            value: Value::Number(1_000_000_000),
            why: "each inspection takes the messages and returns them: from 4.0 on the twentieth would drop them, and \
                  before 4.0 no value means unlimited",
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_begins_with_the_prefix_so_that_two_fleets_share_a_virtual_host() {
        let Topology { exchange, normal, urgent, dead_letter_exchange, dead_letters } = Topology::new("blue");
        for name in [exchange.name, normal.name, urgent.name, dead_letter_exchange.name, dead_letters.name] {
            assert!(name == "blue" || name.starts_with("blue."), "{name}");
        }
    }

    #[test]
    fn refused_messages_become_dead_letters_and_every_argument_has_a_reason() {
        let topology = Topology::new("holdfast");
        for queue in [&topology.normal, &topology.urgent] {
            let to =
                queue.arguments.iter().find(|argument| argument.name == "x-dead-letter-exchange").unwrap();
            assert_eq!(to.value, Value::Text(topology.dead_letter_exchange.name.clone()));
            assert!(queue.arguments.iter().all(|argument| argument.why.len() > 20));
        }
        assert!(
            topology.dead_letters.arguments.iter().all(|argument| argument.name != "x-dead-letter-exchange")
        );
    }
}
