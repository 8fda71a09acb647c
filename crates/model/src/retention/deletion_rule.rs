//! The rule that a deletion is checked against.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decision::{Backup, RetentionDecision, decide};
use super::{KeepReason, Retention};
use crate::{Timestamp, Zone};

/// A rule of retention and its time zone, as they were when a deletion was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeletionRule {
    /// The rule.
    pub retention: Retention,
    /// The zone of its days, weeks, months and years, as an IANA name.
    pub timezone: String,
}

impl DeletionRule {
    /// The reason to keep `subject` where only `others` are left beside it; `None` where it may be deleted.
    ///
    /// The zone is that of the program's own database; an unknown zone counts as UTC.
    pub fn keeps(&self, subject: Backup, others: &[Backup], now: Timestamp) -> Option<KeepReason> {
        let zone = Zone::bundled(&self.timezone).unwrap_or(Zone::UTC);
        let all: Vec<Backup> = others.iter().copied().chain([subject]).collect();
        let of_subject = |(id, _): &(crate::BackupId, RetentionDecision)| *id == subject.id;
        let decisions = decide(&self.retention, &all, &zone, now);
        match decisions.into_iter().find(of_subject) {
            Some((_, RetentionDecision::Delete)) => None,
            Some((_, RetentionDecision::Keep(why))) => Some(why),
            None => Some(KeepReason::NotOurs),
        }
    }
}
