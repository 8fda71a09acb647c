//! What sends the notifications of a process: the notifier, a deliverer for each channel, and heartbeats.

use std::sync::Arc;
use std::time::Duration;

use holdfast_config::{Channel, Fleet};
use holdfast_identity::Identities;
use holdfast_model::Clock;
use holdfast_notify::{ChannelSender, Deliverer, HeartbeatLoop, Look, Notifier, NotifierHealth, Progress};
use holdfast_store::Store;
use holdfast_telemetry::{blanked, remember_secret};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

/// A loop of a process that passes every second is stuck when its last pass is older than this.
const STUCK_AFTER: Duration = Duration::from_secs(15);

/// What sends notifications is built from this.
pub struct NotificationParts<'a> {
    /// The fleet file.
    pub fleet: &'a Fleet,
    /// The store.
    pub store: &'a Arc<dyn Store>,
    /// The clock.
    pub clock: &'a Arc<dyn Clock>,
    /// The loops of the process, which know when they last passed.
    pub loops: Vec<(&'static str, Arc<holdfast_console::Heartbeat>)>,
    /// The address under which browsers reach the console.
    pub public_url: Option<Url>,
    /// Records why the notifier cannot work.
    pub health: NotifierHealth,
    /// Randomness for pauses.
    pub rng: fastrand::Rng,
}

/// The loops that send the notifications of a process.
#[derive(Debug)]
pub struct NotificationLoops {
    notifier: Option<Notifier>,
    deliverers: Vec<Deliverer>,
    heartbeats: Vec<HeartbeatLoop>,
    health: NotifierHealth,
}

impl NotificationLoops {
    /// Builds the loops; they do nothing where the fleet file has no channel. Sends nothing.
    pub fn new(parts: NotificationParts<'_>) -> anyhow::Result<Self> {
        let NotificationParts { fleet, store, clock, loops, public_url, health, mut rng } = parts;
        let (bell, look) = (Arc::new(Notify::new()), Look { public_url });
        let progress: Arc<dyn Progress> = Arc::new(LoopProgress(loops));
        let (mut deliverers, mut heartbeats) = (Vec::new(), Vec::new());
        for (name, channel) in &fleet.notifications.channels {
            let (name, store) = (name.clone(), Arc::clone(store));
            let sender = sender(fleet, channel, clock, look.clone())?;
            if let Channel::Heartbeat { url, every } = channel {
                let (url, every, progress) = (url.clone(), *every, Arc::clone(&progress));
                heartbeats.push(HeartbeatLoop { name, url, every, sender, progress, store });
            } else {
                let (sender, bell) = (Box::new(sender), Arc::clone(&bell));
                deliverers.push(Deliverer::new(store, name, sender, bell, rng.fork()));
            }
        }
        let rules = fleet.notifications.rules.clone();
        let notifier =
            (!rules.is_empty()).then(|| Notifier::new(Arc::clone(store), rules, bell, health.clone()));
        Ok(Self { notifier, deliverers, heartbeats, health })
    }

    /// Runs until `stop`. What is being sent then is sent again after its lease.
    pub async fn run(self, stop: CancellationToken) {
        // What kept an earlier notifier from its work is over.
        self.health.note(None);
        let mut loops = JoinSet::new();
        if let Some(notifier) = self.notifier {
            loops.spawn(notifier.run(stop.clone()));
        }
        for deliverer in self.deliverers {
            loops.spawn(deliverer.run(stop.clone()));
        }
        for heartbeat in self.heartbeats {
            loops.spawn(heartbeat.run(stop.clone()));
        }
        while loops.join_next().await.is_some() {}
    }
}

/// What sends to a channel of the fleet file. Sends nothing.
pub fn sender(
    fleet: &Fleet,
    channel: &Channel,
    clock: &Arc<dyn Clock>,
    look: Look,
) -> anyhow::Result<ChannelSender> {
    let secrets = Identities::new(fleet, clock, remember_secret)?.access(None)?.secrets;
    Ok(ChannelSender { channel: channel.clone(), secrets, clock: Arc::clone(clock), look, blank: blanked })
}

/// The heartbeats of a process's loops.
struct LoopProgress(Vec<(&'static str, Arc<holdfast_console::Heartbeat>)>);

impl Progress for LoopProgress {
    fn stuck(&self, within: Duration) -> Option<String> {
        let most = within.max(STUCK_AFTER);
        let is_stuck = |age: Option<Duration>| age.is_none_or(|age| age > most);
        let (name, _) = self.0.iter().find(|(_, heartbeat)| is_stuck(heartbeat.age()))?;
        Some(format!("the {name} has made no progress within {} s", most.as_secs()))
    }
}
