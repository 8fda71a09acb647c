//! A restore plan as a table.

use holdfast_control::restore::{Blobs, NEVER_RESTORED, RestorePlan, RestoreSource, RestoreTarget};
use holdfast_model::{Timestamp, format_timestamp};

use crate::output::{Cell, Table, Tone, age, bytes, wrapped};

/// Width of the value column in characters.
const WIDTH: usize = 104;

/// The plan as a table.
pub fn table(plan: &RestorePlan, now: Timestamp) -> Table {
    let mut table = Table::new(["PLAN", ""]);
    let mut fact = |name: &str, value: String| {
        table.row([name.into(), Cell::lines(&wrapped(&value, WIDTH), Tone::Plain)]);
    };
    fact(plan.kind.as_str(), what(plan, now));
    fact("from", format!("{} in {}, {}", plan.backup.blob, plan.container, found(plan)));
    fact("into", target(plan));
    if plan.target.is_stopped {
        fact("meanwhile", format!("{} is stopped", plan.word()));
    }
    fact("databases", which_databases(plan));
    if let Some(probe) = &plan.probe {
        fact("probe", probe.clone());
    }
    fact("not restored", NEVER_RESTORED.join(", "));
    for warning in &plan.warnings {
        table.row(["warning".into(), Cell::lines(&wrapped(warning, WIDTH), Tone::Warn)]);
    }
    table
}

fn what(plan: &RestorePlan, now: Timestamp) -> String {
    let RestoreSource { id, taken_at, size_bytes, verified_at, .. } = &plan.backup;
    let what = id.map_or_else(|| "a blob".to_owned(), |id| format!("backup {id}"));
    let taken =
        taken_at.map(|at| format!(", taken {} ({})", age(at, now), format_timestamp(at))).unwrap_or_default();
    let size = size_bytes.map(|size| format!(", {}", bytes(size))).unwrap_or_default();
    let verified = verified_at
        .map_or_else(|| ", not verified since".to_owned(), |at| format!(", found whole {}", age(at, now)));
    format!("{what} of {}{taken}{size}{verified}", plan.source.short_name())
}

fn found(plan: &RestorePlan) -> &'static str {
    match plan.blobs {
        Blobs::Present => "there with its manifest",
        Blobs::NotChecked => "not checked: the policy says `verify = false`",
    }
}

fn target(plan: &RestorePlan) -> String {
    let RestoreTarget { app, exists, tier, state, plan, .. } = &plan.target;
    if !exists {
        let plan = plan.as_deref().and_then(|plan| plan.rsplit('/').next()).unwrap_or("its plan");
        return format!("{app}\nwhich is created in {plan}");
    }
    let facts: Vec<&str> = [tier.as_deref(), state.as_deref()].into_iter().flatten().collect();
    format!(
        "{app}\n({}): everything in it is replaced, except what its _backup.filter names",
        facts.join(", ")
    )
}

fn which_databases(plan: &RestorePlan) -> String {
    if plan.ignore_databases && !plan.backup.databases.is_empty() {
        return "are left as they are".to_owned();
    }
    if plan.databases.is_empty() {
        return "none in the backup".to_owned();
    }
    let names: Vec<_> = plan.databases.iter().map(|db| format!("{} ({})", db.name, db.kind)).collect();
    format!("{}: replaced too", names.join(", "))
}
