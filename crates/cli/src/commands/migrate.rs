//! `holdfast migrate`: creates the store, or migrates it to this program's schema.

use holdfast_store::{Mode, OneProcess};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(context: &Context) -> anyhow::Result<Exit> {
    // Processes that share a database may migrate at the same time; a file has one process at a time.
    let _held = match context.global.database_url {
        Some(_) => None,
        None => Some(OneProcess::lock(&context.global.store)?),
    };
    context.store(Mode::Own).await?.close().await;
    if context.out.is_document() {
        // A database's URL is a secret.
        let file = context.global.store.display().to_string();
        let file = context.global.database_url.is_none().then_some(file);
        context.out.document(&json!({ "store": file }))?;
    } else {
        context.out.text(&format!("{} is ready", context.place()))?;
    }
    Ok(Exit::Done)
}
