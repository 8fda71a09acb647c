//! The signature of a file that leaves the store: one line of JSON, in one form.

use std::fmt::Write as _;

use holdfast_model::{Timestamp, format_timestamp, parse_timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::{SigningKey, VerifyingKey};

/// The version of the form.
const VERSION: u32 = 1;

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Signed {
    /// The report of a month.
    Report {
        /// The month.
        month: String,
    },
    /// A part of an export of the audit: the lines between this signature and the one before.
    AuditPart {
        /// Which events it has; empty for every event.
        filter: String,
        /// The number of the event that it begins after; 0 for the first.
        after: i64,
        /// The hash of that event.
        previous: String,
        /// The number of its lines.
        events: u64,
        /// Whether the audit ended with the last event that it covers.
        ends: bool,
    },
}

/// What a signature states: a file is this, made when the audit ended with this event.
///
/// Of a part of an export, the event is the last that the part covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedFile {
    /// What the file is.
    #[serde(flatten)]
    pub what: Signed,
    /// The SHA-256 of the file or the lines, in hex.
    pub sha256: String,
    /// The event.
    #[serde(flatten)]
    pub audit: AuditEnd,
    /// When it was made.
    pub at: Timestamp,
}

/// An event of the audit that a file ends with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditEnd {
    /// Its number; 0 for an empty audit.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

/// A signature of a file. Nothing is known about it before [`FileSignature::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSignature {
    /// What it states.
    pub signed: SignedFile,
    /// The id of the key.
    pub key: String,
    signature: String,
}

/// Why a file is not what was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// The line is in another form.
    #[error("it is not a signature in the form of version {VERSION}")]
    Form,
    /// No key was given that has its id.
    #[error("it was signed with the key {0}, which is not among the given ones")]
    OtherKey(String),
    /// The key did not sign it.
    #[error("the signature is not one of the key {0}: the line was changed")]
    Signature(String),
    /// The file has other bytes.
    #[error("its content was changed: the SHA-256 is {found}, and {signed} was signed")]
    Changed {
        /// The file's.
        found: String,
        /// The signed one.
        signed: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    report: Option<u32>,
    month: Option<String>,
    audit_export: Option<u32>,
    filter: Option<String>,
    after: Option<i64>,
    previous: Option<String>,
    events: Option<u64>,
    ends: Option<bool>,
    sha256: String,
    seq: i64,
    hash: String,
    at: String,
    key: String,
    signature: String,
}

impl Line {
    fn what(&self) -> Option<Signed> {
        match (self.report, self.audit_export) {
            (Some(VERSION), None) => Some(Signed::Report { month: self.month.clone()? }),
            (None, Some(VERSION)) => Some(Signed::AuditPart {
                filter: self.filter.clone()?,
                after: self.after?,
                previous: self.previous.clone()?,
                events: self.events?,
                ends: self.ends?,
            }),
            _ => None,
        }
    }
}

impl FileSignature {
    /// Signs.
    pub fn sign(signed: SignedFile, key: &SigningKey) -> Self {
        let signature = key.sign(payload(&signed, key.id()).as_bytes());
        Self { signed, key: key.id().to_owned(), signature }
    }

    /// Whether a line of a file is a signature and no event, or means to be one.
    pub fn is_of_audit(line: &str) -> bool {
        line.starts_with("{\"audit_export\":")
    }

    /// Reads a line, which must have the one form that [`FileSignature::line`] writes.
    pub fn parse(line: &str) -> Result<Self, InvalidSignature> {
        let line = line.trim_end();
        let read: Line = serde_json::from_str(line).map_err(|_| InvalidSignature::Form)?;
        let what = read.what().ok_or(InvalidSignature::Form)?;
        let Line { sha256, seq, hash, at, key, signature, .. } = read;
        let at = parse_timestamp(&at).map_err(|_| InvalidSignature::Form)?;
        let signed = SignedFile { what, sha256, audit: AuditEnd { seq, hash }, at };
        let read = Self { signed, key, signature };
        if read.line() == line { Ok(read) } else { Err(InvalidSignature::Form) }
    }

    /// The line, without a newline: the signed text with the signature as its last member.
    pub fn line(&self) -> String {
        let mut line = payload(&self.signed, &self.key);
        line.pop();
        // Writing to a String cannot fail.
        let _ = write!(line, ",\"signature\":{}}}", json(&self.signature));
        line
    }

    /// Checks that one of the keys signed it.
    pub fn require_key(&self, keys: &[VerifyingKey]) -> Result<(), InvalidSignature> {
        let Some(key) = keys.iter().find(|key| key.id() == self.key) else {
            return Err(InvalidSignature::OtherKey(self.key.clone()));
        };
        if key.signed(payload(&self.signed, &self.key).as_bytes(), &self.signature) {
            return Ok(());
        }
        Err(InvalidSignature::Signature(self.key.clone()))
    }

    /// Checks that one of the keys signed it, and that it is of the content with this SHA-256.
    pub fn verify(&self, sha256: &str, keys: &[VerifyingKey]) -> Result<(), InvalidSignature> {
        self.require_key(keys)?;
        let (found, signed) = (sha256.to_owned(), self.signed.sha256.clone());
        if found == signed { Ok(()) } else { Err(InvalidSignature::Changed { found, signed }) }
    }
}

/// The signed text: the line without its member `signature`. It begins otherwise than that of a checkpoint.
fn payload(signed: &SignedFile, key: &str) -> String {
    let SignedFile { what, sha256, audit, at } = signed;
    let what = match what {
        Signed::Report { month } => format!("\"report\":{VERSION},\"month\":{}", json(month)),
        Signed::AuditPart { filter, after, previous, events, ends } => format!(
            "\"audit_export\":{VERSION},\"filter\":{},\"after\":{after},\"previous\":{},\"events\":{events},\"ends\":{ends}",
            json(filter),
            json(previous)
        ),
    };
    format!(
        "{{{what},\"sha256\":{},\"seq\":{},\"hash\":{},\"at\":{},\"key\":{}}}",
        json(sha256),
        audit.seq,
        json(&audit.hash),
        json(&format_timestamp(*at)),
        json(key)
    )
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
