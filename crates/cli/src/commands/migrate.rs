//! `holdfast migrate`: makes the store, or brings it to this program's schema.

use holdfast_store::{Mode, OneProcess};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;

/// Runs the command. Nobody else may work on the store meanwhile.
pub async fn run(context: &Context) -> anyhow::Result<Exit> {
    let path = &context.global.store;
    let _held = OneProcess::lock(path)?;
    context.store(Mode::Own).await?.close().await;
    if context.out.is_json() {
        context.out.json(&json!({ "store": path }))?;
    } else {
        context.out.text(&format!("the store {} is ready", path.display()))?;
    }
    Ok(Exit::Done)
}
