//! Polls and their answers.

use holdfast_arm::{Backup, Error, ErrorKind, Operation, ThrottleScope};
use holdfast_model::{
    BackupFacts, BackupStatus, Call, Cause, Outcome, PollPace, Run, RunEvent, Timestamp, Verification,
};

use crate::backup::{PollAnswer, polled};
use crate::fixtures::{
    SETTINGS, absent, after, at, attempt, backup, ending, error, facts, input, polling, rng, seconds,
    throttled, throttled_at,
};
use crate::look::{AbsentByTwoLooks, CallFailure};
use crate::next::Next;
use crate::step_input::StepInput;

fn poll(run: &Run, now: Timestamp, answer: Result<Backup, Error>) -> Next {
    poll_with(&input(run, now), answer.map_err(CallFailure::from))
}

fn poll_with(input: &StepInput<'_>, answer: Result<Backup, CallFailure>) -> Next {
    let poll = PollAnswer { answer, accepted_at: at(0), last_status: &BackupStatus::Created };
    polled(input, &attempt(1), poll, &mut rng())
}

#[test]
fn a_status_is_recorded_when_it_changes_and_not_again() {
    let next = poll(&polling(), at(60), Ok(backup(BackupStatus::InProgress)));
    assert_eq!(next.events, [RunEvent::StatusSeen { status: BackupStatus::InProgress }]);
    assert_eq!(poll(&polling(), at(60), Ok(backup(BackupStatus::Created))).events, []);
}

#[test]
fn an_unknown_word_is_never_a_success_and_ends_with_the_deadline() {
    for word in ["Perfect", "succeeded!", "", "SucceededWithWarnings"] {
        let status = BackupStatus::from_word(word);
        let next = poll(&polling(), at(60), Ok(backup(status.clone())));
        assert_eq!(next.events, [RunEvent::StatusSeen { status: status.clone() }], "{word}");
        let over = poll(&polling(), at(3_600), Ok(backup(status)));
        assert_eq!(ending(&over), Some((Outcome::Failed, Some(Cause::DeadlinePassed))), "{word}");
    }
}

#[test]
fn azure_is_polled_at_the_deadline_and_not_after() {
    // The pace alone would ask at 3,590 and then at about 3,645.
    let next = poll(&polling(), at(3_590), Ok(backup(BackupStatus::Created)));
    assert_eq!(next.due_at, at(3_600));
    let at_last = poll(&polling(), at(3_600), Ok(backup(BackupStatus::InProgress)));
    assert_eq!(ending(&at_last), Some((Outcome::Failed, Some(Cause::DeadlinePassed))));
    let in_time = poll(&polling(), at(3_600), Ok(backup(BackupStatus::Succeeded)));
    assert!(matches!(in_time.events.last(), Some(RunEvent::Completed { .. })));
}

#[test]
fn a_backup_that_azure_may_still_finish_is_recorded_in_the_catalog() {
    let ways = [
        (3_600, Ok(backup(BackupStatus::InProgress)), Cause::DeadlinePassed),
        (3_600, Err(error(ErrorKind::Ambiguous)), Cause::DeadlinePassed),
        (3_600, Err(error(ErrorKind::Forbidden)), Cause::DeadlinePassed),
    ];
    for (now, answer, expected) in ways {
        let over = poll(&polling(), at(now), answer);
        assert_eq!(ending(&over), Some((Outcome::Failed, Some(expected))));
        let left = over.events.iter().find_map(|event| match event {
            RunEvent::AttemptEnded { backup, .. } => backup.clone(),
            _ => None,
        });
        let blob = format!("{}.zip", attempt(1).name);
        assert_eq!(left, Some(BackupFacts { blob, size_bytes: 0, ..facts() }), "{expected}");
    }
}

