//! Verifies a signed export by its lines and public keys alone.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead, Read as _};

use holdfast_model::Timestamp;
use holdfast_store::{ChainRow, Link, verify_chain};
use ring::digest::{Context, SHA256};
use serde::Serialize;

use super::export;
use super::key::VerifyingKey;
use crate::signature::{AuditEnd, FileSignature, Signed, SignedFile};
use crate::{Error, ErrorKind};

/// The longest line, in bytes. An event is far shorter.
const LINE_MAX: u64 = 16 * 1024 * 1024;

/// What a verified export is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifiedExport {
    /// Its events.
    pub events: u64,
    /// Which events it has; empty for every event.
    pub filter: String,
    /// Its parts, each with a signature.
    pub parts: u64,
    /// The number of the event that it begins after; 0 for the first.
    pub after: i64,
    /// The event that the audit ended with when the last part was made.
    pub audit: AuditEnd,
    /// When the last part was made.
    pub at: Timestamp,
    /// The ids of the keys that signed it.
    pub keys: BTreeSet<String>,
}

/// Verifies an export line by line. An error says what is wrong, and in which line. `name` is that of the file.
pub fn verify_export(
    mut reader: impl BufRead,
    name: &str,
    keys: &[VerifyingKey],
) -> Result<VerifiedExport, Error> {
    let (mut walk, mut number) = (Walk::default(), 0_u64);
    loop {
        let mut line = Vec::new();
        let read = reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
        number += 1;
        let wrong = |what: &str| Error::new(ErrorKind::Refused, format!("line {number} of {name}: {what}"));
        if read.map_err(|error| wrong(&error.to_string()))? == 0 {
            return walk.end().map_err(|what| wrong_end(name, number - 1, &what));
        }
        if line.pop() != Some(b'\n') {
            return Err(wrong("the line has no end: the file was cut off"));
        }
        let text = std::str::from_utf8(&line).map_err(|_| wrong("it is no text"))?;
        let walked = if FileSignature::is_of_audit(text) {
            walk.sign(text, number, keys)
        } else {
            walk.event(text, number)
        };
        walked.map_err(|what| wrong(&what))?;
    }
}

fn wrong_end(name: &str, lines: u64, what: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("{name} ends after line {lines}: {what}"))
        .help("get the export again; an export that was not signed is verified with `holdfast audit verify --events`")
}

/// The walk over an export.
#[derive(Default)]
struct Walk {
    part: Part,
    /// The event that the lines so far end with.
    last: Option<Link>,
    /// The statement of the part before.
    signed: Option<SignedFile>,
    verified: Option<VerifiedExport>,
}

/// The lines since the last signature.
#[derive(Default)]
struct Part {
    first_line: u64,
    first: Option<Link>,
    events: u64,
    /// The line, and the events between which others are missing.
    gap: Option<(u64, i64, i64)>,
    digest: Option<Context>,
}

impl Walk {
    fn event(&mut self, text: &str, line: u64) -> Result<(), String> {
        let row = export::row(text).map_err(|error| format!("it is no event of an audit: {error}"))?;
        require_unchanged(&row)?;
        let seq = row.link.seq;
        if let Some(last) = &self.last {
            if seq <= last.seq {
                return Err(format!(
                    "audit event {seq} does not come after event {}: lines were moved or repeated",
                    last.seq
                ));
            }
            if seq == last.seq + 1 && row.link.previous != last.hash {
                return Err(format!(
                    "audit event {seq} does not follow event {}: one of them is of another audit, or was computed again",
                    last.seq
                ));
            }
            if seq > last.seq + 1 {
                self.part.gap.get_or_insert((line, last.seq, seq));
            }
        }
        let part = &mut self.part;
        if part.events == 0 {
            (part.first_line, part.first) = (line, Some(row.link.clone()));
        }
        part.events += 1;
        let digest = part.digest.get_or_insert_with(|| Context::new(&SHA256));
        digest.update(text.as_bytes());
        digest.update(b"\n");
        self.last = Some(row.link);
        Ok(())
    }

