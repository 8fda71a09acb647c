//! Checks the fleet file.

use std::path::Path;

use holdfast_config::{Checked, Fleet, Problem, Secrets, Severity, Unreadable, check, summary};
use holdfast_model::Timestamp;

use super::finding::Finding;

/// The finding about the fleet file, and the fleet as far as it can be read.
///
/// An unreadable secret is a finding and does not stop the other checks. `Err` when the file is no text.
pub fn fleet_file(path: &Path, now: Timestamp) -> Result<(Finding, Option<Fleet>), Unreadable> {
    let Checked { fleet, problems, .. } = check(path, Secrets::Judge, now)?;
    let fleet = if fleet.is_some() { fleet } else { check(path, Secrets::Leave, now)?.fleet };
    let file = path.display().to_string();
    let cure = "`holdfast config check` says where";
    let is_error = |problem: &&Problem| problem.severity == Severity::Error;
    let finding = match problems.iter().find(is_error) {
        Some(error) => Finding::fail("fleet file", file, error.message.clone(), cure),
        None if problems.is_empty() => Finding::ok("fleet file", file, "is valid"),
        None => Finding::warn("fleet file", file, summary(&problems), cure),
    };
    Ok((finding, fleet))
}
