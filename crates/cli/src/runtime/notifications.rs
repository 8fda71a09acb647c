//! Sends the notifications of a process by the fleet.

use std::sync::Arc;

use holdfast_config::Fleet;
use holdfast_notify::NotifierHealth;
use holdfast_runtime::notifications::{NotificationLoops, NotificationParts};
use holdfast_runtime::take_up::{self, Follower, Task, Tasks};
use holdfast_store::Store;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::context::Context;

/// The sections that say what is sent.
const SECTIONS: [&str; 3] = ["azure", "channel", "notify"];

/// Sends notifications, and follows the fleet.
pub fn notifications(
    fleet: &Fleet,
    store: &Arc<dyn Store>,
    public_url: Option<Url>,
    context: &Context,
    (tasks, health): (Tasks, NotifierHealth),
) -> anyhow::Result<Follower> {
    let telemetry = &context.telemetry;
    let store = telemetry.store(Arc::clone(store));
    let (clock, loops) = (Arc::clone(&context.clock), telemetry.loops());
    let mut rng = context.rng();
    let build = move |fleet: &Fleet| {
        let sending = NotificationLoops::new(NotificationParts {
            fleet,
            store: &store,
            clock: &clock,
            loops: loops.clone(),
            public_url: public_url.clone(),
            health: health.clone(),
            rng: rng.fork(),
        })?;
        let task: Task = Box::new(move |stop: CancellationToken| Box::pin(sending.run(stop)));
        Ok(Some(task))
    };
    take_up::task(fleet, &SECTIONS, build, tasks)
}
