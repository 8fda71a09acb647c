//! Questions to Azure and their answers.

use holdfast_model::{Outcome, PollPace, Verification};

use super::super::asked;
use super::*;

fn told(run: &Run, now: Timestamp, answer: Result<Backup, Error>) -> Next {
    asked(&sight(run, now), &attempt(1), (at(0), &BackupStatus::Created), (answer, None), &mut rng())
}

#[test]
fn a_status_is_recorded_when_it_changes_and_not_again() {
    let next = told(&polling(), at(60), Ok(backup(BackupStatus::InProgress)));
    assert_eq!(next.events, [RunEvent::StatusSeen { status: BackupStatus::InProgress }]);
    assert_eq!(told(&polling(), at(60), Ok(backup(BackupStatus::Created))).events, []);
}

#[test]
fn an_unknown_word_is_never_a_success_and_ends_with_the_deadline() {
    for word in ["Perfect", "succeeded!", "", "SucceededWithWarnings"] {
        let status = BackupStatus::from_word(word);
        let next = told(&polling(), at(60), Ok(backup(status.clone())));
        assert_eq!(next.events, [RunEvent::StatusSeen { status: status.clone() }], "{word}");
        let over = told(&polling(), at(3_600), Ok(backup(status)));
        assert_eq!(ending(&over), Some((Outcome::Failed, Some(Cause::DeadlinePassed))), "{word}");
    }
}

#[test]
fn azure_is_asked_exactly_at_the_deadline_and_not_after() {
    // The pace alone would ask at 3,590 and then at about 3,645.
    let next = told(&polling(), at(3_590), Ok(backup(BackupStatus::Created)));
    assert_eq!(next.due_at, at(3_600));
    let at_last = told(&polling(), at(3_600), Ok(backup(BackupStatus::InProgress)));
    assert_eq!(ending(&at_last), Some((Outcome::Failed, Some(Cause::DeadlinePassed))));
    let in_time = told(&polling(), at(3_600), Ok(backup(BackupStatus::Succeeded)));
    assert!(matches!(in_time.events.last(), Some(RunEvent::Completed { .. })));
}

#[test]
fn a_backup_that_azure_may_still_finish_is_left_to_the_catalog() {
    let ways = [
        (3_600, Ok(backup(BackupStatus::InProgress)), Cause::DeadlinePassed),
        (3_600, Err(error(ErrorKind::Ambiguous)), Cause::DeadlinePassed),
        (200, Err(error(ErrorKind::Forbidden)), Cause::AppForbidden),
    ];
    for (now, answer, expected) in ways {
        let over = told(&polling(), at(now), answer);
        assert_eq!(ending(&over), Some((Outcome::Failed, Some(expected))));
        let left = over.events.iter().find_map(|event| match event {
            RunEvent::AttemptEnded { backup, .. } => backup.clone(),
            _ => None,
        });
        let blob = format!("{}.zip", attempt(1).name);
        assert_eq!(left, Some(BackupFacts { blob, size_bytes: 0, ..facts() }), "{expected}");
    }
    let gone = told(&polling(), at(200), Err(error(ErrorKind::NotFound)));
    assert!(matches!(gone.events[..], [RunEvent::AttemptEnded { backup: None, .. }, _]), "{gone:?}");
}

#[test]
fn just_before_the_deadline_the_shortest_pause_is_kept_and_the_question_after_is_the_last() {
    let next = told(&polling(), at(3_598), Ok(backup(BackupStatus::Created)));
    assert_eq!(next.due_at, at(3_603));
    assert!(ending(&told(&polling(), next.due_at, Ok(backup(BackupStatus::Created)))).is_some());
}

#[test]
fn a_final_answer_counts_even_when_it_is_seen_after_the_deadline() {
    let late = told(&polling(), at(900_000), Ok(backup(BackupStatus::Succeeded)));
    assert!(matches!(late.events.last(), Some(RunEvent::Completed { .. })));
}

#[test]
fn an_apps_usual_time_is_waited_out_and_no_longer_than_the_deadline() {
    let run = polling();
    let seen = |typical| Sight { typical: Some(seconds(typical)), ..sight(&run, at(5)) };
    let ask = |sight: &Sight<'_>| {
        let told = Ok(backup(BackupStatus::Created));
        asked(sight, &attempt(1), (at(0), &BackupStatus::Created), (told, None), &mut rng()).due_at
    };
    assert_eq!(ask(&seen(200)), at(220));
    let mut short = polling();
    short.policy_snapshot.deadline = seconds(100);
    assert_eq!(ask(&Sight { run: &short, ..seen(200) }), at(100));
}

