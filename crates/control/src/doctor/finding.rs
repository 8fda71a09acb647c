//! A finding: what was checked, how it is, and what to do about it.

use std::fmt::Write as _;

use serde::Serialize;
use utoipa::ToSchema;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingSeverity {
    /// Works.
    Ok,
    /// Works, and needs attention.
    Warn,
    /// Backups or restores fail.
    Fail,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// How bad it is.
    pub severity: FindingSeverity,
    /// What was checked.
    pub check: &'static str,
    /// The apps, storages or sections that it concerns.
    pub about: Vec<String>,
    /// What was found.
    pub says: String,
    /// What to do; `None` when nothing is wrong.
    pub cure: Option<String>,
    /// What this finding has in common with others whose texts differ; they are merged.
    #[serde(skip)]
    pub(super) group: Option<String>,
}

impl Finding {
    /// A check that passed.
    pub fn ok(check: &'static str, about: impl Into<String>, says: impl Into<String>) -> Self {
        let (about, says) = (vec![about.into()], says.into());
        Self { severity: FindingSeverity::Ok, check, about, says, cure: None, group: None }
    }

    /// A check that passed and needs attention.
    pub fn warn(
        check: &'static str,
        about: impl Into<String>,
        says: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { severity: FindingSeverity::Warn, cure: Some(cure.into()), ..Self::ok(check, about, says) }
    }

    /// A check that failed.
    pub fn fail(
        check: &'static str,
        about: impl Into<String>,
        says: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { severity: FindingSeverity::Fail, ..Self::warn(check, about, says, cure) }
    }

    /// Merges it with the other findings of the group, whatever they say.
    #[must_use]
    pub(super) fn in_group(self, group: impl Into<String>) -> Self {
        Self { group: Some(group.into()), ..self }
    }

    /// The names that it concerns, at most five of them.
    pub fn names(&self) -> String {
        const MOST: usize = 5;
        let mut text = self.about.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
        if self.about.len() > MOST {
            // Writing to a String cannot fail.
            let _ = write!(text, " and {} more", self.about.len() - MOST);
        }
        text
    }
}

/// The worst severity of the findings.
pub fn worst(findings: &[Finding]) -> FindingSeverity {
    findings.iter().map(|finding| finding.severity).max().unwrap_or(FindingSeverity::Ok)
}
