//! Whole runs under random answers.

use std::collections::BTreeSet;

use holdfast_model::RunState;
use holdfast_storage::BlobFacts;
use proptest::prelude::*;

use super::super::begin::NotReady;
use super::super::{
    Begun, BlobCheck, Blobs, asked, checked, counts_in_part, looked, not_ready, posted, prepared, turned_up,
};
use super::*;
use crate::decide::{Action, decide};

/// A run under way, and what Azure may know of it.
struct Drive {
    run: Run,
    now: Timestamp,
    rng: fastrand::Rng,
    /// This step committed the intent.
    mine: bool,
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
        Self { run, now: at(0), rng, mine: false, left: BTreeSet::new() }
    }

    /// One step: something random happens, and what follows is applied.
    fn step(&mut self) {
        let run = self.run.clone();
        let sight = sight(&run, self.now);
        let was_mine = std::mem::take(&mut self.mine);
        let next = match (decide(&run, was_mine), &run.state) {
            (Action::Prepare, _) => self.prepare(&sight),
            (Action::Request, RunState::Starting { attempt }) => self.post(&sight, attempt),
            (Action::Look, RunState::Starting { attempt } | RunState::Reconciling { attempt, .. }) => {
                let listed = self.maybe(Self::listed);
                looked(&sight, attempt, listed, &mut self.rng)
            }
            (Action::Ask, RunState::Polling { attempt, accepted_at, status, .. }) => {
                let answer = self.maybe(Self::answer);
                let counts = counts_in_part(&sight, attempt, *accepted_at, &answer);
                let blobs = counts.map(|_| self.blobs());
                asked(&sight, attempt, (*accepted_at, status), (answer, blobs), &mut self.rng)
            }
            (Action::Check, RunState::Verifying { attempt, backup: Some(backup), checks }) => {
                let check = self.check();
                checked(&sight, attempt, (backup, *checks), check, &mut self.rng)
            }
            (action, state) => panic!("{action:?} in {state:?}"),
        };
        assert!(next.due_at >= self.now, "due in the past: {next:?}");
        assert!(next.close.is_none_or(|(_, until)| until > self.now), "{next:?}");
        assert!(
            !next.events.is_empty() || next.due_at > self.now,
            "nothing happens, at once, for ever: {next:?}"
        );
        self.run = after(&run, &next);
        if !self.mine {
            // Clocks jump back now and then.
            self.now = if self.rng.u8(..) == 0 { self.now - seconds(50) } else { self.now.max(next.due_at) };
        }
    }

    fn prepare(&mut self, sight: &Sight<'_>) -> Next {
        let missing = &sight.run.failure_counts.missing;
        let turned: Vec<Found> =
            self.listed().into_iter().filter(|found| missing.contains(&found.number)).collect();
        if !turned.is_empty() {
            return turned_up(sight, turned);
        }
        let why = match self.rng.u8(0..8) {
            0 => NotReady::Storage(no_answer()),
            1 => NotReady::Storage(forbidden()),
            2 => NotReady::Arm(self.error()),
            _ => {
                self.mine = self.rng.u8(0..8) > 0; // Else the worker dies between the intent and the POST.
                let grant = holdfast_storage::Grant {
                    url: String::new().into(),
                    facts: sas(),
                    refresh: None,
                    warnings: Vec::new(),
                };
                return prepared(sight, Begun::from(&grant));
            }
        };
        not_ready(sight, &why, &mut self.rng)
    }

    fn post(&mut self, sight: &Sight<'_>, attempt: &Attempt) -> Next {
        assert!(!self.left.contains(&attempt.number), "a second POST of attempt {}", attempt.number);
        let answer = self.maybe(|_| backup(BackupStatus::Created));
        if answer.as_ref().err().is_none_or(|error| *error.kind() == ErrorKind::Ambiguous) {
            self.left.insert(attempt.number);
        }
        posted(sight, attempt, answer, &mut self.rng)
    }

    /// Azure lists late, or not at all.
    fn listed(&mut self) -> Vec<Found> {
        let left = self.left.clone();
        left.into_iter().filter(|_| self.rng.u8(0..6) == 0).map(found).collect()
    }

    fn answer(&mut self) -> Backup {
        let statuses = BackupStatus::DOCUMENTED;
        let status = statuses.get(self.rng.usize(0..12)).cloned();
        backup(status.unwrap_or_else(|| BackupStatus::from_word("Perfect")))
    }

    fn blobs(&mut self) -> Result<Blobs, holdfast_storage::Error> {
        let blob =
            |drive: &mut Self| drive.rng.bool().then(|| BlobFacts { size_bytes: drive.rng.u64(0..1_000) });
        if self.rng.bool() { Err(no_answer()) } else { Ok((blob(self), blob(self))) }
    }

    fn check(&mut self) -> BlobCheck {
        let blobs = self.blobs();
        let missing = self.run.failure_counts.missing.clone();
        let orphans = self.maybe(Self::listed);
        let orphans =
            orphans.map(|found| found.into_iter().filter(|found| missing.contains(&found.number)).collect());
        BlobCheck { blobs: self.run.policy_snapshot.verify.then_some(blobs), orphans }
    }

    /// An answer, or often none.
    fn maybe<T>(&mut self, answer: impl FnOnce(&mut Self) -> T) -> Result<T, Error> {
        if self.rng.bool() { Ok(answer(self)) } else { Err(self.error()) }
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
            18..22 => ErrorKind::Unauthorized,
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
