//! The sentence of the overview: the worst that is true, in plain words.

use std::time::Duration;

use crate::views::app_facts::AppFacts;
use crate::views::condition::{Condition, Severity};
use crate::views::numbers::{apps_in_words, grouped, in_words};

/// The longest objective of which "last night" can be said.
const A_NIGHT: Duration = Duration::from_hours(48);

/// How many apps of the fleet have each condition.
#[derive(Debug, Default)]
pub struct Counts([u64; Condition::ALL.len()]);

impl Counts {
    /// The counts of apps.
    pub fn of(apps: &[AppFacts<'_>]) -> Self {
        let mut counts = Self::default();
        for app in apps {
            counts.0[app.condition as usize] += 1;
        }
        counts
    }

    /// The number of apps with one of these conditions.
    pub fn sum(&self, conditions: &[Condition]) -> u64 {
        conditions.iter().map(|condition| self.0[*condition as usize]).sum()
    }

    /// The number of apps of the fleet, without those that left.
    pub fn enrolled(&self) -> u64 {
        self.0.iter().sum::<u64>() - self.sum(&[Condition::Left])
    }
}

/// The worst that is true, and how bad it is.
pub fn sentence(apps: &[AppFacts<'_>], counts: &Counts) -> (String, Severity) {
    let of = |condition| counts.sum(&[condition]);
    if counts.enrolled() == 0 {
        return ("No app is enrolled yet.".to_owned(), Severity::Muted);
    }
    let (never, past) = (of(Condition::NeverBackedUp), of(Condition::PastObjective));
    if never + past > 0 {
        return (not_restorable(apps, counts, never, past), Severity::Bad);
    }
    let rest: [(Condition, &str, &str); 8] = [
        (
            Condition::Lost,
            "lost a backup that it could have been restored from.",
            "lost backups that they could have been restored from.",
        ),
        (
            Condition::Failed,
            "failed its last backup, and is still inside its objective.",
            "failed their last backup, and are still inside their objective.",
        ),
        (
            Condition::Missed,
            "missed a backup, and is still inside its objective.",
            "missed a backup, and are still inside their objective.",
        ),
        (Condition::Partial, "has a last backup that lacks files.", "have a last backup that lacks files."),
        (
            Condition::Shrinking,
            "has a last backup that is much smaller than the one before.",
            "have a last backup that is much smaller than the one before.",
        ),
        (
            Condition::Unverified,
            "has a last backup that could not be checked.",
            "have a last backup that could not be checked.",
        ),
        (Condition::Missing, "is missing in Azure's list.", "are missing in Azure's list."),
        (
            Condition::NoPolicy,
            "is in no policy, so nothing backs it up.",
            "are in no policy, so nothing backs them up.",
        ),
    ];
    for (condition, one, several) in rest {
        let count = of(condition);
        if count > 0 {
            let text = format!("{} {}", apps_in_words(count), if count == 1 { one } else { several });
            return (text, condition.severity());
        }
    }
    match of(Condition::FirstUnderWay) {
        0 => (all_is_well(counts), Severity::Ok),
        1 => ("One app is being backed up for the first time.".to_owned(), Severity::Run),
        first => (format!("{} are being backed up for the first time.", apps_in_words(first)), Severity::Run),
    }
}

/// Apps that cannot be restored to where their policies say.
fn not_restorable(apps: &[AppFacts<'_>], counts: &Counts, never: u64, past: u64) -> String {
    let is_owed_a_night = |app: &&AppFacts<'_>| {
        app.condition == Condition::PastObjective
            && app.status.recovery_point_objective.is_none_or(|objective| objective > A_NIGHT)
    };
    let is_night = apps.iter().find(is_owed_a_night).is_none();
    let them = |count| if count == 1 { "it has" } else { "they have" };
    match (never, past) {
        (never, 0) if never == counts.enrolled() => "No app has a good backup yet.".to_owned(),
        (1, 0) => "One app has no good backup.".to_owned(),
        (never, 0) => format!("{} have no good backup.", apps_in_words(never)),
        (0, past) if is_night => format!("{} could not be restored to last night.", apps_in_words(past)),
        (0, 1) => "One app is past its objective.".to_owned(),
        (0, past) => format!("{} are past their objective.", apps_in_words(past)),
        (never, past) if is_night => format!(
            "{} could not be restored to last night, {} of them not at all: {} no good backup.",
            apps_in_words(never + past),
            in_words(never),
            them(never)
        ),
        (never, past) => {
            let has = if never == 1 { "has" } else { "have" };
            let are = if past == 1 { "app is past its objective" } else { "apps are past their objective" };
            format!("{} {has} no good backup, and {} {are}.", apps_in_words(never), in_words(past))
        }
    }
}

/// Every app is inside its objective, as far as it has one.
fn all_is_well(counts: &Counts) -> String {
    let (without, enrolled) = (counts.sum(&[Condition::NoObjective]), counts.enrolled());
    if without == enrolled {
        return "Every app has a good backup, and no policy sets an objective.".to_owned();
    }
    if without > 0 {
        return format!("Every app with an objective is inside it; {} without one.", has_count(without));
    }
    "Every app is inside its objective.".to_owned()
}

fn has_count(count: u64) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{} are", grouped(count)) }
}
