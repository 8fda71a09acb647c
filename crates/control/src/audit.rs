//! Verifies the audit's hash chain and the rows by its events, and anchors it outside of the database.

mod anchors;
mod checkpoint;
mod checkpoint_lines;
mod checkpoint_loop;
mod checkpointer;
mod destination;
mod export;
mod export_filter;
mod export_part;
mod key;
mod source;
mod verify_export;

pub use anchors::{AnchorReport, Anchors};
pub use checkpoint::{Checkpoint, Statement};
pub use checkpoint_lines::CheckpointLines;
pub use checkpointer::{
    CheckpointReport, CheckpointSchedule, Checkpointer, Continuity, FailedWrite, no_checkpoints,
};
pub use destination::{CheckpointContainer, CheckpointFile, Destination, blob_prefix};
pub use export::export;
pub use export_filter::ExportFilter;
pub use export_part::{ExportPart, PartPlace, export_part};
pub use key::{InvalidKey, SigningKey, VerifyingKey, generate, read_pem, system_random};
pub use source::{ChainSource, ExportedChain, StoredChain};
pub use verify_export::{VerifiedExport, verify_export};

use holdfast_store::{ChainRow, Link, Store, row_differences, verify_chain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, ErrorKind, counted};

/// Events per batch of the verification.
const PAGE: u32 = 5_000;

/// The result of a verification.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
pub struct AuditCheck {
    /// Events verified.
    pub events: i64,
    /// The hash of the last of them.
    pub last_hash: String,
    /// Whether the whole chain holds.
    pub holds: bool,
    /// What is wrong, where it does not hold.
    pub broken: Option<String>,
    /// Whether the rows were compared with the events: not where the walk begins after events that were
    /// removed, nor where the audit was exported.
    pub rows_compared: bool,
    /// Each difference between the rows and what the events say that they hold.
    pub differences: Vec<String>,
    /// How it compares with checkpoints, where some were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<AnchorReport>,
    /// Events removed before the first one, as whole months are.
    #[serde(default)]
    pub removed: i64,
    /// What to do, where it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl AuditCheck {
    /// An error unless the chain holds.
    pub fn require(self) -> Result<(), Error> {
        if let Some(broken) = self.broken {
            return Err(Error::new(ErrorKind::Refused, broken).help(self.help.unwrap_or_default()));
        }
        let Some(first) = self.differences.first() else { return Ok(()) };
        let others = self.differences.len() - 1;
        let more =
            if others == 0 { String::new() } else { format!(", and {} more", counted(others, "difference")) };
        let what = format!("rows do not follow from the audit's events: {first}{more}");
        let help = "the store was changed outside Holdfast: restore a copy and compare; `--output json` has every difference";
        Err(Error::new(ErrorKind::Refused, what).help(help))
    }
}

/// Follows the chain from its first event to its last.
///
/// `since` is the last hash that an earlier check printed: it must be in the chain, or be the hash of the last event
/// removed before the first. `anchors` are signed checkpoints, which the chain must agree with.
pub async fn verify(
    chain: &mut dyn ChainSource,
    since: Option<&str>,
    mut anchors: Option<Anchors>,
) -> Result<AuditCheck, Error> {
    let since = since.map(event_hash).transpose()?;
    let since = since.as_deref();
    let first = chain.first().await?.map(|row| row.link);
    let after_removed = first.filter(|first| first.seq > 1 && since == Some(first.previous.as_str()));
    let mut last = after_removed.map_or(Link::origin(), |first| Link {
        seq: first.seq - 1,
        hash: first.previous,
        ..Link::origin()
    });
    let removed = last.seq;
    let mut has_met = since.is_none_or(|hash| hash == last.hash);
    let begun = anchors.as_mut().map_or(Ok(()), |anchors| anchors.begin(&last));
    let mut broken = begun.err().map(|what| (what, ANCHORS_HELP));
    while broken.is_none() {
        let page = chain.next(last.seq, PAGE).await?;
        if page.is_empty() {
            let what = "the audit has no event with the given hash: events are missing at its end";
            let help = "compare it with a copy of the store from that time";
            broken = (!has_met).then(|| (what.to_owned(), help));
            break;
        }
        has_met |= page.iter().any(|row| since == Some(row.link.hash.as_str()));
        let walked = walk(&page, &mut last, anchors.as_mut());
        broken = walked.err();
    }
    let mut checkpoints = None;
    if broken.is_none()
        && let Some(anchors) = anchors
    {
        match anchors.end(&last) {
            Ok(report) => checkpoints = Some(report),
            Err(what) => broken = Some((what, ANCHORS_HELP)),
        }
    }
    let (broken, help) = broken.map(|(what, help)| (what, help.to_owned())).unzip();
    let events = last.seq - removed;
    Ok(AuditCheck {
        events,
        last_hash: last.hash,
        holds: broken.is_none(),
        broken,
        rows_compared: false,
        differences: Vec::new(),
        checkpoints,
        removed,
        help,
    })
}

/// Compares the rows of the store with what the events say that they hold, where the whole chain holds.
pub async fn compare_rows(check: &mut AuditCheck, store: &dyn Store) -> Result<(), Error> {
    if check.holds && check.removed == 0 {
        check.differences = row_differences(store).await?;
        check.rows_compared = true;
        check.holds = check.differences.is_empty();
    }
    Ok(())
}

const CHAIN_HELP: &str = "the store was changed outside Holdfast: restore a copy and compare; where whole months were \
                          removed, give the hash of their last event with --since";
const ANCHORS_HELP: &str = "the store was changed outside Holdfast, or restored from a copy: compare it with an exported \
                            audit or a copy from that time";

/// Follows one page of the chain, and compares it with the checkpoints.
fn walk(
    page: &[ChainRow],
    last: &mut Link,
    anchors: Option<&mut Anchors>,
) -> Result<(), (String, &'static str)> {
    *last = verify_chain(page, last.clone()).map_err(|broken| (broken.to_string(), CHAIN_HELP))?;
    let Some(anchors) = anchors else { return Ok(()) };
    page.iter().try_for_each(|row| anchors.meet(&row.link)).map_err(|what| (what, ANCHORS_HELP))
}

/// The hash of an event, as an earlier check printed it.
pub fn event_hash(text: &str) -> Result<String, Error> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_lowercase());
    }
    let error = Error::new(ErrorKind::Invalid, format!("`{text}` is not the hash of an event"));
    Err(error.help("give the 64 hex digits that an earlier check printed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_64_hex_digits_in_any_case() {
        assert_eq!(event_hash(&"AB".repeat(32)).unwrap(), "ab".repeat(32));
        for text in ["abc", &"xy".repeat(32)] {
            assert!(event_hash(text).unwrap_err().to_string().contains("is not the hash of an event"));
        }
    }
}
