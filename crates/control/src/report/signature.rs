//! The signature of a report: one line of JSON beside the file, in one form.

use std::fmt::Write as _;

use holdfast_model::{Timestamp, format_timestamp, parse_timestamp};
use holdfast_store::sha256_hex;
use serde::{Deserialize, Serialize};

use super::summary::{AuditEnd, Report};
use crate::audit::{SigningKey, VerifyingKey};

/// The version of the form.
const VERSION: u32 = 1;

/// What is signed: a file is the report of a month, made when the audit ended with this event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedReport {
    /// The month.
    pub month: String,
    /// The SHA-256 of the file, in hex.
    pub sha256: String,
    /// Where the audit ended.
    #[serde(flatten)]
    pub audit: AuditEnd,
    /// When the report was made.
    pub at: Timestamp,
}

/// A signature of a report. Nothing is known about it before [`ReportSignature::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportSignature {
    /// What it states.
    pub signed: SignedReport,
    /// The id of the key.
    pub key: String,
    signature: String,
}

/// Why a file is not the report that was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// The line is in another form.
    #[error("it is not the signature of a report in the form of version {VERSION}")]
    Form,
    /// No key was given that has its id.
    #[error("it was signed with the key {0}, which is not among the given ones")]
    OtherKey(String),
    /// The key did not sign it.
    #[error("the signature is not one of the key {0}: the line was changed")]
    Signature(String),
    /// The file has other bytes.
    #[error("the report was changed: its SHA-256 is {found}, and {signed} was signed")]
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
    report: u32,
    month: String,
    sha256: String,
    seq: i64,
    hash: String,
    at: String,
    key: String,
    signature: String,
}

impl ReportSignature {
    /// Signs the bytes of a report.
    pub fn sign(report: &Report, file: &[u8], key: &SigningKey) -> Self {
        let (month, audit) = (report.month.clone(), report.audit.clone());
        let signed = SignedReport { month, sha256: sha256_hex(file), audit, at: report.made_at };
        let signature = key.sign(payload(&signed, key.id()).as_bytes());
        Self { signed, key: key.id().to_owned(), signature }
    }

    /// Reads a line, which must have the one form that [`ReportSignature::line`] writes.
    pub fn parse(line: &str) -> Result<Self, InvalidSignature> {
        let line = line.trim_end();
        let read: Line = serde_json::from_str(line).map_err(|_| InvalidSignature::Form)?;
        let Line { report, month, sha256, seq, hash, at, key, signature } = read;
        let at = parse_timestamp(&at).map_err(|_| InvalidSignature::Form)?;
        let signed = SignedReport { month, sha256, audit: AuditEnd { seq, hash }, at };
        let read = Self { signed, key, signature };
        if report == VERSION && read.line() == line { Ok(read) } else { Err(InvalidSignature::Form) }
    }

    /// The line, without a newline: the signed text with the signature as its last member.
    pub fn line(&self) -> String {
        let mut line = payload(&self.signed, &self.key);
        line.pop();
        // Writing to a String cannot fail.
        let _ = write!(line, ",\"signature\":{}}}", json(&self.signature));
        line
    }

    /// Checks that one of the keys signed it, and that it is of this file.
    pub fn verify(&self, file: &[u8], keys: &[VerifyingKey]) -> Result<(), InvalidSignature> {
        let Some(key) = keys.iter().find(|key| key.id() == self.key) else {
            return Err(InvalidSignature::OtherKey(self.key.clone()));
        };
        if !key.signed(payload(&self.signed, &self.key).as_bytes(), &self.signature) {
            return Err(InvalidSignature::Signature(self.key.clone()));
        }
        let (found, signed) = (sha256_hex(file), self.signed.sha256.clone());
        if found == signed { Ok(()) } else { Err(InvalidSignature::Changed { found, signed }) }
    }
}

/// The signed text: the line without its member `signature`. It begins otherwise than that of a checkpoint.
fn payload(signed: &SignedReport, key: &str) -> String {
    let SignedReport { month, sha256, audit, at } = signed;
    format!(
        "{{\"report\":{VERSION},\"month\":{},\"sha256\":{},\"seq\":{},\"hash\":{},\"at\":{},\"key\":{}}}",
        json(month),
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