#[test]
fn just_before_the_deadline_the_shortest_pause_holds_and_the_next_poll_is_the_last() {
    let next = poll(&polling(), at(3_598), Ok(backup(BackupStatus::Created)));
    assert_eq!(next.due_at, at(3_603));
    assert!(ending(&poll(&polling(), next.due_at, Ok(backup(BackupStatus::Created)))).is_some());
}

#[test]
fn a_final_answer_counts_even_when_it_is_seen_after_the_deadline() {
    let late = poll(&polling(), at(900_000), Ok(backup(BackupStatus::Succeeded)));
    assert!(matches!(late.events.last(), Some(RunEvent::Completed { .. })));
}

#[test]
fn a_poll_waits_for_the_expected_end_and_no_longer_than_the_deadline() {
    let run = polling();
    let durations = [seconds(200); 5];
    let seen = StepInput { durations: &durations, ..input(&run, at(5)) };
    let ask = |input: &StepInput<'_>| poll_with(input, Ok(backup(BackupStatus::Created))).due_at;
    let wait = ask(&seen) - at(0);
    assert!((200..203).contains(&wait.num_seconds()), "{wait}");
    let mut short = polling();
    short.policy_snapshot.deadline = seconds(100);
    assert_eq!(ask(&StepInput { run: &short, ..seen }), at(100));
}

#[test]
fn after_a_clock_went_back_behind_the_acceptance_the_next_poll_is_soon_and_not_in_the_past() {
    let next = poll(&polling(), at(-500), Ok(backup(BackupStatus::Created)));
    assert!(next.due_at > at(-500) && next.due_at <= at(-400), "{}", next.due_at);
}

#[test]
fn where_storage_is_unreachable_azures_success_ends_the_run() {
    let mut run = polling();
    run.policy_snapshot.verify = false;
    let next = poll(&run, at(60), Ok(backup(BackupStatus::Succeeded)));
    let Some(RunEvent::Ended { outcome, backup: Some(_), verification, .. }) = next.events.last() else {
        panic!("{next:?}")
    };
    assert_eq!((*outcome, *verification), (Outcome::Succeeded, Some(Verification::OutOfReach)));
    run.failure_counts.missing = [(4, attempt(4).name)].into();
    let next = poll(&run, at(60), Ok(backup(BackupStatus::Succeeded)));
    assert!(
        matches!(next.events.last(), Some(RunEvent::Completed { .. })),
        "a lost attempt is looked for first"
    );
}

#[test]
fn a_failed_poll_is_repeated_until_the_deadline_and_ends_no_attempt() {
    let kinds = [
        ErrorKind::Ambiguous,
        ErrorKind::NotSent,
        ErrorKind::Unauthorized,
        ErrorKind::CredentialRefused,
        ErrorKind::Rejected,
        ErrorKind::Conflict { retry_after: None },
        ErrorKind::Throttled { retry_after: None, scope: ThrottleScope::Provider },
    ];
    for kind in kinds {
        let next = poll(&polling(), at(60), Err(error(kind.clone())));
        assert_eq!((next.events.len(), next.close), (0, None), "{kind:?}");
        assert!(next.due_at > at(60), "{kind:?}");
        let over = poll(&polling(), at(3_600), Err(error(kind.clone())));
        assert_eq!(ending(&over), Some((Outcome::Failed, Some(Cause::DeadlinePassed))), "{kind:?}");
    }
}

#[test]
fn errors_never_make_polls_more_frequent_than_answers_would() {
    let pace = PollPace::default();
    for kind in
        [ErrorKind::Ambiguous, ErrorKind::Throttled { retry_after: None, scope: ThrottleScope::Provider }]
    {
        let next = poll(&polling(), at(1_800), Err(error(kind.clone())));
        assert!(next.due_at >= at(1_800) + pace.max * 4 / 5, "{kind:?}: {}", next.due_at);
    }
}

