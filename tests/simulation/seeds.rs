//! Runs many seeds on several threads, and collects the seeds that fail.

#![expect(clippy::print_stdout, reason = "progress is for the terminal")]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use holdfast_model::{Clock, SystemClock};

use crate::counts::SeedCounts;

/// The pause between two lines of progress.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// The seeds to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeds {
    pub first: u64,
    pub count: u64,
    /// How many run at once.
    pub jobs: usize,
}

/// The result of all seeds.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// The sum over the seeds that passed.
    pub counts: SeedCounts,
    pub passed: u64,
    pub failures: Vec<Failure>,
}

/// A seed that panicked.
#[derive(Debug)]
pub(crate) struct Failure {
    seed: u64,
    /// The location of its first panic, and the first line of the message.
    panic: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, panic } = self;
        write!(f, "seed {seed} failed: {panic}\n    replay: cargo xtask simulate --seed {seed}")
    }
}

impl Seeds {
    /// Runs every seed, also after one failed.
    pub(crate) fn run(self, simulate: fn(u64) -> SeedCounts) -> Report {
        collect_panics();
        let clock = SystemClock::default();
        let next = AtomicU64::new(0);
        let progress = Mutex::new((Report::default(), Duration::ZERO));
        let work = || {
            COLLECTS.set(true);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= self.count {
                    break;
                }
                let outcome = run_one(self.first + index, simulate);
                let (report, printed) = &mut *progress.lock().unwrap();
                report.add(outcome);
                let now = clock.elapsed();
                if now >= *printed + PROGRESS_EVERY {
                    *printed = now;
                    self.print_progress(report, now);
                }
            }
        };
        thread::scope(|scope| (0..self.jobs).for_each(|_| drop(scope.spawn(work))));
        let (mut report, _) = progress.into_inner().unwrap();
        self.print_progress(&report, clock.elapsed());
        report.failures.sort_by_key(|failure| failure.seed);
        report
    }

    fn print_progress(self, report: &Report, time: Duration) {
        let failed = report.failures.len() as u64;
        let done = report.passed + failed;
        let per_minute = done * 60_000 / u64::try_from(time.as_millis()).unwrap().max(1);
        println!("{done} of {} seeds done, {failed} failed, {per_minute} a minute", self.count);
    }
}

impl Report {
    fn add(&mut self, outcome: Result<SeedCounts, Failure>) {
        match outcome {
            Ok(counts) => {
                self.passed += 1;
                self.counts.add(&counts);
            }
            Err(failure) => {
                println!("{failure}");
                self.failures.push(failure);
            }
        }
    }
}

thread_local! {
    /// Whether panics of this thread are collected instead of printed.
    static COLLECTS: Cell<bool> = const { Cell::new(false) };
    static FIRST_PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn run_one(seed: u64, simulate: fn(u64) -> SeedCounts) -> Result<SeedCounts, Failure> {
    FIRST_PANIC.set(None);
    panic::catch_unwind(|| simulate(seed)).map_err(|_| {
        let panic = FIRST_PANIC.take().unwrap_or_else(|| "a panic without a message".to_owned());
        Failure { seed, panic }
    })
}

/// Collects the first panic of a seed. A later one usually says only that a task panicked.
fn collect_panics() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !COLLECTS.get() {
            return print(info);
        }
        let message = info.payload_as_str().unwrap_or_default();
        let first_line = message.lines().next().unwrap_or_default();
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        FIRST_PANIC.with_borrow_mut(|first| {
            first.get_or_insert_with(|| format!("{place}: {first_line}"));
        });
    }));
}

#[test]
fn a_failing_seed_does_not_stop_the_others() {
    let simulate = |seed: u64| {
        assert!(seed != 12, "seed {seed} is bad\nand has a long story");
        SeedCounts { runs: 1, ..SeedCounts::default() }
    };
    let report = Seeds { first: 10, count: 5, jobs: 2 }.run(simulate);
    assert_eq!((report.passed, report.counts.runs), (4, 4));
    let [failure] = &report.failures[..] else { panic!("{report:#?}") };
    let text = failure.to_string();
    assert!(text.starts_with("seed 12 failed: tests/simulation/seeds.rs:"), "{text}");
    assert!(text.contains(": seed 12 is bad\n    replay: cargo xtask simulate --seed 12"), "{text}");
}
