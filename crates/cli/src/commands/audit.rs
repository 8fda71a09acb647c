//! `holdfast audit verify`: does the audit's chain hold?

use holdfast_store::{Link, Mode, Store, verify_chain};
use serde::Serialize;

use crate::args::VerifyArgs;
use crate::context::Context;
use crate::exit::{Exit, Failure};

/// Events checked at once.
const PAGE: u32 = 5_000;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    events: i64,
    last_hash: String,
    holds: bool,
}

/// Follows the chain from its first event to its last.
pub async fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let (last, has_met) = follow(&*store, args.since.as_deref()).await?;
    store.close().await;
    if !has_met {
        let what = "the event with the hash that was told is not in the audit: events are missing at its end";
        return Err(Failure::new(Exit::Failed, what)
            .help("compare with a copy of the store from that time")
            .into());
    }
    let document = Document { events: last.seq, last_hash: last.hash, holds: true };
    if context.out.is_json() {
        context.out.json(&document)?;
    } else {
        let Document { events, last_hash, .. } = document;
        context.out.text(&format!("the audit holds: {events} events, the last has the hash {last_hash}"))?;
    }
    Ok(Exit::Done)
}

/// The last link, and whether the hash asked for was met.
async fn follow(store: &dyn Store, since: Option<&str>) -> anyhow::Result<(Link, bool)> {
    let mut last = Link::origin();
    let mut has_met = since.is_none_or(|hash| hash == last.hash);
    loop {
        let page = store.chain(last.seq, PAGE).await?;
        if page.is_empty() {
            return Ok((last, has_met));
        }
        has_met |= page.iter().any(|row| since == Some(row.link.hash.as_str()));
        last = verify_chain(&page, last).map_err(|broken| {
            let help = "somebody changed the store behind holdfast's back: restore a copy and compare";
            Failure::new(Exit::Failed, broken.to_string()).help(help)
        })?;
    }
}