#[test]
fn a_throttled_poll_waits_as_azure_asks_and_closes_the_read_budget_only_when_arm_throttles() {
    let next = poll(&polling(), at(60), Err(throttled_at(Operation::GetBackup, 900)));
    assert_eq!((next.due_at, next.close), (at(960), Some((Call::Read, at(960)))));
    let next = poll(&polling(), at(60), Err(throttled(Some(900), ThrottleScope::Provider)));
    assert_eq!((next.due_at, next.close), (at(960), None));
}

/// Polls with the same answer until the attempt or the run ends, and returns the number of polls and the last step.
fn poll_until_end(answer: impl Fn() -> Result<Backup, CallFailure>) -> (u32, Timestamp, Next) {
    let (mut run, mut now, mut polls) = (polling(), at(200), 0);
    loop {
        let next = poll_with(&input(&run, now), answer());
        polls += 1;
        if ending(&next).is_some() {
            return (polls, now, next);
        }
        (run, now) = (after(&run, &next), next.due_at);
    }
}

#[test]
fn a_backup_that_neither_get_nor_the_lists_show_over_the_settle_time_was_deleted_outside() {
    let (polls, ended_at, next) = poll_until_end(|| Err(absent(AbsentByTwoLooks::Backup)));
    assert_eq!(ending(&next), Some((Outcome::Failed, Some(Cause::DeletedOutside))));
    assert_eq!(polls, 3);
    assert!(ended_at >= at(200) + SETTINGS.settle);
    assert!(next.events.iter().any(|event| matches!(event, RunEvent::AttemptEnded { backup: None, .. })));
}

#[test]
fn an_app_that_two_kinds_of_look_miss_over_the_settle_time_is_gone_and_its_backup_is_recorded() {
    let (polls, _, next) = poll_until_end(|| Err(absent(AbsentByTwoLooks::App)));
    assert_eq!(ending(&next), Some((Outcome::Failed, Some(Cause::AppNotFound))));
    assert_eq!(polls, 3);
    assert!(next.events.iter().any(|event| matches!(event, RunEvent::AttemptEnded { backup: Some(_), .. })));
}

#[test]
fn one_absence_is_forgotten_when_the_backup_is_seen_again() {
    let missed = poll_with(&input(&polling(), at(200)), Err(absent(AbsentByTwoLooks::Backup)));
    assert_eq!(missed.events, [RunEvent::Absent { looked_at: at(200) }]);
    let run = after(&polling(), &missed);
    let seen = poll(&run, at(300), Ok(backup(BackupStatus::Created)));
    assert_eq!(seen.events, [RunEvent::StatusSeen { status: BackupStatus::Created }]);
    assert_eq!(after(&run, &seen).state, polling().state);
}

#[test]
fn a_403_or_an_unconfirmed_404_gives_up_no_backup_before_the_deadline() {
    for kind in [ErrorKind::Forbidden, ErrorKind::NotFound, ErrorKind::Rejected] {
        let (polls, ended_at, next) = poll_until_end(|| Err(error(kind.clone()).into()));
        assert_eq!(ending(&next), Some((Outcome::Failed, Some(Cause::DeadlinePassed))), "{kind:?}");
        assert!(polls > 40 && ended_at >= at(3_600), "{kind:?}: {polls} polls until {ended_at}");
    }
}

#[test]
fn a_backup_that_azure_does_not_show_yet_is_not_taken_for_deleted() {
    let next = poll_with(&input(&polling(), at(5)), Err(absent(AbsentByTwoLooks::Backup)));
    assert_eq!(next.events, []);
    assert!(next.due_at > at(5));
}

#[test]
fn the_wait_of_retry_after_is_kept_with_any_answer() {
    let working = Backup { retry_after: Some(seconds(300)), ..backup(BackupStatus::InProgress) };
    assert_eq!(poll(&polling(), at(60), Ok(working)).due_at, at(360));
    let broken = error(ErrorKind::Ambiguous).with_retry_after(Some(seconds(300)));
    assert_eq!(poll(&polling(), at(60), Err(broken)).due_at, at(360));
}
