//! A finding: what was checked, how it is, and what to do about it.

use std::fmt::Write as _;

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
}

impl Finding {
    /// A check that passed.
    pub fn ok(check: &'static str, about: impl Into<String>, says: impl Into<String>) -> Self {
        let (about, says) = (vec![about.into()], says.into());
        Self { severity: FindingSeverity::Ok, check, about, says, cure: None }
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

/// Merges findings that say the same about several names.
pub(super) fn merged(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        let same = |other: &&mut Finding| {
            (other.severity, other.check, &other.says, &other.cure)
                == (finding.severity, finding.check, &finding.says, &finding.cure)
        };
        match merged.iter_mut().find(same) {
            Some(other) => other.about.extend(finding.about),
            None => merged.push(finding),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_findings_of_many_apps_are_merged() {
        let of = |name: String| Finding::fail("tier", name, "is in the tier Free", "move it");
        let mut all: Vec<Finding> = (1..=7).map(|number| of(format!("app-{number}"))).collect();
        all.push(Finding::ok("tier", "app-8", "is in the tier Basic"));
        let merged = merged(all);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].names(), "app-1, app-2, app-3, app-4, app-5 and 2 more");
        assert_eq!(merged[1].names(), "app-8");
    }
}
