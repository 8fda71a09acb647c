//! What befalls the processes and their servers: a list made from a seed.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{Clock, SystemClock};
use holdfast_tests::rabbitmq::VirtualHost;
use holdfast_tests::servers::Servers;

use crate::process::Process;
use crate::proxy::{Line, Proxy};
use crate::wait::last;
use crate::world::World;

/// One adversity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Adversity {
    KillWorker,
    KillScheduler,
    PauseWorker,
    KillBroker,
    KillDatabase,
    RestartDatabase,
    Purge,
    CloseConnections,
    CancelConsumers,
    CutBroker,
    CutDatabase,
    StallBroker,
    StallDatabase,
    LoseAnswersOfDatabase,
}

use Adversity as A;

/// Every adversity; what is quick and hits hard, twice.
const DECK: [Adversity; 18] = [
    A::KillWorker,
    A::KillWorker,
    A::KillWorker,
    A::KillScheduler,
    A::KillScheduler,
    A::PauseWorker,
    A::KillBroker,
    A::KillDatabase,
    A::RestartDatabase,
    A::Purge,
    A::Purge,
    A::CloseConnections,
    A::CancelConsumers,
    A::CutBroker,
    A::CutDatabase,
    A::StallBroker,
    A::StallDatabase,
    A::LoseAnswersOfDatabase,
];

/// The queues that carry work.
pub(crate) const QUEUES: [&str; 2] = ["holdfast.normal", "holdfast.urgent"];
/// How long a worker is stopped where it stands: longer than the lease, so that others take over what it holds.
const PAUSE: Duration = Duration::from_secs(9);
/// How long a line is stalled.
const STALL: Duration = Duration::from_secs(4);

/// The servers, and the lines to them.
pub(crate) struct Grounds {
    pub servers: Servers,
    pub broker: VirtualHost,
    pub to_broker: Proxy,
    pub to_database: Proxy,
}

/// Makes trouble for at least `span`, and until every adversity of the list has been met. Answers how often each was
/// met, and what ended by itself though it should not have.
pub(crate) async fn rage(
    world: &mut World,
    grounds: &mut Grounds,
    span: Duration,
    seed: u64,
) -> (BTreeMap<Adversity, u32>, Vec<String>) {
    let clock = SystemClock::default();
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut met, mut died) = (BTreeMap::new(), Vec::new());
    let mut deck = DECK.to_vec();
    rng.shuffle(&mut deck);
    while !deck.is_empty() || clock.elapsed() < span {
        let adversity = deck.pop().unwrap_or_else(|| DECK[rng.usize(..DECK.len())]);
        println!("{:5.1} s: {adversity:?}", clock.elapsed().as_secs_f64());
        befall(adversity, world, grounds, &mut rng).await;
        *met.entry(adversity).or_default() += 1;
        last(Duration::from_millis(rng.u64(300..3_000))).await;
        died.extend(world.revive());
    }
    (met, died)
}

async fn befall(adversity: Adversity, world: &mut World, grounds: &mut Grounds, rng: &mut fastrand::Rng) {
    match adversity {
        A::KillWorker => kill(victim(world, "worker", rng)).await,
        A::KillScheduler => kill(victim(world, "scheduler", rng)).await,
        A::PauseWorker => {
            let worker = victim(world, "worker", rng);
            worker.signal("-STOP").await;
            last(PAUSE).await;
            worker.signal("-CONT").await;
        }
        A::KillBroker => {
            grounds.servers.tell("kill rabbitmq");
            grounds.servers.tell("start rabbitmq");
        }
        A::KillDatabase => {
            grounds.servers.tell("kill postgres");
            grounds.servers.tell("start postgres");
        }
        A::RestartDatabase => {
            grounds.servers.tell("stop postgres");
            grounds.servers.tell("start postgres");
        }
        A::Purge => {
            for queue in QUEUES {
                grounds.broker.purge(queue);
            }
        }
        A::CloseConnections => {
            grounds.servers.rabbitmqctl(&["close_all_connections", "as a test"]);
        }
        A::CancelConsumers => {
            for queue in QUEUES {
                grounds.broker.delete_queue(queue);
            }
        }
        A::CutBroker => grounds.to_broker.cut(),
        A::CutDatabase => grounds.to_database.cut(),
        A::StallBroker => grounds.to_broker.be_for(Line::Silent, STALL).await,
        A::StallDatabase => grounds.to_database.be_for(Line::Silent, STALL).await,
        A::LoseAnswersOfDatabase => grounds.to_database.be_for(Line::Mute, STALL).await,
    }
}

/// One of a role.
fn victim<'a>(world: &'a mut World, role: &str, rng: &mut fastrand::Rng) -> &'a mut Process {
    let mut of_role: Vec<_> =
        world.processes.iter_mut().filter(|process| process.name().starts_with(role)).collect();
    of_role.swap_remove(rng.usize(..of_role.len()))
}

async fn kill(process: &mut Process) {
    process.kill().await;
    process.start_again();
}
