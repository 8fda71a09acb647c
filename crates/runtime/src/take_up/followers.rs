//! What works by the fleet: each is prepared for another fleet first, and changed only when all are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use holdfast_config::Fleet;
use holdfast_console::SiteFleet;
use holdfast_control::audit::Checkpointer;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::engine::FleetChanger;

/// Changes what was prepared to another fleet.
pub type Commit = Box<dyn FnOnce() + Send>;

/// Prepares a part of the process for another fleet. Reads secrets; changes and sends nothing.
pub type Follower = Box<dyn FnMut(&Fleet) -> anyhow::Result<Commit> + Send>;

/// The parts of the file by which checkpoints are written.
const OF_CHECKPOINTS: [&str; 3] = ["audit.", "azure.", "storage."];

/// The loops of the process.
pub fn engine(mut changer: FleetChanger) -> Follower {
    Box::new(move |fleet| {
        let (gear, changes) = (changer.prepare(fleet.clone())?, changer.changes.clone());
        // An engine that has stopped takes up nothing.
        Ok(Box::new(move || drop(changes.send(gear))))
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

/// The checkpoints of the audit, which begin now. They are written anew only where their part of the file changes.
pub fn checkpoints(
    first: &Fleet,
    build: impl Fn(&Fleet) -> anyhow::Result<Option<Checkpointer>> + Send + 'static,
    stop: CancellationToken,
) -> anyhow::Result<Follower> {
    let writing = Writing::begin(build(first)?, first, &stop);
    let writing = Arc::new(Mutex::new(writing));
    Ok(Box::new(move |fleet| {
        if lock(&writing).by == written_by(fleet) {
            return Ok(Box::new(|| ()));
        }
        let (checkpointer, writing) = (build(fleet)?, Arc::clone(&writing));
        let (fleet, stop) = (fleet.clone(), stop.clone());
        Ok(Box::new(move || {
            let mut writing = lock(&writing);
            writing.until.cancel();
            *writing = Writing::begin(checkpointer, &fleet, &stop);
        }))
    }))
}

/// What writes checkpoints.
struct Writing {
    /// The values that it was built from.
    by: Vec<(String, String)>,
    until: CancellationToken,
}

impl Writing {
    fn begin(checkpointer: Option<Checkpointer>, fleet: &Fleet, stop: &CancellationToken) -> Self {
        let until = stop.child_token();
        if let Some(checkpointer) = checkpointer {
            tokio::spawn(checkpointer.keep(until.clone().cancelled_owned()));
        }
        Self { by: written_by(fleet), until }
    }
}

fn lock(writing: &Mutex<Writing>) -> MutexGuard<'_, Writing> {
    writing.lock().unwrap_or_else(PoisonError::into_inner)
}

fn written_by(fleet: &Fleet) -> Vec<(String, String)> {
    let is_of = |key: &String| OF_CHECKPOINTS.iter().any(|part| key.starts_with(part));
    let values = fleet.settings.iter().filter(|(key, _)| is_of(key));
    values.map(|(key, value)| (key.clone(), value.clone())).collect()
}
