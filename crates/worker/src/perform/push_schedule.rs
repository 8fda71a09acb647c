//! Sets Azure's own schedule of an app, or takes it away.

use holdfast_model::{DatabaseRef, NativeSchedule, RunState};

use super::{Bench, Performed, begin};
use crate::act;
use crate::apply::{self, Begun, NotReady};
use crate::decide::{Action, decide};
use crate::permit::{Permit, Sends};

pub(super) async fn perform(
    bench: &Bench<'_>,
    (wanted, databases): (Option<&NativeSchedule>, &[DatabaseRef]),
    permit: Option<Permit>,
    rng: &mut fastrand::Rng,
) -> Performed {
    let Bench { seams, settings, sight, .. } = bench;
    let run = sight.run;
    let next = match (decide(run, permit.is_some()), &run.state) {
        (Action::Prepare, _) => match prepare(bench, wanted, databases).await {
            Ok(Some((begun, sends))) => return Some(begin(bench, begun, sends)),
            Ok(None) => apply::schedule_in_place(&bench.after()),
            Err(why) => apply::not_ready(&bench.after(), &why, rng),
        },
        (Action::Request, RunState::Starting { attempt }) => {
            let sends = permit?.used(&*seams.clock)?;
            let answer = act::set(seams, settings, (run, wanted), sends).await;
            apply::schedule_answered(&bench.after(), attempt, answer, rng)
        }
        (Action::Look, RunState::Starting { attempt } | RunState::Settling { attempt, .. }) => {
            let found = act::is_as_wanted(seams, run, wanted).await;
            apply::schedule_looked(&bench.after(), attempt, found, rng)
        }
        _ => return None,
    };
    Some((next, None))
}

/// What the request sends; `None` when all is as wanted already, because a PUT that enables a schedule fires a backup.
async fn prepare(
    bench: &Bench<'_>,
    wanted: Option<&NativeSchedule>,
    databases: &[DatabaseRef],
) -> Result<Option<(Begun, Sends)>, NotReady> {
    if act::is_as_wanted(bench.seams, bench.sight.run, wanted).await? {
        return Ok(None);
    }
    if wanted.is_none() {
        return Ok(Some((Begun::default(), Sends::default())));
    }
    let databases = act::databases(bench.seams, databases).await?;
    let grant = act::grant(bench.seams, &bench.sight, None).await?;
    Ok(Some((Begun::from(&grant), Sends { storage_url: grant.url, databases })))
}
