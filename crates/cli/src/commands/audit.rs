//! `holdfast audit verify`: does the audit's chain hold?

use holdfast_store::{Link, Mode, Store, verify_chain};
use serde::Serialize;

use crate::args::VerifyArgs;
use crate::context::Context;
use crate::exit::Exit;
use holdfast_control::counted;
use holdfast_control::{Error, ErrorKind};

/// Events checked at once.
const PAGE: u32 = 5_000;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    /// Events that were followed and hold.
    events: i64,
    /// The hash of the last of them.
    last_hash: String,
    holds: bool,
    /// What is wrong, where it does not hold.
    broken: Option<String>,
}

/// What does not hold, and what to do about it.
struct Broken {
    what: String,
    help: &'static str,
}

/// Follows the chain from its first event to its last.
pub async fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<Exit> {
    let since = args.since.as_deref().map(hash).transpose()?;
    let store = context.store(Mode::Read).await?;
    let (begun, last, broken) = follow(&*store, since.as_deref()).await?;
    store.close().await;
    let (events, last_hash) = (last.seq - begun, last.hash);
    if context.out.is_json() {
        let (holds, broken) = (broken.is_none(), broken.as_ref().map(|broken| broken.what.clone()));
        context.out.json(&Document { events, last_hash, holds, broken })?;
    } else if broken.is_none() {
        let events = counted(usize::try_from(events)?, "event");
        let before =
            if begun == 0 { String::new() } else { format!(" after the {begun} that were taken off") };
        context.out.text(&format!("the audit holds: {events}{before}, the last has the hash {last_hash}"))?;
    }
    match broken {
        None => Ok(Exit::Done),
        Some(Broken { what, help }) => Err(Error::new(ErrorKind::Refused, what).help(help).into()),
    }
}

/// The hash of an event, as a check told it.
fn hash(text: &str) -> Result<String, Error> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_lowercase());
    }
    let failure = Error::new(ErrorKind::Invalid, format!("`{text}` is no hash of an event"));
    Err(failure.help("give the 64 hex digits that an earlier check told"))
}

/// How many events were taken off before the first, the last link that holds, and what is wrong behind it.
async fn follow(store: &dyn Store, since: Option<&str>) -> anyhow::Result<(i64, Link, Option<Broken>)> {
    let first = store.chain(0, 1).await?.pop().map(|row| row.link);
    let taken_off = first.filter(|first| first.seq > 1 && since == Some(first.previous.as_str()));
    let origin = Link::origin();
    let mut last =
        taken_off.map_or(origin, |first| Link { seq: first.seq - 1, hash: first.previous, ..Link::origin() });
    let begun = last.seq;
    let mut has_met = since.is_none_or(|hash| hash == last.hash);
    loop {
        let page = store.chain(last.seq, PAGE).await?;
        if page.is_empty() {
            let broken = (!has_met).then(|| Broken {
                what:
                    "the event with the hash that was told is not in the audit: events are missing at its end"
                        .into(),
                help: "compare with a copy of the store from that time",
            });
            return Ok((begun, last, broken));
        }
        has_met |= page.iter().any(|row| since == Some(row.link.hash.as_str()));
        last = match verify_chain(&page, last.clone()) {
            Ok(last) => last,
            Err(broken) => {
                let help = "somebody changed the store behind holdfast's back: restore a copy and compare; where months \
                            were taken off, give the hash of their last event with --since";
                return Ok((begun, last, Some(Broken { what: broken.to_string(), help })));
            }
        };
    }
}
