//! Takes a backup.

use holdfast_model::{DatabaseRef, RunState};

use super::{Bench, Performed, begin};
use crate::act;
use crate::apply::{self, Begun, Found, NotReady};
use crate::decide::{Action, decide};
use crate::permit::{Permit, Sends};

pub(super) async fn perform(
    bench: &Bench<'_>,
    databases: &[DatabaseRef],
    permit: Option<Permit>,
    rng: &mut fastrand::Rng,
) -> Performed {
    let Bench { env, settings, sight, .. } = bench;
    let run = sight.run;
    let next = match (decide(run, permit.is_some()), &run.state) {
        (Action::Prepare, _) => match prepare(bench, databases).await {
            Ok(Ok((begun, sends))) => return begin(bench, begun, sends),
            Ok(Err(found)) => apply::turned_up(&bench.after(), found),
            Err(why) => apply::not_ready(&bench.after(), &why, rng),
        },
        (Action::Request, RunState::Starting { attempt }) => {
            let sends = permit?.used(&*env.clock)?;
            let answer = act::post(env, settings, run, attempt, sends).await;
            apply::posted(&bench.after(), attempt, answer, rng)
        }
        (Action::Look, RunState::Starting { attempt } | RunState::Reconciling { attempt, .. }) => {
            let listed = act::look(env, run).await;
            apply::looked(&bench.after(), attempt, listed, rng)
        }
        (Action::Ask, RunState::Polling { attempt, backup, accepted_at, status }) => {
            let answer = env.arm.get_backup(&run.app, *backup).await;
            let blobs = match apply::counts_in_part(sight, attempt, *accepted_at, &answer) {
                Some(partial) => Some(act::blobs(env, sight, &partial).await),
                None => None,
            };
            apply::asked(&bench.after(), attempt, (*accepted_at, status), (answer, blobs), rng)
        }
        (Action::Check, RunState::Verifying { attempt, backup: Some(backup), checks }) => {
            let check = act::check(env, sight, backup).await;
            apply::checked(&bench.after(), attempt, (backup, *checks), check, rng)
        }
        _ => return None,
    };
    Some((next, None))
}

/// A SAS and the databases' secrets for the next attempt; or the backups of earlier attempts that were given up as
/// lost, should any have turned up after all.
async fn prepare(
    bench: &Bench<'_>,
    databases: &[DatabaseRef],
) -> Result<Result<(Begun, Sends), Vec<Found>>, NotReady> {
    let turned_up = act::missing(bench.env, bench.sight.run).await?;
    if !turned_up.is_empty() {
        return Ok(Err(turned_up));
    }
    let databases = act::databases(bench.env, databases).await?;
    let grant = act::grant(bench.env, &bench.sight, None).await?;
    Ok(Ok((Begun::from(&grant), Sends { storage_url: grant.url, databases, schedule: None })))
}
