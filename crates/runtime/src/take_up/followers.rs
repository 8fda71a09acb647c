//! What works by the fleet: each is prepared for another fleet first, and changed only when all are.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holdfast_config::Fleet;
use holdfast_console::SiteFleet;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::engine::FleetChanger;

/// Changes what was prepared to another fleet.
pub type Commit = Box<dyn FnOnce() + Send>;

/// Prepares a part of the process for another fleet. Reads secrets; changes and sends nothing.
pub type Follower = Box<dyn FnMut(&Fleet) -> anyhow::Result<Commit> + Send>;

/// A task that runs until its token is cancelled.
pub type Task = Box<dyn FnOnce(CancellationToken) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// The tasks of a process, and what stops them all.
#[derive(Debug, Clone)]
pub struct Tasks {
    /// Waits for them.
    pub tracker: TaskTracker,
    /// Stops them.
    pub stop: CancellationToken,
}

/// The loops of the process.
pub fn engine(mut changer: FleetChanger) -> Follower {
    Box::new(move |fleet| {
        let (fleet_parts, to_engine) = (changer.prepare(fleet.clone())?, changer.changes.clone());
        // An engine that has stopped takes up nothing.
        Ok(Box::new(move || drop(to_engine.send(fleet_parts))))
    })
}

/// The console and the API.
pub fn site(
    sender: watch::Sender<Arc<SiteFleet>>,
    mut build: impl FnMut(&Fleet) -> anyhow::Result<SiteFleet> + Send + 'static,
) -> Follower {
    let sender = Arc::new(sender);
    Box::new(move |fleet| {
        let (site, sender) = (Arc::new(build(fleet)?), Arc::clone(&sender));
        Ok(Box::new(move || {
            sender.send_replace(site);
        }))
    })
}

/// A task that is built from the sections with these names, and begins now. It begins anew only where they change.
pub fn task(
    first: &Fleet,
    sections: &'static [&'static str],
    mut build: impl FnMut(&Fleet) -> anyhow::Result<Option<Task>> + Send + 'static,
    tasks: Tasks,
) -> anyhow::Result<Follower> {
    let running = Running::begin(build(first)?, values(first, sections), &tasks);
    let running = Arc::new(Mutex::new(running));
    Ok(Box::new(move |fleet| {
        let wanted = values(fleet, sections);
        if lock(&running).built_from == wanted {
            return Ok(Box::new(|| ()));
        }
        let (task, running, tasks) = (build(fleet)?, Arc::clone(&running), tasks.clone());
        Ok(Box::new(move || {
            let mut running = lock(&running);
            running.until.cancel();
            *running = Running::begin(task, wanted, &tasks);
        }))
    }))
}

/// A task that runs, if the fleet asks for it.
struct Running {
    built_from: Vec<(String, String)>,
    until: CancellationToken,
}

impl Running {
    fn begin(task: Option<Task>, built_from: Vec<(String, String)>, tasks: &Tasks) -> Self {
        let until = tasks.stop.child_token();
        if let Some(task) = task {
            tasks.tracker.spawn(task(until.clone()));
        }
        Self { built_from, until }
    }
}

fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The values of some sections.
fn values(fleet: &Fleet, sections: &[&str]) -> Vec<(String, String)> {
    let is_of = |key: &String| sections.iter().any(|name| key.split('.').next() == Some(name));
    let values = fleet.settings.iter().filter(|(key, _)| is_of(key));
    values.map(|(key, value)| (key.clone(), value.clone())).collect()
}
