//! Whole backup runs under random answers.

use std::collections::BTreeSet;

use holdfast_arm::{Backup, Error, ErrorKind, ThrottleScope};
use holdfast_model::{Attempt, BackupStatus, ManualClock, Run, RunState, Timestamp};
use holdfast_storage::BlobFacts;
use proptest::prelude::*;

use super::found;
use crate::backup::blobs::{BackupBlobs, BlobCheck, MadeBackup};
use crate::backup::found::FoundBackup;
use crate::backup::{PollAnswer, polled, posted, reconciled, turned_up, verified};
use crate::decide::{Action, decide};
use crate::fixtures::{after, at, backup, error, forbidden, input, no_answer, planned, sas, seconds};
use crate::intent::{IntentFacts, intent};
use crate::look::{AbsentByTwoLooks, CallFailure};
use crate::next::Next;
use crate::not_ready::{NotReady, not_ready};
use crate::send_window::{RequestPayload, SendWindow};
use crate::step_input::StepInput;

/// A run, and what Azure may know of it.
struct Drive {
    run: Run,
    now: Timestamp,
    rng: fastrand::Rng,
    /// The window of the intent that this step committed.
    window: Option<SendWindow>,
    /// Attempts of which Azure may have a backup.
    left: BTreeSet<u32>,
}

