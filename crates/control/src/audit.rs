//! Verifies the audit's hash chain, and the rows by its events.

use holdfast_store::{Link, Store, row_differences, verify_chain};
use serde::Serialize;

use crate::{Error, ErrorKind, counted};

/// Events per batch of the verification.
const PAGE: u32 = 5_000;

/// The result of a verification.
#[derive(Debug, Serialize)]
pub struct AuditCheck {
    /// Events verified.
    pub events: i64,
    /// The hash of the last of them.
    pub last_hash: String,
    /// Whether the whole chain holds.
    pub holds: bool,
    /// What is wrong, where it does not hold.
    pub broken: Option<String>,
    /// Whether the rows were compared with the events: not where the walk begins after events that were removed.
    pub rows_compared: bool,
    /// Each difference between the rows and what the events say that they hold.
    pub differences: Vec<String>,
    /// Events removed before the first one, as whole months are.
    #[serde(skip)]
    pub removed: i64,
    /// What to do, where it does not hold.
    #[serde(skip)]
    help: &'static str,
}

impl AuditCheck {
    /// An error unless the chain holds.
    pub fn require(self) -> Result<(), Error> {
        if let Some(broken) = self.broken {
            return Err(Error::new(ErrorKind::Refused, broken).help(self.help));
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
/// removed before the first.
pub async fn verify(store: &dyn Store, since: Option<&str>) -> Result<AuditCheck, Error> {
    let since = since.map(hash).transpose()?;
    let since = since.as_deref();
    let first = store.chain(0, 1).await?.pop().map(|row| row.link);
    let after_removed = first.filter(|first| first.seq > 1 && since == Some(first.previous.as_str()));
    let mut last = after_removed.map_or(Link::origin(), |first| Link {
        seq: first.seq - 1,
        hash: first.previous,
        ..Link::origin()
    });
    let removed = last.seq;
    let mut has_met = since.is_none_or(|hash| hash == last.hash);
    let broken = loop {
        let page = store.chain(last.seq, PAGE).await?;
        if page.is_empty() {
            let what = "the audit has no event with the given hash: events are missing at its end";
            break (!has_met)
                .then(|| (what.to_owned(), "compare it with a copy of the store from that time"));
        }
        has_met |= page.iter().any(|row| since == Some(row.link.hash.as_str()));
        last = match verify_chain(&page, last.clone()) {
            Ok(last) => last,
            Err(broken) => {
                let help = "the store was changed outside Holdfast: restore a copy and compare; where whole months were \
                            removed, give the hash of their last event with --since";
                break Some((broken.to_string(), help));
            }
        };
    };
    let (broken, help) = broken.map_or((None, ""), |(what, help)| (Some(what), help));
    let events = last.seq - removed;
    let rows_compared = broken.is_none() && removed == 0;
    let differences = if rows_compared { row_differences(store).await? } else { Vec::new() };
    let holds = broken.is_none() && differences.is_empty();
    let last_hash = last.hash;
    Ok(AuditCheck { events, last_hash, holds, broken, rows_compared, differences, removed, help })
}

/// The hash of an event, as an earlier check printed it.
fn hash(text: &str) -> Result<String, Error> {
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
        assert_eq!(hash(&"AB".repeat(32)).unwrap(), "ab".repeat(32));
        for text in ["abc", &"xy".repeat(32)] {
            assert!(hash(text).unwrap_err().to_string().contains("is not the hash of an event"));
        }
    }
}
