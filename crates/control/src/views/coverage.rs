//! Coverage: which apps of Azure nothing backs up, and what to write into the fleet file. Pure.

use std::collections::BTreeMap;

use holdfast_model::{AppId, PolicyName, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::coverage::{Coverage, Unanswered};
use crate::views::reading::FleetReading;

/// Apps of a list, at most. The counts are of all.
const MOST: usize = 500;

/// Which apps nothing backs up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CoveragePage {
    /// When Azure was asked.
    pub asked_at: Timestamp,
    /// The apps that Azure lists.
    pub listed: usize,
    /// How it stands, in one sentence.
    pub sentence: String,
    /// The lists, those that need attention first. An empty list is left out.
    pub lists: Vec<CoverageList>,
    /// Subscriptions whose apps Azure did not list, each with the reason.
    pub unanswered: Vec<(String, String)>,
    /// Listed resources without a usable id.
    pub left_out: Vec<String>,
}

/// Apps with the same gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CoverageList {
    /// The gap.
    pub kind: Gap,
    /// The number of apps.
    pub count: usize,
    /// The apps, at most 500.
    pub apps: Vec<CoverageRow>,
    /// What to write into the fleet file for the apps of the list; `None` where nothing can be written.
    pub toml: Option<String>,
}

/// What an app lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// It is in no policy.
    Unprotected,
    /// Azure does not back up apps of its tier or kind.
    Unsupported,
    /// The fleet file names it, and Azure does not list it.
    NotFound,
    /// It left the fleet or Azure, and its backups remain.
    Vanished,
    /// It is paused.
    Paused,
    /// Its policy sets no objective.
    NoObjective,
    /// Azure's own schedule of it differs from the policy's.
    OtherSchedule,
}

impl Gap {
    /// The heading of its list.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unprotected => "In no policy",
            Self::Unsupported => "Azure cannot back up",
            Self::NotFound => "In the fleet file, not in Azure",
            Self::Vanished => "Gone, with backups that remain",
            Self::Paused => "Paused",
            Self::NoObjective => "Without an objective",
            Self::OtherSchedule => "With another schedule of Azure's own",
        }
    }
}

/// An app of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CoverageRow {
    /// The app.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// Why it is in the list.
    pub why: String,
    /// Its region and tier, where Azure lists it.
    pub place: String,
    /// Its latest recovery point.
    pub last_good_at: Option<Timestamp>,
}

/// The coverage that Azure's lists and a reading of the fleet show. `policies` are those of the fleet file.
pub fn coverage_page(
    (coverage, asked_at): (&Coverage, Timestamp),
    reading: &FleetReading,
    policies: &[PolicyName],
) -> CoveragePage {
    let mut rows: BTreeMap<Gap, Vec<CoverageRow>> = BTreeMap::new();
    let mut add = |gap: Gap, row: CoverageRow| rows.entry(gap).or_default().push(row);
    let last_good = |app: &AppId| reading.status_of(app).and_then(|status| status.last_good_at);
    for app in &coverage.apps {
        let place = [Some(&app.location), app.tier.as_ref()];
        let place: Vec<&str> =
            place.into_iter().flatten().map(String::as_str).filter(|text| !text.is_empty()).collect();
        let row = |why: String| CoverageRow {
            app: app.app.clone(),
            name: app.name.clone(),
            why,
            place: place.join(", "),
            last_good_at: last_good(&app.app),
        };
        match (&app.unsupported, &app.why) {
            (Some(unsupported), _) => add(Gap::Unsupported, row(format!("it is {unsupported}"))),
            (None, Some(why)) => add(Gap::Unprotected, row(why.clone())),
            (None, None) => {}
        }
    }
    for app in &coverage.not_found {
        add(Gap::NotFound, row_of(app, "Azure does not list it".to_owned(), last_good(app)));
    }
    for status in &reading.apps {
        let row = |why: String| row_of(&status.app, why, status.last_good_at);
        if let Some(departed) = status.departed.filter(|_| status.removed && status.last_good_at.is_some()) {
            let why = format!(
                "{}; retention keeps its backups as they are",
                departed.reason.as_str().replace('_', " ")
            );
            add(Gap::Vanished, row(why));
        } else if status.missing_since.is_some() && !status.removed {
            add(Gap::Vanished, row("Azure's list leaves it out, without proof that it is gone".to_owned()));
        }
        if status.removed {
            continue;
        }
        if let Some(pause) = &status.pause {
            add(Gap::Paused, row(format!("by {}: {}", pause.actor, pause.reason)));
        } else if status.paused {
            add(Gap::Paused, row("by the fleet file".to_owned()));
        }
        if status.policy.is_some() && status.recovery_point_objective.is_none() {
            add(Gap::NoObjective, row("nothing tells when its backups are too old".to_owned()));
        }
        if status.check.drift {
            add(Gap::OtherSchedule, row("`holdfast native-schedule diff` names the differences".to_owned()));
        }
    }
    let lists: Vec<CoverageList> = rows.into_iter().map(|(kind, rows)| list(kind, rows, policies)).collect();
    CoveragePage {
        asked_at,
        listed: coverage.apps.len(),
        sentence: sentence(&lists, &coverage.unanswered),
        unanswered: coverage
            .unanswered
            .iter()
            .map(|of| (of.subscription.to_string(), of.error.clone()))
            .collect(),
        left_out: coverage.left_out.clone(),
        lists,
    }
}

