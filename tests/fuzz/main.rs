//! Text from outside, damaged in many ways: what reads it must answer, and never panic or take long.
//!
//! `cargo xtask fuzz --minutes 10 sas` runs one target. An input that fails is written to `corpus/TARGET`, and every test
//! run replays the corpus.

#![cfg(test)]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a target that cannot be set up has failed")]

mod arm;
mod corpus;
mod mutation;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use corpus::Corpus;
use mutation::Mutator;
use targets::{TARGETS, Target};

/// Damaged inputs of each target in an ordinary test run.
const CASES: u64 = 60;

/// The longest time for one input in a build without optimizations.
const SLOW: Duration = Duration::from_secs(5);

/// Runs one input. The error says what is wrong with the answer.
fn run(target: &Target, input: &[u8]) -> Result<(), String> {
    let begun = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let took = begun.elapsed();
    match outcome {
        Err(_) => Err("it panicked".to_owned()),
        Ok(Err(wrong)) => Err(wrong),
        Ok(Ok(())) if took > SLOW => Err(format!("it took {took:?}")),
        Ok(Ok(())) => Ok(()),
    }
}

fn fails(target: &Target, input: &[u8], why: &str) -> ! {
    panic!("{}: {why}: {:?}", target.name, String::from_utf8_lossy(input))
}

#[test]
fn every_target_survives_its_corpus_and_some_damage() {
    for target in TARGETS {
        let corpus = Corpus::read(target);
        let mut mutator = Mutator::new(1);
        for input in corpus.inputs() {
            run(target, input).unwrap_or_else(|why| fails(target, input, &why));
        }
        for _ in 0..CASES {
            let input = mutator.next(corpus.inputs(), target.words);
            run(target, &input).unwrap_or_else(|why| fails(target, &input, &why));
        }
    }
}

/// Runs the targets of `HOLDFAST_FUZZ_TARGET`, or all, for `HOLDFAST_FUZZ_MINUTES` each.
#[test]
#[ignore = "`cargo xtask fuzz` runs it for as long as it is told"]
fn fuzz_for_minutes() {
    let variable = |name: &str| std::env::var(name).ok();
    let minutes: f64 = variable("HOLDFAST_FUZZ_MINUTES").map_or(1.0, |text| text.parse().unwrap());
    let chosen = variable("HOLDFAST_FUZZ_TARGET");
    let seed = variable("HOLDFAST_FUZZ_SEED").map_or(1, |text| text.parse().unwrap());
    let of = |target: &&Target| chosen.as_deref().is_none_or(|chosen| chosen == target.name);
    let targets: Vec<&Target> = TARGETS.iter().filter(of).collect();
    assert!(
        !targets.is_empty(),
        "there is no such target; there are: {:?}",
        TARGETS.iter().map(|target| target.name).collect::<Vec<_>>()
    );
    let failed: Vec<String> = targets
        .into_iter()
        .flat_map(|target| fuzz(target, Duration::from_secs_f64(minutes * 60.0), seed))
        .collect();
    assert_eq!(failed, Vec::<String>::new(), "each is in the corpus");
}

/// Runs one target for a time, and writes each failing input to its corpus.
fn fuzz(target: &Target, time: Duration, seed: u64) -> Vec<String> {
    let corpus = Corpus::read(target);
    let mut mutator = Mutator::new(seed);
    let (begun, mut cases, mut failed) = (Instant::now(), 0_u64, Vec::new());
    while begun.elapsed() < time {
        let input = mutator.next(corpus.inputs(), target.words);
        cases += 1;
        if let Err(why) = run(target, &input) {
            let kept = corpus.keep(&input);
            failed.push(format!("{}: {why}: {kept}", target.name));
            if failed.len() >= 10 {
                break;
            }
        }
    }
    report(&format!("{}: {cases} cases in {:?}, {} failed", target.name, begun.elapsed(), failed.len()));
    failed
}

#[expect(clippy::print_stderr, reason = "a test's output is where its reader looks")]
fn report(line: &str) {
    eprintln!("{line}");
}
