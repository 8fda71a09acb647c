//! `cargo xtask simulate`: the seeded simulation alone.

use std::process::Command;

use anyhow::Result;

use crate::step;

/// Run only the seeded simulation, or replay one seed
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    seeds: Seeds,
    /// Replay this seed (HOLDFAST_SEED)
    #[arg(long, conflicts_with_all = ["count", "from", "jobs"])]
    seed: Option<u64>,
    /// Build with optimizations; for thousands of seeds
    #[arg(long)]
    release: bool,
}

/// The seeds that the simulation runs.
#[derive(clap::Args)]
pub struct Seeds {
    /// Number of seeds (HOLDFAST_SEEDS) [default: 200]
    #[arg(long = "seeds", value_name = "COUNT")]
    count: Option<u64>,
    /// First seed (HOLDFAST_SEEDS_FROM) [default: 0]
    #[arg(long)]
    from: Option<u64>,
    /// Number of seeds that run at once (HOLDFAST_SEED_JOBS) [default: the number of cores]
    #[arg(long)]
    jobs: Option<usize>,
}

pub fn run(options: &Options) -> Result<()> {
    let mut command = step::cargo(["test", "--package", "holdfast-tests", "--test", "simulation"]);
    if options.release {
        command.args(["--profile", "bench"]);
    }
    options.seeds.export_to(&mut command);
    if let Some(seed) = options.seed {
        command.env("HOLDFAST_SEED", seed.to_string());
    }
    step::run(command.args(["--", "--nocapture"]))
}

impl Seeds {
    /// Adds the variables of the options that are given. The environment supplies the others.
    pub fn export_to(&self, command: &mut Command) {
        let variables = [
            ("HOLDFAST_SEEDS", self.count.map(|count| count.to_string())),
            ("HOLDFAST_SEEDS_FROM", self.from.map(|from| from.to_string())),
            ("HOLDFAST_SEED_JOBS", self.jobs.map(|jobs| jobs.to_string())),
        ];
        command.envs(variables.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }
}
