//! `cargo xtask simulate`: the seeded simulation alone.

use std::process::Command;

use anyhow::Result;

use crate::step;

/// Run only the seeded simulation, or replay one seed of it
#[derive(clap::Args)]
pub struct Options {
    /// How many seeds to run (HOLDFAST_SEEDS; 200 when neither is given)
    #[arg(long, conflicts_with = "seed")]
    seeds: Option<u32>,
    /// Replay this one seed (HOLDFAST_SEED)
    #[arg(long)]
    seed: Option<u64>,
}

pub fn run(options: &Options) -> Result<()> {
    let mut command =
        step::cargo(["test", "--package", "holdfast-tests", "--test", "simulation", "--", "--nocapture"]);
    if let Some(seed) = options.seed {
        command.env("HOLDFAST_SEED", seed.to_string());
    }
    step::run(with_seeds(&mut command, options.seeds))
}

/// Without a number the environment's own HOLDFAST_SEEDS still holds.
pub fn with_seeds(command: &mut Command, seeds: Option<u32>) -> &mut Command {
    match seeds {
        Some(seeds) => command.env("HOLDFAST_SEEDS", seeds.to_string()),
        None => command,
    }
}
