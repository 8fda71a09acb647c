//! Parses the values of arguments.

use holdfast_model::{BackupId, RunKind, SubscriptionId, Timestamp};

/// Parses a time.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let expected = "expected a time such as 2026-12-01T02:00:00Z";
    holdfast_model::parse_timestamp(text).map_err(|_| expected.to_owned())
}

/// Parses a kind of run.
pub(super) fn kind(text: &str) -> Result<RunKind, String> {
    let named = RunKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    let expected = || RunKind::ALL.map(RunKind::as_str).join(", ");
    named.ok_or_else(|| format!("expected one of {}", expected()))
}

/// Parses Azure's number for a backup.
pub(super) fn backup_id(text: &str) -> Result<BackupId, String> {
    let expected =
        "expected Azure's number for a backup, such as 458165; `holdfast backups list APP` shows them";
    text.parse().map(BackupId).map_err(|_| expected.to_owned())
}

/// Parses a subscription's id.
pub(super) fn subscription(text: &str) -> Result<SubscriptionId, String> {
    let is_id = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    is_id.then(|| SubscriptionId::new(text)).ok_or_else(|| "expected a subscription's id alone".to_owned())
}
