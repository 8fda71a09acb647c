//! What a change of the fleet does, in lines for people. Pure.

use holdfast_model::{AppId, PolicyName, Timestamp};

use super::changes::{ChangeKind, FieldChange, PolicyChange};
use super::diff::{AppChange, FleetDiff};
use crate::counted;

/// Apps that are named of each kind; JSON has them all.
const NAMED: usize = 10;

/// A line for each thing that changes; empty where nothing does.
pub fn lines(diff: &FleetDiff) -> Vec<String> {
    let mut lines = Vec::new();
    apps(&mut lines, "gained", &diff.gained);
    apps(&mut lines, "lost, so that their backups end", &diff.lost);
    apps(&mut lines, "perhaps lost: their tags decide, which only Azure knows", &diff.may_be_lost);
    apps(&mut lines, "moved to another policy", &diff.moved);
    apps(&mut lines, "kept under a policy that their tags decide", &diff.may_move);
    ids(&mut lines, "paused by the file", &diff.paused);
    ids(&mut lines, "no longer paused by the file", &diff.resumed);
    ids(&mut lines, "with other databases", &diff.databases);
    ids(&mut lines, "with other tags", &diff.tags);
    diff.policies.iter().for_each(|policy| self::policy(&mut lines, policy));
    lines.extend(diff.rules_added.iter().map(|rule| format!("+ [[discover]] {rule}")));
    lines.extend(diff.rules_removed.iter().map(|rule| format!("- [[discover]] {rule}")));
    lines.extend(diff.settings.iter().map(|field| format!("~ {}", self::field(field))));
    ticks(&mut lines, diff);
    deletions(&mut lines, diff);
    lines.extend(diff.notes.iter().map(|note| format!("note: {note}")));
    lines
}

fn apps(lines: &mut Vec<String>, what: &str, changes: &[AppChange]) {
    if changes.is_empty() {
        return;
    }
    lines.push(format!("{} {what}", counted(changes.len(), "app")));
    for AppChange { name, before, after, .. } in changes.iter().take(NAMED) {
        lines.push(format!(
            "    {name}: {} -> {}",
            policy_name(before.as_ref()),
            policy_name(after.as_ref())
        ));
    }
    more(lines, changes.len());
}

fn policy_name(policy: Option<&PolicyName>) -> &str {
    policy.map_or("-", PolicyName::as_str)
}

fn ids(lines: &mut Vec<String>, what: &str, apps: &[AppId]) {
    if !apps.is_empty() {
        let names: Vec<String> = apps.iter().take(NAMED).map(AppId::short_name).collect();
        lines.push(format!("{} {what}: {}", counted(apps.len(), "app"), names.join(", ")));
        more(lines, apps.len());
    }
}

fn more(lines: &mut Vec<String>, all: usize) {
    if all > NAMED {
        lines.push(format!("    {} more", all - NAMED));
    }
}

fn policy(lines: &mut Vec<String>, PolicyChange { policy, kind, fields }: &PolicyChange) {
    match kind {
        ChangeKind::Added => lines.push(format!("+ policy `{policy}`")),
        ChangeKind::Removed => lines.push(format!("- policy `{policy}`")),
        ChangeKind::Changed => {
            lines.extend(fields.iter().map(|field| format!("~ policy `{policy}`: {}", self::field(field))));
        }
    }
}

fn field(FieldChange { key, before, after }: &FieldChange) -> String {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    format!("{key}: {} -> {}", shown(before), shown(after))
}

fn ticks(lines: &mut Vec<String>, diff: &FleetDiff) {
    let Some(first) = diff.ticks.first() else { return };
    let earliest = |of: fn(&super::TickChange) -> Option<Timestamp>| diff.ticks.iter().filter_map(of).min();
    let at = |time: Option<Timestamp>| {
        time.map_or_else(|| "none".to_owned(), |time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
    };
    let (before, after) = (at(earliest(|tick| tick.before)), at(earliest(|tick| tick.after)));
    lines.push(match diff.ticks.len() {
        1 => format!("the next tick of {} moves: {before} -> {after}", first.name),
        many => format!("the next ticks of {many} apps move; the earliest of them: {before} -> {after}"),
    });
}

fn deletions(lines: &mut Vec<String>, diff: &FleetDiff) {
    for is_dry in [false, true] {
        let of_kind = diff.deletions.iter().filter(|change| change.dry_run == is_dry);
        let (apps, backups) =
            of_kind.fold((0, 0), |(apps, all), change| (apps + 1, all + change.backups.len()));
        if backups > 0 {
            let how = if is_dry { "would report" } else { "would delete now" };
            lines.push(format!("retention {how} {} of {}", counted(backups, "backup"), counted(apps, "app")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revisions::fixture::{app, policy};
    use crate::revisions::{DeletionChange, TickChange};

    #[test]
    fn each_change_is_a_line_and_long_lists_are_cut() {
        let change =
            |name: String| AppChange { app: app(&name), name, before: Some(policy("gold")), after: None };
        let at = |hour| Some(Timestamp::UNIX_EPOCH + std::time::Duration::from_hours(hour));
        let tick =
            |name: &str, before, after| TickChange { app: app(name), name: name.into(), before, after };
        let field = |key: &str| FieldChange { key: key.into(), before: None, after: Some("1".into()) };
        let of = |dry_run| DeletionChange {
            app: app("shop"),
            name: "shop".into(),
            policy: PolicyName::new("gold"),
            dry_run,
            backups: vec![1, 2],
        };
        let diff = FleetDiff {
            lost: (0..12).map(|at| change(format!("app-{at:02}"))).collect(),
            policies: vec![PolicyChange {
                policy: PolicyName::new("gold"),
                kind: ChangeKind::Changed,
                fields: vec![field("catch_up")],
            }],
            settings: vec![field("engine.lease")],
            ticks: vec![tick("shop", at(2), at(5)), tick("wiki", at(3), None)],
            deletions: vec![of(false), of(true)],
            ..FleetDiff::default()
        };
        let lines = lines(&diff);
        assert_eq!(lines[0], "12 apps lost, so that their backups end");
        assert_eq!((lines[1].as_str(), lines[11].as_str()), ("    app-00: gold -> -", "    2 more"));
        assert_eq!(
            lines[12..],
            [
                "~ policy `gold`: catch_up: none -> 1",
                "~ engine.lease: none -> 1",
                "the next ticks of 2 apps move; the earliest of them: 1970-01-01T02:00:00Z -> 1970-01-01T05:00:00Z",
                "retention would delete now 2 backups of 1 app",
                "retention would report 2 backups of 1 app",
            ]
        );
    }
}
