//! The audit's hash chain: a hash binds each event to the one before, so that a changed, missing or reordered row
//! shows.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An event's place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Link {
    /// Counts the events from 1, without gaps.
    pub seq: i64,
    /// The hash of the event before.
    pub previous: String,
    /// This event's hash: SHA-256 in lower-case hex.
    pub hash: String,
}

/// An event's stored texts, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainRow {
    /// Its place.
    pub link: Link,
    /// When it happened, as text.
    pub at: String,
    /// The run, as text.
    pub run_id: String,
    /// The app, as text.
    pub app: String,
    /// The event, as JSON text.
    pub data: String,
    /// The login that wrote the row, as the database server names it; empty in a store without logins.
    pub database_role: String,
}

/// What the hash of an event covers, beside the event's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// When it happened.
    pub at: &'a str,
    /// The run.
    pub run_id: &'a str,
    /// The app.
    pub app: &'a str,
    /// The event, as JSON text.
    pub data: &'a str,
    /// The login that wrote the row.
    pub database_role: &'a str,
}

impl ChainRow {
    /// What its hash covers, beside its place.
    pub fn content(&self) -> Content<'_> {
        let Self { at, run_id, app, data, database_role, .. } = self;
        Content { at, run_id, app, data, database_role }
    }
}

/// The first place where the chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("audit event {seq} {what}")]
pub struct Broken {
    /// The sequence number of the place.
    pub seq: i64,
    /// What is wrong.
    pub what: Damage,
}

/// What is wrong with a place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// The row's content is not what was hashed.
    Changed,
    /// The row is missing.
    Missing,
    /// The row does not follow the one before it: rows were swapped, or the one before was replaced.
    Reordered,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "was changed after it was written",
            Self::Missing => "is missing",
            Self::Reordered => "does not follow the event before it: events were reordered or replaced",
        })
    }
}

impl Link {
    /// The place before the first event.
    pub fn origin() -> Self {
        Self { seq: 0, previous: String::new(), hash: "0".repeat(64) }
    }

    /// The link of the event that follows this one, from its stored texts.
    #[must_use]
    pub fn then(&self, content: &Content<'_>) -> Self {
        let seq = self.seq + 1;
        Self { seq, previous: self.hash.clone(), hash: hash(&self.hash, seq, content) }
    }
}

/// Checks rows that follow `from` and returns the link of the last one.
///
/// A chain whose last rows are missing still verifies. Keep the returned link outside of the store and compare it with a
/// later one to detect that.
pub fn verify_chain<'a>(rows: impl IntoIterator<Item = &'a ChainRow>, from: Link) -> Result<Link, Broken> {
    let mut last = from;
    for row in rows {
        let seq = last.seq + 1;
        let broken = |what| Err(Broken { seq, what });
        if row.link.seq != seq {
            return broken(if row.link.seq > seq { Damage::Missing } else { Damage::Reordered });
        }
        if row.link.previous != last.hash {
            return broken(Damage::Reordered);
        }
        let link = last.then(&row.content());
        if link.hash != row.link.hash {
            return broken(Damage::Changed);
        }
        last = link;
    }
    Ok(last)
}

/// SHA-256 in hex. The length of each part precedes it, so that two different rows never hash the same bytes.
fn hash(previous: &str, seq: i64, content: &Content<'_>) -> String {
    let mut hasher = Sha256::new();
    let mut add = |part: &[u8]| {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    };
    add(previous.as_bytes());
    add(&seq.to_be_bytes());
    let Content { at, run_id, app, data, database_role } = content;
    for part in [at, run_id, app, data, database_role] {
        add(part.as_bytes());
    }
    hex(&hasher.finalize())
}

/// The SHA-256 of bytes in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hex.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        hex.extend([byte >> 4, byte & 15].map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)])));
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(data: &str) -> Content<'_> {
        Content { at: "t", run_id: "r", app: "a", data, database_role: "d" }
    }

    fn row(link: Link, data: &str) -> ChainRow {
        let text = String::from;
        let (at, run_id, app, database_role) = (text("t"), text("r"), text("a"), text("d"));
        ChainRow { link, at, run_id, app, data: data.to_owned(), database_role }
    }

    fn chain(count: i64) -> Vec<ChainRow> {
        let mut last = Link::origin();
        (1..=count)
            .map(|n| {
                let data = format!("{{\"n\":{n}}}");
                last = last.then(&content(&data));
                row(last.clone(), &data)
            })
            .collect()
    }

    fn verify(rows: &[ChainRow]) -> Result<Link, Broken> {
        verify_chain(rows, Link::origin())
    }

    #[test]
    fn an_untouched_chain_holds_from_its_start_and_from_any_later_link() {
        let rows = chain(5);
        assert_eq!(verify(&rows), Ok(rows[4].link.clone()));
        assert_eq!(verify_chain(&rows[2..], rows[1].link.clone()), Ok(rows[4].link.clone()));
        assert_eq!(verify(&[]), Ok(Link::origin()));
    }

    #[test]
    fn every_changed_byte_is_found_where_it_is() {
        let touch: [fn(&mut ChainRow); 6] = [
            |row| row.at.push(' '),
            |row| row.run_id.push('x'),
            |row| row.app = String::new(),
            |row| row.data = row.data.replace(':', ": "),
            |row| row.database_role = "ann".to_owned(),
            |row| row.link.hash.replace_range(0..1, "z"),
        ];
        for touch in touch {
            let mut rows = chain(5);
            touch(&mut rows[2]);
            assert_eq!(verify(&rows), Err(Broken { seq: 3, what: Damage::Changed }));
        }
    }

    #[test]
    fn a_missing_a_swapped_and_a_replaced_event_are_found() {
        let mut rows = chain(5);
        rows.remove(1);
        assert_eq!(verify(&rows), Err(Broken { seq: 2, what: Damage::Missing }));
        let mut rows = chain(5);
        rows.swap(1, 2);
        assert_eq!(verify(&rows), Err(Broken { seq: 2, what: Damage::Missing }));
        (rows[1].link.seq, rows[2].link.seq) = (2, 3);
        assert_eq!(verify(&rows), Err(Broken { seq: 2, what: Damage::Reordered }));
        let mut rows = chain(5);
        rows[1].data = "{}".into();
        rows[1].link = rows[0].link.then(&content("{}"));
        assert_eq!(verify(&rows), Err(Broken { seq: 3, what: Damage::Reordered }));
    }

    #[test]
    fn a_byte_that_moves_from_one_part_to_the_next_changes_the_hash() {
        let origin = Link::origin();
        let (one, other) = (Content { at: "a", run_id: "bc", ..content("e") }, content("e"));
        assert_ne!(origin.then(&one), origin.then(&Content { at: "ab", run_id: "c", ..other }));
    }
}
