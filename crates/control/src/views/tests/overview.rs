use std::collections::BTreeMap;
use std::time::Duration;

use chrono::NaiveDate;
use holdfast_model::{AppId, Cause, PolicyName, StateCode};
use holdfast_store::{AppStatus, DayCounts};

use super::fixture::*;
use crate::views::condition::{Condition, Severity};
use crate::views::day_mark::{DayMark, DayResult};
use crate::views::fleet::FleetQuery;
use crate::views::fleet_page::matching;
use crate::views::overview::Overview;
use crate::views::overview_of::overview;
use crate::views::reading::FleetReading;

fn of(apps: impl IntoIterator<Item = AppStatus>) -> Overview {
    overview(&reading(apps), false)
}

/// `count` apps that `status` makes, and a good one.
fn some(count: usize, status: fn(&str) -> AppStatus) -> Vec<AppStatus> {
    let apps = (0..count).map(|place| status(&format!("app-{place}")));
    apps.chain([good("shop")]).collect()
}

#[test]
fn each_condition_has_its_app() {
    let conditions: Vec<Condition> =
        one_of_each().iter().map(|status| Condition::of(status, now())).collect();
    assert_eq!(conditions, Condition::ALL);
    for condition in Condition::ALL {
        assert_eq!(condition.as_str().parse(), Ok(condition));
        assert_eq!(serde_json::to_value(condition).unwrap(), condition.as_str());
    }
    assert!("splendid".parse::<Condition>().is_err());
}

#[test]
fn an_app_gets_past_its_objective_while_the_store_is_away() {
    let later = now() + Duration::from_hours(21);
    assert_eq!(Condition::of(&good("shop"), now()), Condition::Good);
    assert_eq!(Condition::of(&good("shop"), later), Condition::PastObjective);
    assert_eq!(Condition::of(&without_objective("shop"), later), Condition::NoObjective);
}

#[test]
fn the_sentence_says_the_worst_that_is_true() {
    let timed_out = |name: &str| failed(name, Cause::TimedOut);
    let weekly =
        |name: &str| AppStatus { recovery_point_objective: Some(Duration::from_hours(7 * 24)), ..past(name) };
    for (apps, says) in [
        (vec![], "No app is enrolled yet."),
        (vec![left("shop")], "No app is enrolled yet."),
        (vec![good("shop"), paused("wiki"), under_way("blog")], "Every app is inside its objective."),
        (some(7, past), "Seven apps could not be restored to last night."),
        (some(1, past), "One app could not be restored to last night."),
        (some(1, weekly), "One app is past its objective."),
        (some(13, weekly), "13 apps are past their objective."),
        (some(1, never), "One app has no good backup."),
        (some(2, never), "Two apps have no good backup."),
        (vec![never("a"), never("b"), left("c")], "No app has a good backup yet."),
        (
            vec![never("a"), past("b"), past("c")],
            "Three apps could not be restored to last night, one of them not at all: it has no good backup.",
        ),
        (
            vec![never("a"), never("b"), past("c"), good("d")],
            "Three apps could not be restored to last night, two of them not at all: they have no good backup.",
        ),
        (
            vec![never("a"), weekly("b"), good("c")],
            "One app has no good backup, and one app is past its objective.",
        ),
        (some(1, lost), "One app lost a backup that it could have been restored from."),
        (some(3, lost), "Three apps lost backups that they could have been restored from."),
        (some(5, timed_out), "Five apps failed their last backup, and are still inside their objective."),
        (some(1, timed_out), "One app failed its last backup, and is still inside its objective."),
        (some(2, missed), "Two apps missed a backup, and are still inside their objective."),
        (some(11, partial), "Eleven apps have a last backup that lacks files."),
        (some(1, shrinking), "One app has a last backup that is much smaller than the one before."),
        (some(1, unverified), "One app has a last backup that could not be checked."),
        (some(1, first_under_way), "One app is being backed up for the first time."),
        (some(3, acknowledged), "Every app is inside its objective."),
        (some(2, missing), "Two apps are missing in Azure's list."),
        (some(63, without_policy), "63 apps are in no policy, so nothing backs them up."),
        (some(1, without_objective), "Every app with an objective is inside it; 1 is without one."),
        (vec![without_objective("a")], "Every app has a good backup, and no policy sets an objective."),
        (
            one_of_each(),
            "Two apps could not be restored to last night, one of them not at all: it has no good backup.",
        ),
    ] {
        assert_eq!(of(apps).sentence, says);
    }
    assert_eq!(of(some(1, past)).severity, Severity::Bad);
    assert_eq!(of(some(1, missing)).severity, Severity::Warn);
    assert_eq!(of([good("shop")]).severity, Severity::Ok);
}

#[test]
fn the_subtitle_has_the_numbers_beside_the_sentence() {
    let mut apps = some(2, past);
    apps.extend((0..1_840).map(|place| good(&format!("good-{place}"))));
    assert_eq!(
        of(apps).subtitle,
        "1,841 of 1,843 are inside their objective. The last backup ended 5 h ago, the next is due in 18 min. Nothing is \
         stuck."
    );
    let refused = Some(running(StateCode::Waiting, Some(Cause::CredentialRefused)));
    let stuck = of([AppStatus { running: refused, ..good("shop") }]);
    assert!(stuck.subtitle.ends_with("One run waits longer than it should."), "{}", stuck.subtitle);
    assert_eq!(stuck.under_way[0].what, "waits: credential refused; the next try is in 5 min");
    assert_eq!(of([]).subtitle, "Name apps or a [[discover]] rule in the fleet file.");
}

