//! A signed checkpoint of the audit: one line of JSON in one form.

use std::fmt::Write as _;

use holdfast_model::{Timestamp, format_timestamp, parse_timestamp};
use serde::Deserialize;

use super::key::{SigningKey, VerifyingKey};

/// The version of the form.
const VERSION: u32 = 1;

/// What a checkpoint states: at a time, the audit of a fleet ended with this event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The name of the fleet.
    pub fleet: String,
    /// The sequence number of the last event; 0 for an empty audit.
    pub seq: i64,
    /// The hash of the last event.
    pub hash: String,
    /// When it was signed, by the store's clock.
    pub at: Timestamp,
}

/// A signed checkpoint. Nothing is known about its signature before [`Checkpoint::is_signed_by`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// What it states.
    pub statement: Statement,
    /// The id of the key that signed it.
    pub key: String,
    signature: String,
}

/// Why a line is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCheckpoint {
    /// It is not JSON, as a line that was cut off.
    #[error("it is not a whole line of JSON")]
    Torn,
    /// It is JSON in another form.
    #[error("it is not a checkpoint in the form of version {VERSION}")]
    Form,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    checkpoint: u32,
    fleet: String,
    seq: i64,
    hash: String,
    at: String,
    key: String,
    signature: String,
}

impl Checkpoint {
    /// Signs a statement.
    pub fn sign(statement: Statement, key: &SigningKey) -> Self {
        let signature = key.sign(payload(&statement, key.id()).as_bytes());
        Self { statement, key: key.id().to_owned(), signature }
    }

    /// Reads a line, which must have the one form that [`Checkpoint::line`] writes.
    pub fn parse(line: &str) -> Result<Self, InvalidCheckpoint> {
        if serde_json::from_str::<serde_json::Value>(line).is_err() {
            return Err(InvalidCheckpoint::Torn);
        }
        let read: Line = serde_json::from_str(line).map_err(|_| InvalidCheckpoint::Form)?;
        let Line { checkpoint, fleet, seq, hash, at, key, signature } = read;
        let at = parse_timestamp(&at).map_err(|_| InvalidCheckpoint::Form)?;
        let statement = Statement { fleet, seq, hash, at };
        let read = Self { statement, key, signature };
        let is_canonical = checkpoint == VERSION && read.line() == line;
        if is_canonical { Ok(read) } else { Err(InvalidCheckpoint::Form) }
    }

    /// The line, without a newline: the signed text with the signature as its last member.
    pub fn line(&self) -> String {
        let mut line = payload(&self.statement, &self.key);
        line.pop();
        // Writing to a String cannot fail.
        let _ = write!(line, ",\"signature\":{}}}", json(&self.signature));
        line
    }

    /// Whether one of the keys signed it.
    pub fn is_signed_by(&self, keys: &[VerifyingKey]) -> bool {
        let payload = payload(&self.statement, &self.key);
        keys.iter().any(|key| key.id() == self.key && key.signed(payload.as_bytes(), &self.signature))
    }
}

/// The signed text: the line without its member `signature`.
fn payload(statement: &Statement, key: &str) -> String {
    let Statement { fleet, seq, hash, at } = statement;
    format!(
        "{{\"checkpoint\":{VERSION},\"fleet\":{},\"seq\":{seq},\"hash\":{},\"at\":{},\"key\":{}}}",
        json(fleet),
        json(hash),
        json(&format_timestamp(*at)),
        json(key)
    )
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::key::{generate, read_pem, system_random};
    use super::*;

    pub(crate) fn key() -> SigningKey {
        read_pem(&generate(&system_random()).unwrap()).unwrap()
    }

    pub(crate) fn statement(seq: i64, hash: &str) -> Statement {
        let at = parse_timestamp("2026-11-29T02:00:00Z").unwrap();
        Statement { fleet: "contoso".into(), seq, hash: hash.to_owned(), at }
    }

    #[test]
    fn a_checkpoint_reads_back_and_its_signature_holds() {
        let (key, other) = (key(), key());
        let made = Checkpoint::sign(statement(7, "ab"), &key);
        let line = made.line();
        assert!(line.starts_with(
            r#"{"checkpoint":1,"fleet":"contoso","seq":7,"hash":"ab","at":"2026-11-29T02:00:00.000Z","key":""#
        ));
        assert_eq!(Checkpoint::parse(&line), Ok(made.clone()));
        let public = |key: &SigningKey| key.verifying_key().unwrap();
        assert!(made.is_signed_by(&[public(&other), public(&key)]));
        assert!(!made.is_signed_by(&[public(&other)]) && !made.is_signed_by(&[]));
    }

    #[test]
    fn every_change_of_a_line_is_found() {
        let key = key();
        let line = Checkpoint::sign(statement(7, "ab"), &key).line();
        let keys = [key.verifying_key().unwrap()];
        for (from, to) in [
            ("contoso", "fabrikam"),
            ("\"seq\":7", "\"seq\":8"),
            ("\"ab\"", "\"ac\""),
            ("T02:00:00.000Z", "T03:00:00.000Z"),
        ] {
            let forged = Checkpoint::parse(&line.replacen(from, to, 1)).unwrap();
            assert!(!forged.is_signed_by(&keys), "{to}");
        }
        for (from, to) in [
            (",", ", "),
            ("\"seq\":7", "\"seq\":7,\"seq\":7"),
            ("\"checkpoint\":1", "\"checkpoint\":2"),
            ("02:00:00.000Z", "02:00:00Z"),
            ("\"seq\"", "\"n\":0,\"seq\""),
        ] {
            assert_eq!(Checkpoint::parse(&line.replacen(from, to, 1)), Err(InvalidCheckpoint::Form), "{to}");
        }
        assert_eq!(Checkpoint::parse(&line[..40]), Err(InvalidCheckpoint::Torn));
    }
}
