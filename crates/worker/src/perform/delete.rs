//! Deletes a backup.

use holdfast_model::{Delete, RunState};

use super::{Bench, Performed, begin};
use crate::act;
use crate::apply::{self, Before, Begun, NotReady};
use crate::decide::{Action, decide};
use crate::permit::{Permit, Sends};

pub(super) async fn perform(
    bench: &Bench<'_>,
    delete: &Delete,
    permit: Option<Permit>,
    rng: &mut fastrand::Rng,
) -> Performed {
    let Bench { env, settings, sight, .. } = bench;
    let run = sight.run;
    let next = match (decide(run, permit.is_some()), &run.state) {
        (Action::Prepare, _) => match prepare(bench, delete, rng).await {
            Ok(Before::Go(sas)) => {
                let begun = Begun { sas: Some(sas), ..Begun::default() };
                return begin(bench, begun, Sends::default());
            }
            Ok(Before::Renew(reason, old)) => {
                match act::renew(env, sight, delete.backup, (reason, old)).await {
                    Ok(renewed) => apply::renewed(&bench.after(), renewed, rng),
                    Err(why) => apply::not_ready(&bench.after(), &why, rng),
                }
            }
            Ok(Before::Over(next)) => next,
            Err(why) => apply::not_ready(&bench.after(), &why, rng),
        },
        (Action::Request, RunState::Starting { attempt }) => {
            permit?.used(&*env.clock)?;
            let answer = act::delete(env, settings, run, delete).await;
            apply::delete_answered(&bench.after(), (attempt, delete), answer, rng)
        }
        (
            Action::Look | Action::Ask,
            RunState::Starting { attempt }
            | RunState::Reconciling { attempt, .. }
            | RunState::Polling { attempt, .. },
        ) => {
            let listed = act::find(env, run, delete.backup).await;
            apply::delete_seen(&bench.after(), (attempt, delete), listed, rng)
        }
        _ => return None,
    };
    Some((next, None))
}

/// What comes before the DELETE, by the catalog and by what the runs and Azure tell now.
async fn prepare(bench: &Bench<'_>, delete: &Delete, rng: &mut fastrand::Rng) -> Result<Before, NotReady> {
    let before = apply::before_delete(&bench.sight, delete, rng);
    if matches!(before, Before::Over(_)) {
        return Ok(before);
    }
    let stays = act::stays(bench.env, bench.sight.run, delete).await?;
    Ok(stays.map_or(before, |why| Before::Over(apply::stays(&bench.after(), delete, why, rng))))
}