impl Drive {
    fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut run = planned();
        run.policy_snapshot.verify = rng.bool();
        run.policy_snapshot.partial_is_good = rng.bool();
        run.policy_snapshot.deadline = seconds(rng.u64(0..20_000));
        Self { run, now: at(0), rng, window: None, left: BTreeSet::new() }
    }

    /// One step with a random answer.
    fn step(&mut self) {
        let run = self.run.clone();
        let input = input(&run, self.now);
        let next = match (decide(&run, self.window.take()), &run.state) {
            (Action::Prepare, _) => self.prepare(&input),
            (Action::Send(_), RunState::Starting { attempt }) => self.post(&input, attempt),
            (Action::Reconcile, RunState::Starting { attempt } | RunState::Reconciling { attempt, .. }) => {
                let listed = self.maybe_absent(Self::listed);
                reconciled(&input, attempt, listed, &mut self.rng)
            }
            (Action::Poll, RunState::Polling { attempt, accepted_at, status, .. }) => {
                let answer = self.maybe_absent(Self::answer);
                let poll = PollAnswer { answer, accepted_at: *accepted_at, last_status: status };
                polled(&input, attempt, poll, &mut self.rng)
            }
            (Action::Verify, RunState::Verifying { attempt, backup: Some(backup), checks, partial_log }) => {
                let check = self.check(*checks);
                let made = MadeBackup { backup, partial_log: partial_log.as_deref() };
                verified(&input, attempt, made, check, &mut self.rng)
            }
            (action, state) => panic!("{action:?} in {state:?}"),
        };
        assert!(next.due_at >= self.now, "due in the past: {next:?}");
        assert!(next.close.is_none_or(|(_, until)| until > self.now), "{next:?}");
        assert!(
            !next.events.is_empty() || next.due_at > self.now,
            "a step without effect is due at once: {next:?}"
        );
        self.run = after(&run, &next);
        if self.window.is_none() {
            // Clocks jump back now and then.
            self.now = if self.rng.u8(..) == 0 { self.now - seconds(50) } else { self.now.max(next.due_at) };
        }
    }

    fn prepare(&mut self, input: &StepInput<'_>) -> Next {
        let missing = &input.run.failure_counts.missing;
        let found: Vec<FoundBackup> =
            self.listed().into_iter().filter(|found| missing.contains_key(&found.number)).collect();
        if !found.is_empty() {
            return turned_up(input, found);
        }
        let why = match self.rng.u8(0..8) {
            0 => NotReady::Storage(no_answer()),
            1 => NotReady::Storage(forbidden()),
            2 => NotReady::Arm(self.error()),
            _ => {
                // Otherwise the worker dies between the intent and the POST.
                if self.rng.u8(0..8) > 0 {
                    let clock = ManualClock::new(self.now);
                    self.window = Some(SendWindow::open(&clock, seconds(20), RequestPayload::default()));
                }
                let grant = holdfast_storage::Grant {
                    url: String::new().into(),
                    facts: sas(),
                    refresh: None,
                    warnings: Vec::new(),
                };
                return intent(input, IntentFacts::from(&grant), &mut self.rng);
            }
        };
        not_ready(input, &why, &mut self.rng)
    }

    fn post(&mut self, input: &StepInput<'_>, attempt: &Attempt) -> Next {
        assert!(!self.left.contains(&attempt.number), "a second POST of attempt {}", attempt.number);
        let answer = self.maybe_absent(|_| backup(BackupStatus::Created));
        if answer.as_ref().err().is_none_or(|failure| *failure.error.kind() == ErrorKind::Ambiguous) {
            self.left.insert(attempt.number);
        }
        posted(input, attempt, answer, &mut self.rng)
    }

    /// Azure lists each backup late or not at all.
    fn listed(&mut self) -> Vec<FoundBackup> {
        let left = self.left.clone();
        left.into_iter().filter(|_| self.rng.u8(0..6) == 0).map(found).collect()
    }

    fn answer(&mut self) -> Backup {
        let statuses = BackupStatus::DOCUMENTED;
        let status = statuses.get(self.rng.usize(0..12)).cloned();
        backup(status.unwrap_or_else(|| BackupStatus::from_word("Perfect")))
    }

    fn blobs(&mut self) -> Result<BackupBlobs, holdfast_storage::Error> {
        let blob =
            |drive: &mut Self| drive.rng.bool().then(|| BlobFacts { size_bytes: drive.rng.u64(0..1_000) });
        if self.rng.bool() {
            Err(no_answer())
        } else {
            Ok(BackupBlobs { archive: blob(self), manifest: blob(self) })
        }
    }

    fn check(&mut self, checks: u32) -> BlobCheck {
        let blobs = self.blobs();
        let missing = self.run.failure_counts.missing.clone();
        let orphans = self.maybe(Self::listed);
        let orphans = orphans
            .map(|found| found.into_iter().filter(|found| missing.contains_key(&found.number)).collect());
        BlobCheck { blobs: self.run.policy_snapshot.verify.then_some(blobs), orphans, checks }
    }

    /// An answer, or as often an error.
    fn maybe<T>(&mut self, answer: impl FnOnce(&mut Self) -> T) -> Result<T, Error> {
        if self.rng.bool() { Ok(answer(self)) } else { Err(self.error()) }
    }

    /// An answer, or as often an error, which a second kind of look may confirm.
    fn maybe_absent<T>(&mut self, answer: impl FnOnce(&mut Self) -> T) -> Result<T, CallFailure> {
        let which = [None, Some(AbsentByTwoLooks::App), Some(AbsentByTwoLooks::Backup)][self.rng.usize(..3)];
        self.maybe(answer).map_err(|error| {
            let absent = which.filter(|_| *error.kind() == ErrorKind::NotFound);
            CallFailure { error, absent }
        })
    }

    fn error(&mut self) -> Error {
        let retry_after = self.rng.bool().then(|| seconds(self.rng.u64(0..90_000)));
        let scope = if self.rng.bool() { ThrottleScope::Arm } else { ThrottleScope::Provider };
        error(match self.rng.u8(0..40) {
            0 => ErrorKind::Forbidden,
            1 => ErrorKind::NotFound,
            2 => ErrorKind::Rejected,
            3..10 => ErrorKind::Throttled { retry_after, scope },
            10..18 => ErrorKind::Conflict { retry_after },
            18..20 => ErrorKind::Unauthorized,
            20..22 => ErrorKind::CredentialRefused,
            22..26 => ErrorKind::NotSent,
            _ => ErrorKind::Ambiguous,
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_run_ends_by_legal_moves_and_never_posts_one_attempt_twice(seed: u64) {
        let mut drive = Drive::new(seed);
        let mut steps = 0;
        while !drive.run.state.is_ended() {
            drive.step();
            steps += 1;
            prop_assert!(steps < 10_000, "the run does not end: {:?}", drive.run);
        }
    }
}
