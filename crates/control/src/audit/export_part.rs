//! A part of a signed export: some events, and the signature of their lines.
//!
//! An export is made in parts, so that neither side holds it in memory, an answer takes seconds, and a broken connection costs one part.

use holdfast_model::Timestamp;
use holdfast_store::{ChainRow, Link, Store, sha256_hex, verify_chain};

use super::CHAIN_HELP;
use super::export::line;
use super::export_filter::ExportFilter;
use super::key::SigningKey;
use crate::signature::{AuditEnd, FileSignature, Signed, SignedFile};
use crate::{Error, ErrorKind};

/// How much a part has.
#[derive(Debug, Clone, Copy)]
struct PartSize {
    /// Events per statement.
    page: u32,
    /// Lines, about.
    lines: usize,
    /// Events that are looked through, about.
    events: i64,
}

/// The usual size: seconds of work, and a few megabytes.
const USUAL: PartSize = PartSize { page: 5_000, lines: 10_000, events: 50_000 };

/// Where a part begins: after an event, which the part before ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartPlace {
    /// The number of the event.
    pub after: i64,
    /// Its hash.
    pub previous: String,
}

/// A part of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportPart {
    /// Its lines, each with a newline; the last is the signature.
    pub text: String,
    /// Where the next part begins; `None` after the last.
    pub next: Option<PartPlace>,
}

/// Makes the part that begins at a place, or at the first event. Verifies the chain that it signs.
pub async fn export_part(
    store: &dyn Store,
    filter: &ExportFilter,
    place: Option<PartPlace>,
    key: &SigningKey,
) -> Result<ExportPart, Error> {
    part(store, filter, (place, USUAL), key).await
}

async fn part(
    store: &dyn Store,
    filter: &ExportFilter,
    (place, size): (Option<PartPlace>, PartSize),
    key: &SigningKey,
) -> Result<ExportPart, Error> {
    let (at, end) = (store.now().await?, store.last_event().await?);
    let end = end.map_or_else(Link::origin, |event| event.link);
    let begin = begin(store, place).await?;
    let (mut last, mut text, mut events) = (begin.clone(), String::new(), 0);
    while last.seq < end.seq && events < size.lines && last.seq - begin.seq < size.events {
        let mut page = store.chain(last.seq, size.page).await?;
        page.retain(|row| row.link.seq <= end.seq);
        if page.is_empty() {
            return Err(broken(&format!("audit event {} is missing", last.seq + 1)));
        }
        last = verify_chain(&page, last).map_err(|damage| broken(&damage.to_string()))?;
        for row in page.into_iter().filter(|row| filter.has(row)) {
            text.push_str(&line(row));
            text.push('\n');
            events += 1;
        }
    }
    let ends = last.seq >= end.seq;
    if ends && last.hash != end.hash {
        return Err(broken(&format!("audit event {} was replaced", end.seq)));
    }
    let signature = signature((filter, &begin, &last), (&text, events, ends), at, key);
    text.push_str(&signature.line());
    text.push('\n');
    let next = (!ends).then_some(PartPlace { after: last.seq, previous: last.hash });
    Ok(ExportPart { text, next })
}

fn signature(
    (filter, begin, last): (&ExportFilter, &Link, &Link),
    (lines, events, ends): (&str, usize, bool),
    at: Timestamp,
    key: &SigningKey,
) -> FileSignature {
    let what = Signed::AuditPart {
        filter: filter.to_text(),
        after: begin.seq,
        previous: begin.hash.clone(),
        events: events as u64,
        ends,
    };
    let audit = AuditEnd { seq: last.seq, hash: last.hash.clone() };
    FileSignature::sign(SignedFile { what, sha256: sha256_hex(lines.as_bytes()), audit, at }, key)
}

/// The link before the part's first event. Whole months may have been removed before the first event.
async fn begin(store: &dyn Store, place: Option<PartPlace>) -> Result<Link, Error> {
    let Some(PartPlace { after, previous }) = place.filter(|place| place.after > 0) else {
        let first = store.chain(0, 1).await?.pop().map(|row| row.link).filter(|first| first.seq > 1);
        let before = |first: Link| Link { seq: first.seq - 1, hash: first.previous, ..Link::origin() };
        return Ok(first.map_or_else(Link::origin, before));
    };
    let row: Option<ChainRow> = store.chain(after - 1, 1).await?.pop();
    let found = row.map(|row| row.link).filter(|link| (link.seq, &link.hash) == (after, &previous));
    found.ok_or_else(|| {
        let what = format!("the audit has no event {after} with the hash {previous}");
        Error::new(ErrorKind::Invalid, what).help("begin the export again")
    })
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("nothing is signed: {what}")).help(CHAIN_HELP)
}

#[cfg(test)]
mod tests;
