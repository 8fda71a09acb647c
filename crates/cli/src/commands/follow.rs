//! `holdfast runs follow`: the events of runs, as they happen.

use std::time::Duration;

use holdfast_control::runs::{Follower, event_line};
use holdfast_store::Mode;
use tokio_util::sync::CancellationToken;

use crate::args::FollowArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::write_line;
use crate::runtime::signals::stop_on_signal;

/// Pause between two looks at the audit.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Runs the command until a signal.
pub async fn run(args: &FollowArgs, context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let mut follower = Follower::new(&*store, &args.apps, args.last).await?;
    let stop = CancellationToken::new();
    let stopper = tokio::spawn(stop_on_signal(stop.clone()));
    while !stop.is_cancelled() {
        for event in follower.news(&*store).await? {
            if context.out.is_document() {
                write_line(&serde_json::to_string(&event)?)?;
            } else {
                write_line(&context.out.local(&event_line(&event)))?;
            }
        }
        let _ = tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await;
    }
    stopper.abort();
    store.close().await;
    Ok(Exit::Done)
}
