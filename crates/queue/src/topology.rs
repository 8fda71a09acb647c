//! What Holdfast needs in a RabbitMQ virtual host, as data: every flag with its reason. Works on RabbitMQ 3.10 to 4.x.

/// The exchanges and queues of one fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Takes wake-ups, and leads them by their routing key to the normal or the urgent queue.
    pub exchange: Exchange,
    /// Wake-ups of schedules.
    pub normal: Queue,
    /// Wake-ups of people. A queue of its own, because quorum queues know no priorities before RabbitMQ 4.0.
    pub urgent: Queue,
    /// Where the broker puts what was refused.
    pub dead_exchange: Exchange,
    /// Keeps what was refused, for people to look at.
    pub dead: Queue,
}

/// An exchange. All of them are durable and not deleted by the broker: a restart must find them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Its name in the virtual host.
    pub name: String,
    /// `direct` or `fanout`.
    pub kind: &'static str,
}

/// A queue. All of them are durable, shared and not deleted by the broker, as quorum queues must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name in the virtual host.
    pub name: String,
    /// Under which it is bound to its exchange.
    pub routing_key: &'static str,
    /// Its arguments. They cannot be changed once it exists.
    pub flags: Vec<Flag>,
}

/// An argument of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// As RabbitMQ calls it.
    pub name: &'static str,
    /// What it is set to.
    pub value: Value,
    /// Why.
    pub why: &'static str,
}

/// A flag's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number.
    Number(i64),
}

impl Topology {
    /// The topology whose names all begin with `prefix`, `holdfast` in most virtual hosts.
    ///
    /// Absent on purpose: `x-consumer-timeout`, which 3.10 does not know; the broker's 30 minutes are far more than a
    /// step takes. And `x-message-ttl`: a wake-up that is too old is dropped by its version, at no cost.
    pub fn new(prefix: &str) -> Self {
        let dead_exchange = Exchange { name: format!("{prefix}.dead"), kind: "fanout" };
        let work = |name: &'static str| Queue {
            name: format!("{prefix}.{name}"),
            routing_key: name,
            flags: work_flags(&dead_exchange.name),
        };
        Self {
            exchange: Exchange { name: prefix.to_owned(), kind: "direct" },
            normal: work("normal"),
            urgent: work("urgent"),
            dead: Queue { name: format!("{prefix}.dead"), routing_key: "dead", flags: dead_flags() },
            dead_exchange,
        }
    }
}

fn quorum() -> Flag {
    let why = "replicated, and confirmed only when a majority of brokers has the message on disk";
    Flag { name: "x-queue-type", value: Value::Text("quorum".to_owned()), why }
}

fn work_flags(dead_exchange: &str) -> Vec<Flag> {
    vec![
        quorum(),
        Flag {
            name: "x-delivery-limit",
            value: Value::Number(20),
            why: "a message that no worker survives must not go round for ever: 4.0 sets 20 by itself, 3.10 no limit; \
                  its run loses nothing, since its lease passes and a new message is made",
        },
        Flag {
            name: "x-dead-letter-exchange",
            value: Value::Text(dead_exchange.to_owned()),
            why: "what is malformed, of a future version, or past its delivery limit is shown to people",
        },
        Flag {
            name: "x-max-length",
            value: Value::Number(50_000),
            why: "while nobody works, leases pass and wake-ups double: a worker that comes back must not have to wade \
                  through a weekend of them",
        },
        Flag {
            name: "x-overflow",
            value: Value::Text("reject-publish".to_owned()),
            why: "a full queue says no to the dispatcher, where the default would push old messages out unseen",
        },
    ]
}

fn dead_flags() -> Vec<Flag> {
    vec![
        quorum(),
        Flag {
            name: "x-max-length",
            value: Value::Number(10_000),
            why: "shown to people, so the newest are enough; the oldest make room",
        },
        Flag {
            name: "x-delivery-limit",
            value: Value::Number(1_000_000_000),
            why: "every look takes the messages and puts them back: from 4.0 on the twentieth would drop them, and \
                  before 4.0 there is no word for no limit",
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_begins_with_the_prefix_so_that_two_fleets_share_a_virtual_host() {
        let Topology { exchange, normal, urgent, dead_exchange, dead } = Topology::new("blue");
        for name in [exchange.name, normal.name, urgent.name, dead_exchange.name, dead.name] {
            assert!(name == "blue" || name.starts_with("blue."), "{name}");
        }
    }

    #[test]
    fn refused_work_has_a_place_to_go_and_every_flag_a_reason() {
        let topology = Topology::new("holdfast");
        for queue in [&topology.normal, &topology.urgent] {
            let to = queue.flags.iter().find(|flag| flag.name == "x-dead-letter-exchange").unwrap();
            assert_eq!(to.value, Value::Text(topology.dead_exchange.name.clone()));
            assert!(queue.flags.iter().all(|flag| flag.why.len() > 20));
        }
        assert!(topology.dead.flags.iter().all(|flag| flag.name != "x-dead-letter-exchange"));
    }
}
