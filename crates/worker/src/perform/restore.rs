//! Restores, and for a drill asks the app afterwards.

use holdfast_model::{Cause, Restore, RunState};

use super::{Bench, Performed, begin};
use crate::act;
use crate::apply::{self, Begun, NotReady};
use crate::decide::{Action, decide};
use crate::permit::{Permit, Sends};

pub(super) async fn perform(
    bench: &Bench<'_>,
    (restore, probe): (&Restore, Option<&str>),
    permit: Option<Permit>,
    rng: &mut fastrand::Rng,
) -> Performed {
    let Bench { env, settings, sight, .. } = bench;
    let run = sight.run;
    let next = match (decide(run, permit.is_some()), &run.state) {
        (Action::Prepare, _) => match prepare(bench, restore).await {
            Ok(Ok((begun, sends))) => return begin(bench, begun, sends),
            Ok(Err(detail)) => apply::refused(&bench.after(), Cause::BackupNotFound, detail, rng),
            Err(why) => apply::not_ready(&bench.after(), &why, rng),
        },
        (Action::Request, RunState::Starting { attempt }) => {
            let sends = permit?.used(&*env.clock)?;
            let answer = act::restore(env, settings, (run, restore), sends).await;
            apply::restore_answered(&bench.after(), attempt, answer, rng)
        }
        (Action::Look, RunState::Starting { attempt } | RunState::Reconciling { attempt, .. }) => {
            let trace = act::trace(env, settings, (run, attempt), restore).await;
            apply::traced(&bench.after(), attempt, trace, rng)
        }
        (Action::Ask, RunState::PollingOperation { attempt, operation, accepted_at }) => {
            let progress = env.arm.operation(&run.app, operation).await;
            apply::followed(&bench.after(), attempt, *accepted_at, progress, rng)
        }
        (Action::Check, RunState::Verifying { attempt, checks, .. }) => {
            let answer = env.probe.probe(probe?).await;
            apply::probed(&bench.after(), attempt, *checks, answer, rng)
        }
        _ => return None,
    };
    Some((next, None))
}

/// A SAS and the databases' secrets, and when the backup was last restored; else why there is no such backup. A restore
/// stops the app, so none is begun from a backup that Azure does not have, or not for long.
async fn prepare(bench: &Bench<'_>, restore: &Restore) -> Result<Result<(Begun, Sends), String>, NotReady> {
    if let Some(by) = act::deleted_by(bench.env, restore).await? {
        return Ok(Err(format!("run {by} is deleting the backup of {}", restore.source.short_name())));
    }
    let Some(restored_before) = act::restored(bench.env, restore).await? else {
        return Ok(Err(format!("{} has no such backup in azure's list", restore.source.short_name())));
    };
    let databases = act::databases(bench.env, &restore.databases).await?;
    let grant = act::grant(bench.env, &bench.sight, None).await?;
    let begun = Begun { restored_before, ..Begun::from(&grant) };
    Ok(Ok((begun, Sends { storage_url: grant.url, databases, schedule: None })))
}
