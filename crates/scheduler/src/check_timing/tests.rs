//! When checks are due.

use holdfast_model::RunId;
use holdfast_store::{CheckStatus, LastRun};

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn app(number: usize) -> AppId {
    AppId::new("s", "g", &format!("app-{number}"), None)
}

fn at(hours: i64) -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000 / 86_400 * 86_400 + hours * 3_600, 0).unwrap()
}

fn timing(now: Timestamp) -> CheckTiming {
    CheckTiming { now, every: CHECK_EVERY, pass: HOUR }
}

fn ended(at: Timestamp, cause: Option<Cause>) -> LastRun {
    let outcome = if cause.is_some() { Outcome::Failed } else { Outcome::Succeeded };
    let run_id = RunId::new(at, &mut fastrand::Rng::with_seed(1));
    LastRun { run_id, outcome, cause, verification: None, ended_at: at }
}

fn status(check: Option<LastRun>, last: Option<LastRun>) -> AppStatus {
    let check = CheckStatus { last: check, ..CheckStatus::default() };
    AppStatus { last, check, ..AppStatus::new(app(0)) }
}

/// The hours of three days at which a check is due, where each is done at once.
fn hours_of_checks(number: usize, needs: CheckNeeds) -> Vec<i64> {
    let mut check = None;
    let mut hours = Vec::new();
    for hour in 0..72 {
        if needs.is_due(&app(number), Some(&status(check.clone(), None)), timing(at(hour))) {
            hours.push(hour);
            check = Some(ended(at(hour), None));
        }
    }
    hours
}

fn with_backups() -> CheckNeeds {
    CheckNeeds { oldest: Some(at(-48)), ..CheckNeeds::default() }
}

#[test]
fn each_app_is_checked_once_a_day_at_a_place_of_its_own() {
    let mut places = std::collections::BTreeSet::new();
    for number in 0..40 {
        let hours = hours_of_checks(number, with_backups());
        // Backups that were never checked are checked at once, and from then on in their place.
        assert_eq!(hours[0], 0);
        assert!(hours[2] - hours[1] == 24 && hours.len() <= 4, "{hours:?}");
        places.insert(hours[1] % 24);
        let without_backups = hours_of_checks(number, CheckNeeds::default());
        assert_eq!(without_backups.len(), 3, "{without_backups:?}");
    }
    assert!(places.len() > 12, "{places:?}");
}

#[test]
fn what_is_owed_is_checked_after_an_hour_and_a_failed_check_after_six() {
    let due_after = |hours: i64, needs: CheckNeeds, check: Option<Cause>, last: Option<LastRun>| {
        // The place of the app lies outside the hours tried.
        let number =
            (0..1_000).find(|number| last_place(&app(*number), CHECK_EVERY, at(13)) < at(0)).unwrap();
        let status = status(Some(ended(at(0), check)), last);
        needs.is_due(&app(number), Some(&status), timing(at(hours)))
    };
    let quiet = with_backups();
    assert!(!due_after(12, quiet, None, None));
    let unverified = CheckNeeds { is_unverified: true, ..quiet };
    assert!(!due_after(0, unverified, None, None) && due_after(1, unverified, None, None));
    let failed = CheckNeeds { failed_at: Some(at(0) + HOUR), ..quiet };
    assert!(due_after(1, failed, None, None));
    assert!(!due_after(2, CheckNeeds { failed_at: Some(at(-1)), ..quiet }, None, None), "it was looked into");
    for (cause, is_owed) in [(Cause::AnswerLost, true), (Cause::TimedOut, false)] {
        let last = Some(ended(at(1), Some(cause)));
        assert_eq!(due_after(2, quiet, None, last), is_owed, "{cause}");
    }
    let deleting = CheckNeeds { has_deletions: true, ..quiet };
    assert!(!due_after(11, deleting, None, None) && due_after(12, deleting, None, None));
    assert!(!due_after(5, unverified, Some(Cause::AppNotFound), None), "hourly would not help");
    assert!(due_after(6, quiet, Some(Cause::AppNotFound), None));
}
