//! A verdict in the forms that monitoring systems read.

use std::fmt::Write as _;
use std::time::Duration;

use holdfast_model::{format_duration, inert};
use strum::IntoEnumIterator as _;

use super::finding::{FindingKind, Freshness};

/// Findings that are named.
const NAMED: usize = 20;

/// The text of the Monitoring Plugins: a line with performance data, then a line for each finding.
///
/// Source: "Monitoring Plugins Development Guidelines", plugin output.
pub fn plugin_text(fresh: &Freshness) -> String {
    let counts = fresh.counts.iter().map(|(kind, count)| kind.sentence(*count));
    let mut told = counts.collect::<Vec<_>>().join(", ");
    if told.is_empty() {
        told = match fresh.oldest_age_s {
            Some(age) => {
                format!("the oldest recovery point is {} old", format_duration(Duration::from_secs(age)))
            }
            None => "no backup is due yet".to_owned(),
        };
    }
    let apps = crate::counted(fresh.apps, "app");
    let mut text = format!("HOLDFAST {} - {apps}: {told} | apps={};;;0", fresh.level, fresh.apps);
    if let Some(age) = fresh.oldest_age_s {
        let _ = write!(text, " oldest={age}s;;;0");
    }
    for kind in FindingKind::iter() {
        let _ =
            write!(text, " {}={};;;0", kind.as_str(), fresh.counts.get(&kind).copied().unwrap_or_default());
    }
    for finding in fresh.findings.iter().take(NAMED) {
        // Behind `|` a reader expects numbers.
        let of = inert(&finding.of).replace('|', "/");
        let _ = write!(text, "\n{}: {of} ({})", finding.level, finding.kind.as_str());
    }
    let more = fresh.findings.len().saturating_sub(NAMED);
    if more > 0 {
        let _ = write!(text, "\n{more} more");
    }
    text
}

/// The same as OpenMetrics, for a file that a collector reads.
///
/// Source: OpenMetrics 1.0.0, "Text format".
pub fn open_metrics(fresh: &Freshness) -> String {
    let mut text = String::from("# TYPE holdfast_check_level gauge\n");
    let _ = writeln!(text, "# HELP holdfast_check_level 0 ok, 1 warning, 2 critical");
    let _ = writeln!(text, "holdfast_check_level {}", fresh.level as u8);
    text.push_str("# TYPE holdfast_check_apps gauge\n");
    let _ = writeln!(text, "holdfast_check_apps {}", fresh.apps);
    text.push_str("# TYPE holdfast_check_findings gauge\n");
    for kind in FindingKind::iter() {
        let count = fresh.counts.get(&kind).copied().unwrap_or_default();
        let _ = writeln!(text, "holdfast_check_findings{{kind=\"{}\"}} {count}", kind.as_str());
    }
    if let Some(age) = fresh.oldest_age_s {
        text.push_str("# TYPE holdfast_check_oldest_recovery_point_age_seconds gauge\n");
        text.push_str("# UNIT holdfast_check_oldest_recovery_point_age_seconds seconds\n");
        let _ = writeln!(text, "holdfast_check_oldest_recovery_point_age_seconds {age}");
    }
    text.push_str("# EOF\n");
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use holdfast_model::Timestamp;

    use super::*;
    use crate::freshness::{CheckLevel, FreshnessFinding};

    fn fresh() -> Freshness {
        let finding =
            |kind: FindingKind, of: &str| FreshnessFinding { level: kind.level(), kind, of: of.into() };
        Freshness {
            at: Timestamp::UNIX_EPOCH,
            level: CheckLevel::Critical,
            apps: 300,
            oldest_age_s: Some(93_600),
            counts: BTreeMap::from([(FindingKind::PastObjective, 1), (FindingKind::Failed, 2)]),
            findings: vec![
                finding(FindingKind::PastObjective, "shop"),
                finding(FindingKind::Failed, "a|b\u{1b}[2J"),
                finding(FindingKind::Failed, "wiki/staging"),
            ],
        }
    }

    #[test]
    fn the_first_line_has_the_level_the_counts_and_the_numbers() {
        let text = plugin_text(&fresh());
        let (first, rest) = text.split_once('\n').unwrap();
        let (told, numbers) = first.split_once(" | ").unwrap();
        assert_eq!(told, "HOLDFAST CRITICAL - 300 apps: 1 app past the objective, 2 apps failed");
        assert!(
            numbers.starts_with("apps=300;;;0 oldest=93600s;;;0 past_objective=1;;;0 lost=0;;;0"),
            "{numbers}"
        );
        assert_eq!(numbers.split(' ').count(), 2 + FindingKind::iter().count());
        assert!(rest.starts_with("CRITICAL: shop (past_objective)\nWARNING: a/b"), "{rest}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }

    #[test]
    fn a_healthy_fleet_has_the_age_of_its_oldest_recovery_point() {
        let healthy =
            Freshness { level: CheckLevel::Ok, counts: BTreeMap::new(), findings: Vec::new(), ..fresh() };
        let text = plugin_text(&healthy);
        assert!(
            text.starts_with("HOLDFAST OK - 300 apps: the oldest recovery point is 1d 2h old | "),
            "{text}"
        );
        let new = Freshness { oldest_age_s: None, apps: 1, ..healthy };
        assert!(plugin_text(&new).starts_with("HOLDFAST OK - 1 app: no backup is due yet | apps=1"));
    }

    #[test]
    fn many_findings_are_counted_and_some_are_named() {
        let many = |number| FreshnessFinding {
            level: CheckLevel::Warning,
            kind: FindingKind::Failed,
            of: format!("app-{number}"),
        };
        let text = plugin_text(&Freshness { findings: (0..NAMED + 5).map(many).collect(), ..fresh() });
        assert_eq!(text.lines().count(), 1 + NAMED + 1);
        assert!(text.ends_with("\n5 more"), "{text}");
    }

    #[test]
    fn metrics_have_every_kind_and_an_end() {
        let text = open_metrics(&fresh());
        assert!(text.contains("holdfast_check_level 2\n"), "{text}");
        assert!(text.contains("holdfast_check_findings{kind=\"failed\"} 2\n"), "{text}");
        assert!(text.contains("holdfast_check_findings{kind=\"left\"} 0\n"), "{text}");
        assert!(text.contains("holdfast_check_oldest_recovery_point_age_seconds 93600\n"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
