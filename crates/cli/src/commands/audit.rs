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
struct Document<'a> {
    /// How many were read when the chain ended, or was found broken.
    events: i64,
    last_hash: &'a str,
    holds: bool,
}

/// Follows the chain from its first event to its last.
pub async fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<Exit> {
    if let Some(text) = args.since.as_deref().filter(|text| !is_hash(text)) {
        let failure = Failure::new(Exit::Usage, format!("`{text}` is no hash of an event"));
        return Err(failure.help("--since takes the 64 hex digits that an earlier check told").into());
    }
    let store = context.store(Mode::Read).await?;
    let (last, fault) = follow(&*store, args.since.as_deref()).await?;
    store.close().await;
    let Link { seq: events, hash: last_hash, .. } = last;
    if context.out.is_json() {
        let holds = fault.is_none();
        context.out.json(&Document { events, last_hash: &last_hash, holds })?;
    }
    if let Some(fault) = fault {
        return Err(fault.into());
    }
    if !context.out.is_json() {
        context.out.text(&format!("the audit holds: {events} events, the last has the hash {last_hash}"))?;
    }
    Ok(Exit::Done)
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f'))
}

/// The last link up to which the chain holds, and what is wrong with it from there.
async fn follow(store: &dyn Store, since: Option<&str>) -> anyhow::Result<(Link, Option<Failure>)> {
    let mut last = Link::origin();
    let mut has_met = since.is_none_or(|hash| hash == last.hash);
    loop {
        let page = store.chain(last.seq, PAGE).await?;
        if page.is_empty() {
            let what =
                "the event with the hash that was told is not in the audit: events are missing at its end";
            let help = "compare with a copy of the store from that time";
            let missing = || Failure::new(Exit::Failed, what).help(help);
            return Ok((last, (!has_met).then(missing)));
        }
        has_met |= page.iter().any(|row| since == Some(row.link.hash.as_str()));
        last = match verify_chain(&page, last.clone()) {
            Ok(link) => link,
            Err(broken) => {
                let help = "somebody changed the store behind holdfast's back: restore a copy and compare";
                return Ok((last, Some(Failure::new(Exit::Failed, broken.to_string()).help(help))));
            }
        };
    }
}
