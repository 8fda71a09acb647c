//! Faults of processes, servers and networks, in an order that a seed determines.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{Clock, SystemClock};
use holdfast_tests::proxy::{Network, Proxy};
use holdfast_tests::rabbitmq::VirtualHost;
use holdfast_tests::servers::Servers;

use crate::pipeline_world::PipelineWorld;
use crate::process::Process;
use crate::wait::last;

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
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

use Fault as A;

/// Every fault at least once; the quick and severe ones more often.
const DECK: [Fault; 18] = [
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

/// The work queues.
pub(crate) const QUEUES: [&str; 2] = ["holdfast.normal", "holdfast.urgent"];
/// How long a worker is paused: longer than the lease, so that other workers take over its steps.
const PAUSE: Duration = Duration::from_secs(9);
/// How long a network fault lasts.
const STALL: Duration = Duration::from_secs(4);

/// The servers and the proxies in front of them.
pub(crate) struct Targets {
    pub servers: Servers,
    pub broker: VirtualHost,
    pub to_broker: Proxy,
    pub to_database: Proxy,
}

/// Injects faults for at least `span`, and until every fault of the list has happened.
///
/// Returns how often each happened, and which processes ended by themselves although they had been ready.
pub(crate) async fn inject_faults(
    world: &mut PipelineWorld,
    targets: &mut Targets,
    span: Duration,
    seed: u64,
) -> (BTreeMap<Fault, u32>, Vec<String>) {
    let clock = SystemClock::default();
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut met, mut died) = (BTreeMap::new(), Vec::new());
    let mut deck = DECK.to_vec();
    rng.shuffle(&mut deck);
    while !deck.is_empty() || clock.elapsed() < span {
        let fault = deck.pop().unwrap_or_else(|| DECK[rng.usize(..DECK.len())]);
        println!("{:5.1} s: {fault:?}", clock.elapsed().as_secs_f64());
        inject(fault, world, targets, &mut rng).await;
        *met.entry(fault).or_default() += 1;
        last(Duration::from_millis(rng.u64(300..3_000))).await;
        died.extend(world.revive());
    }
    (met, died)
}

async fn inject(fault: Fault, world: &mut PipelineWorld, targets: &mut Targets, rng: &mut fastrand::Rng) {
    match fault {
        A::KillWorker => kill(victim(world, "worker", rng)).await,
        A::KillScheduler => kill(victim(world, "scheduler", rng)).await,
        A::PauseWorker => {
            let worker = victim(world, "worker", rng);
            worker.signal("-STOP").await;
            last(PAUSE).await;
            worker.signal("-CONT").await;
        }
        A::KillBroker => {
            targets.servers.tell("kill rabbitmq");
            targets.servers.tell("start rabbitmq");
        }
        A::KillDatabase => {
            targets.servers.tell("kill postgres");
            targets.servers.tell("start postgres");
        }
        A::RestartDatabase => {
            targets.servers.tell("stop postgres");
            targets.servers.tell("start postgres");
        }
        A::Purge => {
            for queue in QUEUES {
                targets.broker.purge(queue);
            }
        }
        A::CloseConnections => {
            targets.servers.rabbitmqctl(&["close_all_connections", "as a test"]);
        }
        A::CancelConsumers => {
            for queue in QUEUES {
                targets.broker.delete_queue(queue);
            }
        }
        A::CutBroker => targets.to_broker.cut(),
        A::CutDatabase => targets.to_database.cut(),
        A::StallBroker => break_for(&targets.to_broker, Network::Silent).await,
        A::StallDatabase => break_for(&targets.to_database, Network::Silent).await,
        A::LoseAnswersOfDatabase => break_for(&targets.to_database, Network::RepliesLost).await,
    }
}

/// A random process of a role.
fn victim<'a>(world: &'a mut PipelineWorld, role: &str, rng: &mut fastrand::Rng) -> &'a mut Process {
    let mut of_role: Vec<_> =
        world.processes.iter_mut().filter(|process| process.name().starts_with(role)).collect();
    of_role.swap_remove(rng.usize(..of_role.len()))
}

async fn kill(process: &mut Process) {
    process.kill().await;
    process.start_again();
}

/// Breaks the network of a proxy for [`STALL`], for open and new connections.
async fn break_for(proxy: &Proxy, network: Network) {
    proxy.set(network);
    last(STALL).await;
    proxy.set(Network::Open);
}
