//! The problems of an app's backups as sentences.

use holdfast_control::counted;
use holdfast_control::inventory::{BackupProblem, BackupView, ProblemKind};

/// The most numbers that a sentence lists.
const NUMBERS_MAX: usize = 5;

/// A paragraph for each kind of problem, with what to do next.
pub fn of(backups: &[BackupView]) -> Vec<String> {
    use ProblemKind::{Changed, Lost, Missing, Unverified};
    [Lost, Missing, Changed, Unverified].into_iter().filter_map(|kind| paragraph(backups, kind)).collect()
}

fn paragraph(backups: &[BackupView], kind: ProblemKind) -> Option<String> {
    let of_kind =
        |backup: &'_ BackupView| backup.problem.as_ref().is_some_and(|problem| problem.kind == kind);
    let affected: Vec<&BackupView> = backups.iter().filter(|backup| of_kind(backup)).collect();
    let BackupProblem { detail, next, .. } = affected.first()?.problem.as_ref()?;
    let mut numbers: Vec<String> =
        affected.iter().take(NUMBERS_MAX).map(|backup| backup.backup_id.to_string()).collect();
    if affected.len() > NUMBERS_MAX {
        numbers.push(format!("{} more", affected.len() - NUMBERS_MAX));
    }
    let (count, kind, numbers) = (counted(affected.len(), "backup"), kind.as_str(), numbers.join(", "));
    let example = if affected.len() > 1 { "such as: " } else { "" };
    Some(format!("{count} {kind} ({numbers}): {example}{detail}\n  to do: {next}"))
}