    fn sign(&mut self, text: &str, line: u64, keys: &[VerifyingKey]) -> Result<(), String> {
        let signature = FileSignature::parse(text).map_err(|error| error.to_string())?;
        signature.require_key(keys).map_err(|error| error.to_string())?;
        let FileSignature { signed, key, .. } = signature;
        let Signed::AuditPart { filter, after, previous, events, ends: _ } = &signed.what else {
            return Err("it is the signature of something else than an audit".to_owned());
        };
        let part = std::mem::take(&mut self.part);
        self.require_continued(&signed, (filter, *after, previous))?;
        part.require_signed((*events, &signed.sha256), line)?;
        part.require_within(filter.is_empty(), (*after, previous), &signed.audit)?;
        self.require_last(filter.is_empty(), *after, &signed.audit)?;
        let verified = self.verified.get_or_insert_with(|| VerifiedExport {
            events: 0,
            filter: filter.clone(),
            parts: 0,
            after: *after,
            audit: AuditEnd::default(),
            at: signed.at,
            keys: BTreeSet::new(),
        });
        verified.events += events;
        verified.parts += 1;
        verified.keys.insert(key);
        (verified.audit, verified.at) = (signed.audit.clone(), signed.at);
        let AuditEnd { seq, hash } = signed.audit.clone();
        self.last = Some(Link { seq, hash, previous: String::new() });
        self.signed = Some(signed);
        Ok(())
    }

    /// The part goes on where the one before ended, with the same events.
    fn require_continued(
        &self,
        signed: &SignedFile,
        (filter, after, previous): (&str, i64, &str),
    ) -> Result<(), String> {
        let (Some(before), Some(verified)) = (&self.signed, &self.verified) else { return Ok(()) };
        if verified.filter != filter {
            return Err(format!(
                "this part has the events of `{filter}`, and those before have the events of `{}`: they are of different exports",
                verified.filter
            ));
        }
        if (before.audit.seq, before.audit.hash.as_str()) != (after, previous) {
            return Err(format!(
                "this part goes on from event {after} to {}, and the part before ended with event {}: parts are missing, were \
                 moved, or are of different exports",
                signed.audit.seq, before.audit.seq
            ));
        }
        Ok(())
    }

    /// The last line is the event that the part ends with, where it has that event.
    fn require_last(&self, is_whole: bool, after: i64, end: &AuditEnd) -> Result<(), String> {
        let last = self.last.as_ref().filter(|last| last.seq > after);
        let is_end = |last: &Link| (last.seq, &last.hash) == (end.seq, &end.hash);
        let holds = match last {
            Some(last) if is_whole || last.seq == end.seq => is_end(last),
            None if is_whole => end.seq == after,
            _ => true,
        };
        if holds {
            Ok(())
        } else {
            Err(format!("the part ends with event {}, which is not its last line", end.seq))
        }
    }

    fn end(self) -> Result<VerifiedExport, String> {
        if self.part.events > 0 {
            return Err(format!(
                "no signature follows the events from line {} on: the file was cut off, or was not signed",
                self.part.first_line
            ));
        }
        let (Some(verified), Some(signed)) = (self.verified, self.signed) else {
            return Err("it has no signature: the file was cut off, or was not signed".to_owned());
        };
        match signed.what {
            Signed::AuditPart { ends: true, .. } => Ok(verified),
            _ => Err(format!(
                "it has the events up to {}, and the audit had more: the file was cut off",
                signed.audit.seq
            )),
        }
    }
}

impl Part {
    /// The lines are those that were signed.
    fn require_signed(&self, (events, sha256): (u64, &str), line: u64) -> Result<(), String> {
        let lines = format!("lines {} to {}", self.first_line, line - 1);
        if self.events != events {
            return Err(format!(
                "the signature is of {events} events, and {} stand before it: lines were removed or added",
                self.events
            ));
        }
        let digest = self.digest.clone().unwrap_or_else(|| Context::new(&SHA256)).finish();
        let found = digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        if found != sha256 {
            return Err(format!(
                "{lines} are not those that were signed: one of them was replaced by another whole event"
            ));
        }
        Ok(())
    }

    /// An export of every event has no gap, and begins with the event after the place where it begins.
    fn require_within(
        &self,
        is_whole: bool,
        (after, previous): (i64, &str),
        end: &AuditEnd,
    ) -> Result<(), String> {
        let Some(first) = &self.first else { return Ok(()) };
        if first.seq <= after || first.seq > end.seq {
            return Err(format!(
                "the part covers the events after {after} up to {}, and line {} has event {}",
                end.seq, self.first_line, first.seq
            ));
        }
        if is_whole && (first.seq, first.previous.as_str()) != (after + 1, previous) {
            return Err(format!("line {} does not have the event after {after}", self.first_line));
        }
        match self.gap.filter(|_| is_whole) {
            Some((line, before, seq)) => Err(format!(
                "line {line} has event {seq} after event {before}: the events between them are missing"
            )),
            None => Ok(()),
        }
    }
}

/// The event is what its own hash covers.
fn require_unchanged(row: &ChainRow) -> Result<(), String> {
    let before = Link {
        seq: row.link.seq.saturating_sub(1),
        hash: row.link.previous.clone(),
        previous: String::new(),
    };
    verify_chain([row], before).map(drop).map_err(|broken| broken.to_string())
}