/// Every count of the overview is the number of apps in the list that it links to.
#[test]
fn every_number_is_that_of_the_list_behind_it() {
    let old = AppStatus {
        last: Some(last(holdfast_model::Outcome::Failed, Some(Cause::TimedOut), 25)),
        ..good("old")
    };
    let mut apps = one_of_each();
    apps.extend(some(3, past));
    apps.push(old);
    let reading = reading(apps);
    let overview = overview(&reading, false);
    let count = |query: &FleetQuery| matching(&reading, query).len() as u64;
    for tile in &overview.tiles {
        assert_eq!(count(&tile.query), tile.count, "{}", tile.label);
    }
    let tiles: Vec<u64> = overview.tiles.iter().map(|tile| tile.count).collect();
    assert_eq!(tiles, [4, 1, 4, 3, 3, 0]);
    for cause in &overview.causes {
        assert_eq!(count(&cause.query), cause.apps, "{}", cause.label);
    }
    for policy in &overview.matrix {
        assert_eq!(count(&policy.query), policy.apps, "{}", policy.policy);
    }
}

#[test]
fn causes_of_the_last_day_are_grouped_with_what_to_do_and_how_many_can_be_retried() {
    let busy =
        AppStatus { running: Some(running(StateCode::Polling, None)), ..failed("b", Cause::StorageRefused) };
    let day_old = AppStatus {
        last: Some(last(holdfast_model::Outcome::Failed, Some(Cause::TimedOut), 24)),
        ..good("e")
    };
    let overview = of([
        failed("a", Cause::StorageRefused),
        busy,
        failed("c", Cause::TooLarge),
        missed("d"),
        day_old,
        AppStatus { removed: true, ..failed("f", Cause::TimedOut) },
    ]);
    let causes: Vec<_> =
        overview.causes.iter().map(|row| (row.label.as_str(), row.apps, row.retryable)).collect();
    assert_eq!(causes, [("storage refused", 2, 1), ("too large", 1, 0), ("previous run not ended", 1, 1)]);
    assert!(overview.causes[0].advice.contains("sas check"));
    assert_eq!(overview.causes[0].query.to_url(), "cause=storage_refused&recent=1");
    for cause in Cause::ALL {
        let (label, advice) =
            (crate::views::cause_advice::label(cause), crate::views::cause_advice::advice(cause));
        assert!(!label.is_empty() && label.len() < 40 && advice.ends_with('.'), "{cause}");
    }
}

/// Advice names commands as docs/cli.md does, and settings as docs/operations.md or the fleet file do.
#[test]
fn advice_names_commands_that_exist() {
    let docs = include_str!("../../../../../docs/cli.md");
    let mut seen = 0;
    for cause in Cause::ALL {
        for quoted in crate::views::cause_advice::advice(cause).split('`').skip(1).step_by(2) {
            let Some(command) = quoted.strip_prefix("holdfast ") else { continue };
            let words: Vec<&str> =
                command.split(' ').take_while(|word| !word.starts_with(char::is_uppercase)).collect();
            assert!(docs.contains(&format!("## `holdfast {}`", words.join(" "))), "{cause}: {quoted}");
            seen += 1;
        }
    }
    assert!(seen > 4);
}

#[test]
fn the_matrix_adds_up_the_days_of_the_apps_of_a_policy() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let mark = |text: &str, good: u32, failed: u32| {
        DayMark::new(day(text), DayCounts { good, failed, ..DayCounts::default() }, Some(5))
    };
    let silver = AppStatus { policy: Some(PolicyName::new("silver")), ..good("wiki") };
    let days: BTreeMap<AppId, Vec<DayMark>> = [
        (app("shop"), vec![mark("2026-10-30", 9, 0), mark("2026-10-31", 1, 0), mark("2026-11-29", 1, 0)]),
        (app("blog"), vec![mark("2026-11-29", 0, 2)]),
    ]
    .into();
    let reading = FleetReading {
        days,
        ..reading([good("shop"), good("blog"), silver, without_policy("x"), left("y")])
    };
    let matrix = overview(&reading, false).matrix;
    let names: Vec<_> = matrix.iter().map(|row| (row.policy.as_str(), row.apps, row.days.len())).collect();
    assert_eq!(names, [("gold", 2, 30), ("silver", 1, 30)]);
    let gold = &matrix[0].days;
    assert_eq!((gold[0].day, gold[29].day), (day("2026-10-31"), day("2026-11-29")));
    assert_eq!(
        (gold[0].result, gold[1].result, gold[29].result),
        (DayResult::Good, DayResult::None, DayResult::Failed)
    );
    assert_eq!(gold[29].counts, DayCounts { good: 1, failed: 2, ..DayCounts::default() });
}

#[test]
fn a_day_is_good_where_at_least_half_of_its_runs_were() {
    let of = |good, partial, failed, missed| DayResult::of(DayCounts { good, partial, failed, missed });
    for (result, counts) in [
        (of(0, 0, 0, 0), DayResult::None),
        (of(1, 0, 1, 0), DayResult::Good),
        (of(1, 1, 1, 0), DayResult::Failed),
        (of(0, 1, 0, 1), DayResult::Missed),
        (of(0, 1, 0, 0), DayResult::Partial),
        (of(u32::MAX, u32::MAX, u32::MAX, 0), DayResult::Good),
    ] {
        assert_eq!(result, counts);
    }
}

#[test]
fn what_is_under_way_is_the_oldest_first_and_cut() {
    let apps = (0..25).map(|place| {
        let mut status = under_way(&format!("app-{place:02}"));
        status.running.as_mut().unwrap().since = now() - Duration::from_mins(place);
        status
    });
    let overview = of(apps);
    assert_eq!((overview.under_way_count, overview.under_way.len()), (25, 20));
    assert_eq!(overview.under_way[0].name, "app-24");
    assert_eq!(overview.under_way[0].what, "Azure works");
}
