//! The check of a fleet file: each problem of it, and what it has.

use holdfast_config::{Checked, Fleet, FleetText, Problem, Secrets, Severity};
use holdfast_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::counted;

/// What a check of a fleet file found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FleetCheck {
    /// The name of the file.
    pub file: String,
    /// Whether the fleet can be used.
    pub valid: bool,
    /// How many problems make it unusable.
    pub errors: usize,
    /// How many problems do not.
    pub warnings: usize,
    /// The problems, in the order of the file.
    pub problems: Vec<FleetProblem>,
    /// What the fleet has; `null` where it cannot be used.
    pub contents: Option<FleetContents>,
}

/// A problem of a fleet file. No member has what could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FleetProblem {
    /// `error` or `warning`.
    pub severity: String,
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key's path, such as `policy.gold.schedule`; empty for the whole file.
    pub key: String,
    /// What was expected and what was found.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The problem as text, with the line of the file.
    pub text: String,
}

/// How much a fleet file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct FleetContents {
    /// Policies.
    pub policies: usize,
    /// Storages.
    pub storages: usize,
    /// Apps that are listed.
    pub apps: usize,
    /// Rules that discover apps.
    pub discover_rules: usize,
}

/// Checks a text without its secrets, which may be at home elsewhere.
pub fn check_fleet(text: &FleetText, now: Timestamp) -> FleetCheck {
    FleetCheck::of(text.name.clone(), &text.check(Secrets::Leave, now))
}

impl FleetCheck {
    /// What was found in the file with this name.
    pub fn of(file: String, checked: &Checked) -> Self {
        let count = |severity| checked.problems.iter().filter(|problem| problem.severity == severity).count();
        Self {
            file,
            valid: checked.fleet.is_some(),
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            problems: checked.problems.iter().map(FleetProblem::from).collect(),
            contents: checked.fleet.as_ref().map(FleetContents::from),
        }
    }

    /// The result in a sentence.
    pub fn sentence(&self) -> String {
        let Self { file, errors, warnings, .. } = self;
        let counts = [(*errors, "error"), (*warnings, "warning")].into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, one)| counted(count, one)).collect();
        let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
        match &self.contents {
            Some(contents) => format!("{file} is valid{counts}: {}", contents.text()),
            None => format!("{file} cannot be used{counts}"),
        }
    }
}

impl FleetContents {
    fn text(self) -> String {
        let count = |number: usize, one: &str, many: &str| match number {
            1 => format!("1 {one}"),
            number => format!("{number} {many}"),
        };
        [
            count(self.policies, "policy", "policies"),
            count(self.storages, "storage", "storages"),
            count(self.apps, "app listed", "apps listed"),
            count(self.discover_rules, "discover rule", "discover rules"),
        ]
        .join(", ")
    }
}

impl From<&Fleet> for FleetContents {
    fn from(fleet: &Fleet) -> Self {
        Self {
            policies: fleet.policies.len(),
            storages: fleet.storages.len(),
            apps: fleet.apps.len(),
            discover_rules: fleet.discover.len(),
        }
    }
}

impl From<&Problem> for FleetProblem {
    fn from(problem: &Problem) -> Self {
        let Problem { severity, file, line, column, key, message, help, excerpt: _ } = problem.clone();
        let (severity, text) = (severity.to_string(), problem.to_string());
        Self { severity, file, line, column, key, message, help, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_a_text_is_told_and_none_of_its_secrets_is() {
        let text = "[azure]\ncredential = { kind = \"client_secret\", tenant = \"t\", client_id = \"c\", secret = \"hush-hush\" }\n\
                    [storage.weu]\ncontainer = \"https://a.blob.core.windows.net/b?sig=hush-hush\"\n";
        let text = FleetText { name: "posted".into(), text: text.into() };
        let found = check_fleet(&text, Timestamp::UNIX_EPOCH);
        assert!(!found.valid && found.errors > 0 && found.contents.is_none(), "{found:?}");
        assert!(!serde_json::to_string(&found).unwrap().contains("hush"), "{found:?}");
        assert!(found.sentence().starts_with("posted cannot be used ("), "{}", found.sentence());
    }
}
