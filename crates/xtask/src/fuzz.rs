//! `cargo xtask fuzz`: damaged text for what reads text from outside.

use anyhow::Result;

use crate::step;

/// Damage text from outside for some minutes, and keep each input that fails in `tests/fuzz/corpus`
#[derive(clap::Args)]
pub struct Options {
    /// Minutes for each target
    #[arg(long, default_value = "10")]
    minutes: f64,
    /// The seed of the damage
    #[arg(long, default_value = "1")]
    seed: u64,
    /// Build with optimizations
    #[arg(long)]
    release: bool,
    /// One target: `arm`, `links`, `sas`, `cron`, `fleet` or `messages` [default: all, one after the other]
    target: Option<String>,
}

pub fn run(options: &Options) -> Result<()> {
    let mut command = step::cargo(["test", "--package", "holdfast-tests", "--test", "fuzz"]);
    if options.release {
        command.args(["--profile", "bench"]);
    }
    command.env("HOLDFAST_FUZZ_MINUTES", options.minutes.to_string());
    command.env("HOLDFAST_FUZZ_SEED", options.seed.to_string());
    if let Some(target) = &options.target {
        command.env("HOLDFAST_FUZZ_TARGET", target);
    }
    step::run(command.args(["--", "--ignored", "--nocapture", "fuzz_for_minutes"]))
}