fn row_of(app: &AppId, why: String, last_good_at: Option<Timestamp>) -> CoverageRow {
    CoverageRow { app: app.clone(), name: app.short_name(), why, place: String::new(), last_good_at }
}

fn list(kind: Gap, mut rows: Vec<CoverageRow>, policies: &[PolicyName]) -> CoverageList {
    rows.sort_by(|a, b| (&a.name, &a.app).cmp(&(&b.name, &b.app)));
    let count = rows.len();
    rows.truncate(MOST);
    let toml = (kind == Gap::Unprotected).then(|| toml(&rows, policies));
    CoverageList { kind, count, apps: rows, toml }
}

/// The entries of the fleet file that back up the apps.
fn toml(rows: &[CoverageRow], policies: &[PolicyName]) -> String {
    let policy = policies.first().map_or("POLICY", PolicyName::as_str);
    // A quote or a control character in a name would end the text: TOML escapes as JSON does.
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let entry = |row: &CoverageRow| {
        format!("[[app]]\nid     = {}\npolicy = {}\n", quoted(&row.app.to_string()), quoted(policy))
    };
    rows.iter().map(entry).collect::<Vec<_>>().join("\n")
}

fn sentence(lists: &[CoverageList], unanswered: &[Unanswered]) -> String {
    let of = |kind: Gap| lists.iter().find(|list| list.kind == kind).map_or(0, |list| list.count);
    let count = |count: usize, one: &str, several: &str| match count {
        1 => format!("One app {one}."),
        count => format!("{} apps {several}.", crate::views::grouped(count as u64)),
    };
    match (of(Gap::Unprotected), of(Gap::Unsupported)) {
        (0, 0) if unanswered.is_empty() => "Every app that Azure lists is in a policy.".to_owned(),
        (0, 0) => {
            "Every app that Azure listed is in a policy, and some subscriptions did not answer.".to_owned()
        }
        (0, unsupported) => {
            count(unsupported, "cannot be backed up by Azure", "cannot be backed up by Azure")
        }
        (unprotected, _) => count(unprotected, "is backed up by nothing", "are backed up by nothing"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use holdfast_store::AppStatus;

    use super::*;
    use crate::coverage::{CoveredApp, Via};

    fn id(name: &str) -> AppId {
        AppId::new("s", "g", name, None)
    }

    fn covered(name: &str, why: Option<&str>, unsupported: Option<&str>) -> CoveredApp {
        CoveredApp {
            app: id(name),
            name: name.to_owned(),
            policy: why.is_none().then(|| PolicyName::new("gold")),
            via: Via::Nothing,
            location: "West Europe".to_owned(),
            tier: Some("Standard".to_owned()),
            unsupported: unsupported.map(str::to_owned),
            why: why.map(str::to_owned),
        }
    }

    #[test]
    fn each_gap_has_its_list_and_apps_in_no_policy_the_text_that_adds_them() {
        let coverage = Coverage {
            subscriptions: BTreeSet::new(),
            apps: vec![
                covered("shop", None, None),
                covered("wiki", Some("it has the tags of no [[discover]] rule"), None),
                covered("free", Some("it has the tags of no [[discover]] rule"), Some("on the tier Free")),
            ],
            unprotected: 2,
            not_found: vec![id("typo")],
            left_out: Vec::new(),
            unanswered: Vec::new(),
            without_slots: Vec::new(),
        };
        let at = Timestamp::UNIX_EPOCH;
        let mut drifting = AppStatus { policy: Some(PolicyName::new("gold")), ..AppStatus::new(id("shop")) };
        drifting.recovery_point_objective = Some(std::time::Duration::from_hours(26));
        drifting.check.drift = true;
        let missing = AppStatus { missing_since: Some(at), ..AppStatus::new(id("gone")) };
        let reading = FleetReading { apps: vec![missing, drifting], ..FleetReading::default() };
        let page = coverage_page((&coverage, at), &reading, &[PolicyName::new("gold")]);
        let lists: Vec<_> = page.lists.iter().map(|list| (list.kind, list.apps[0].name.as_str())).collect();
        let expected = [
            (Gap::Unprotected, "wiki"),
            (Gap::Unsupported, "free"),
            (Gap::NotFound, "typo"),
            (Gap::Vanished, "gone"),
            (Gap::OtherSchedule, "shop"),
        ];
        assert_eq!(lists, expected);
        assert_eq!(page.sentence, "One app is backed up by nothing.");
        let toml = page.lists[0].toml.as_ref().unwrap();
        assert_eq!(*toml, format!("[[app]]\nid     = \"{}\"\npolicy = \"gold\"\n", id("wiki")));
    }
}
