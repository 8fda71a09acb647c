//! What was tried, how it stands, and what to do about it.

use serde::Serialize;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it must be.
    Ok,
    /// Somebody should know.
    Warn,
    /// Backups or restores do not work.
    Fail,
}

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it stands.
    pub verdict: Verdict,
    /// What was tried.
    pub check: &'static str,
    /// Of which apps, storages or sections.
    pub about: Vec<String>,
    /// What was found.
    pub says: String,
    /// What to do.
    pub cure: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: &'static str, about: impl Into<String>, says: impl Into<String>) -> Self {
        Self { verdict: Verdict::Ok, check, about: vec![about.into()], says: says.into(), cure: None }
    }

    /// Somebody should know, and do this.
    pub fn warn(
        check: &'static str,
        about: impl Into<String>,
        says: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Warn, cure: Some(cure.into()), ..Self::ok(check, about, says) }
    }

    /// It does not work, and this is the cure.
    pub fn fail(
        check: &'static str,
        about: impl Into<String>,
        says: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Fail, ..Self::warn(check, about, says, cure) }
    }

    /// The names it is about, at most a few of them.
    pub fn names(&self) -> String {
        const MOST: usize = 5;
        let mut text = self.about.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
        if self.about.len() > MOST {
            text.push_str(&format!(" and {} more", self.about.len() - MOST));
        }
        text
    }
}

/// Findings that say the same of several are one.
pub fn together(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        let same = |other: &&mut Finding| {
            (other.verdict, other.check, &other.says, &other.cure)
                == (finding.verdict, finding.check, &finding.says, &finding.cure)
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
    fn what_is_the_same_of_many_apps_is_said_once() {
        let of = |name: String| Finding::fail("tier", name, "is in the tier Free", "move it");
        let mut all: Vec<Finding> = (1..=7).map(|number| of(format!("app-{number}"))).collect();
        all.push(Finding::ok("tier", "app-8", "is in the tier Basic"));
        let merged = together(all);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].names(), "app-1, app-2, app-3, app-4, app-5 and 2 more");
        assert_eq!(merged[1].names(), "app-8");
    }
}
