//! The findings of a whole fleet: the worst first, and what is well in few lines.

use std::cmp::Reverse;

use super::finding::{Finding, FindingSeverity};

/// The most good findings of one check that keep their own lines.
const GOOD_LINES: usize = 3;

/// The start of a text that stands for several different ones.
const SUCH_AS: &str = "such as: ";

/// How many apps exist, and what is wrong with them; equal findings are merged.
pub fn of_apps(findings: Vec<Finding>) -> Vec<Finding> {
    let apps = findings.iter().filter(|finding| finding.check == "app");
    let (asked, there) = apps.fold((0, 0), |(asked, there), finding| {
        (asked + 1, there + usize::from(finding.severity == FindingSeverity::Ok))
    });
    let mut summary = Vec::new();
    if asked > 0 {
        summary.push(Finding::ok("apps", "fleet", format!("there: {there} of {asked}")));
    }
    let bad = findings.into_iter().filter(|finding| finding.severity != FindingSeverity::Ok);
    summary.extend(merged(bad));
    summary
}

/// The findings with failures first, then warnings. Of each check, many good findings become one.
pub fn worst_first(findings: Vec<Finding>) -> Vec<Finding> {
    let is_good = |finding: &Finding| finding.severity == FindingSeverity::Ok;
    let (good, mut all): (Vec<_>, Vec<_>) = findings.into_iter().partition(is_good);
    all.sort_by_key(|finding| Reverse(finding.severity));
    let mut by_check: Vec<(&str, Vec<Finding>)> = Vec::new();
    for finding in good {
        match by_check.iter_mut().find(|(check, _)| *check == finding.check) {
            Some((_, findings)) => findings.push(finding),
            None => by_check.push((finding.check, vec![finding])),
        }
    }
    for (check, findings) in by_check {
        if findings.len() <= GOOD_LINES {
            all.extend(findings);
            continue;
        }
        let says = format!("all {} are well", findings.len());
        let about = findings.into_iter().flat_map(|finding| finding.about).collect();
        all.push(Finding { about, ..Finding::ok(check, "", says) });
    }
    all
}

/// Merges findings that say the same, or are of one group, about several names.
fn merged(findings: impl IntoIterator<Item = Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        let same = |other: &&mut Finding| {
            let is_kin = (other.severity, other.check) == (finding.severity, finding.check);
            let says_same = (&other.says, &other.cure) == (&finding.says, &finding.cure);
            is_kin && (says_same || (other.group.is_some() && other.group == finding.group))
        };
        match merged.iter_mut().find(same) {
            Some(other) => {
                if other.says != finding.says && !other.says.starts_with(SUCH_AS) {
                    other.says.insert_str(0, SUCH_AS);
                }
                other.about.extend(finding.about);
            }
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

    #[test]
    fn one_failure_at_many_apps_is_one_finding_with_an_example() {
        let failed = |number| {
            let says = format!("look at app-{number}: azure answered 503");
            Finding::fail("app", format!("app-{number}"), says, "try again").in_group("get_site 503")
        };
        let mut findings: Vec<Finding> = (1..=400).map(failed).collect();
        findings.push(Finding::fail("app", "app-x", "look at app-x: azure answered 500", "try again"));
        let summary = of_apps(findings);
        assert_eq!(summary[0].says, "there: 0 of 401");
        assert_eq!(summary[1].says, "such as: look at app-1: azure answered 503");
        assert_eq!((summary[1].about.len(), summary.len()), (400, 3));
    }

    #[test]
    fn failures_come_first_and_many_good_findings_of_a_check_are_one() {
        let mut findings: Vec<Finding> =
            (1..=12).map(|n| Finding::ok("SAS", format!("s{n}"), "a blob was written")).collect();
        findings.push(Finding::ok("store", "the store", "opens"));
        findings.push(Finding::warn("policy", "shop", "is in no policy", "give it one"));
        findings.push(Finding::fail("tier", "shop", "is in the tier Free", "move it"));
        let ordered = worst_first(findings);
        let lines: Vec<_> = ordered.iter().map(|found| (found.check, found.says.as_str())).collect();
        let expected = [
            ("tier", "is in the tier Free"),
            ("policy", "is in no policy"),
            ("SAS", "all 12 are well"),
            ("store", "opens"),
        ];
        assert_eq!(lines, expected);
        assert_eq!(ordered[2].about.len(), 12, "a program sees every name");
    }
}