#[test]
fn a_clock_that_went_back_behind_the_acceptance_asks_soon_and_not_in_the_past() {
    let next = told(&polling(), at(-500), Ok(backup(BackupStatus::Created)));
    assert!(next.due_at > at(-500) && next.due_at <= at(-400), "{}", next.due_at);
}

#[test]
fn where_storage_is_out_of_reach_azures_word_is_the_end() {
    let mut run = polling();
    run.policy_snapshot.verify = false;
    let next = told(&run, at(60), Ok(backup(BackupStatus::Succeeded)));
    let Some(RunEvent::Ended { outcome, backup: Some(_), verification, .. }) = next.events.last() else {
        panic!("{next:?}")
    };
    assert_eq!((*outcome, *verification), (Outcome::Succeeded, Some(Verification::OutOfReach)));
    run.failure_counts.missing = [4].into();
    let next = told(&run, at(60), Ok(backup(BackupStatus::Succeeded)));
    assert!(
        matches!(next.events.last(), Some(RunEvent::Completed { .. })),
        "a lost attempt is looked for first"
    );
}

#[test]
fn a_question_without_an_answer_is_asked_again_until_the_deadline_and_costs_no_attempt() {
    let verdicts = [
        ErrorKind::Ambiguous,
        ErrorKind::NotSent,
        ErrorKind::Unauthorized,
        ErrorKind::Rejected,
        ErrorKind::Conflict { retry_after: None },
        ErrorKind::Throttled { retry_after: None, scope: ThrottleScope::Provider },
    ];
    for kind in verdicts {
        let next = told(&polling(), at(60), Err(error(kind.clone())));
        assert_eq!((next.events.len(), next.close), (0, None), "{kind:?}");
        assert!(next.due_at > at(60), "{kind:?}");
        let over = told(&polling(), at(3_600), Err(error(kind.clone())));
        assert_eq!(ending(&over), Some((Outcome::Failed, Some(Cause::DeadlinePassed))), "{kind:?}");
    }
}

#[test]
fn trouble_never_makes_azure_be_asked_more_often_than_its_answers_would() {
    let pace = PollPace::default();
    for kind in
        [ErrorKind::Ambiguous, ErrorKind::Throttled { retry_after: None, scope: ThrottleScope::Provider }]
    {
        let next = told(&polling(), at(1_800), Err(error(kind.clone())));
        assert!(next.due_at >= at(1_800) + pace.max * 4 / 5, "{kind:?}: {}", next.due_at);
    }
}

#[test]
fn a_throttled_question_waits_as_azure_says_and_closes_the_reads_only_when_arm_throttles() {
    let next = told(&polling(), at(60), Err(throttled_at(Operation::GetBackup, 900)));
    assert_eq!((next.due_at, next.close), (at(960), Some((Call::Read, at(960)))));
    let next = told(&polling(), at(60), Err(throttled(Some(900), ThrottleScope::Provider)));
    assert_eq!((next.due_at, next.close), (at(960), None));
}

#[test]
fn a_backup_that_is_gone_or_forbidden_ends_the_run() {
    let gone = told(&polling(), at(200), Err(error(ErrorKind::NotFound)));
    assert_eq!(ending(&gone), Some((Outcome::Failed, Some(Cause::DeletedOutside))));
    let forbidden = told(&polling(), at(200), Err(error(ErrorKind::Forbidden)));
    assert_eq!(ending(&forbidden), Some((Outcome::Failed, Some(Cause::AppForbidden))));
}

#[test]
fn a_backup_that_azure_does_not_show_yet_is_not_taken_for_deleted() {
    let next = told(&polling(), at(5), Err(error(ErrorKind::NotFound)));
    assert_eq!(next.events, []);
    assert!(next.due_at > at(5));
}

#[test]
fn azures_own_wait_wins_whatever_it_comes_with() {
    let working = Backup { retry_after: Some(seconds(300)), ..backup(BackupStatus::InProgress) };
    assert_eq!(told(&polling(), at(60), Ok(working)).due_at, at(360));
    let broken = error(ErrorKind::Ambiguous).with_retry_after(Some(seconds(300)));
    assert_eq!(told(&polling(), at(60), Err(broken)).due_at, at(360));
}
