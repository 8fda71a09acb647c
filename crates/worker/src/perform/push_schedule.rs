//! Sets Azure's own schedule of an app, gives it another SAS, or takes it away.

use holdfast_model::{Attempt, DatabaseRef, RefreshReason, RunState, SasRefresh};

use super::{Bench, Performed, begin};
use crate::act;
use crate::apply::{self, Begun, Change, NotReady, Wanted};
use crate::decide::{Action, decide};
use crate::permit::{Permit, Sends};

pub(super) async fn perform(
    bench: &Bench<'_>,
    (wanted, databases): (Wanted<'_>, &[DatabaseRef]),
    permit: Option<Permit>,
    rng: &mut fastrand::Rng,
) -> Performed {
    let Bench { env, settings, sight, .. } = bench;
    let run = sight.run;
    let next = match (decide(run, permit.is_some()), &run.state) {
        (Action::Prepare, _) => match prepare(bench, wanted, databases).await {
            Ok(Some((begun, sends))) => return begin(bench, begun, sends),
            Ok(None) => apply::schedule_in_place(&bench.after()),
            Err(why) => apply::not_ready(&bench.after(), &why, rng),
        },
        (Action::Request, RunState::Starting { attempt }) => {
            let sends = permit?.used(&*env.clock)?;
            let answer = act::set(env, settings, run, sends).await;
            apply::schedule_answered(&bench.after(), attempt, (answer, replaced(bench, wanted, attempt)), rng)
        }
        (Action::Look, RunState::Starting { attempt } | RunState::Reconciling { attempt, .. }) => {
            let found = act::standing(env, run).await;
            let is_met = found.map(|found| wanted.is_met(found.as_ref(), attempt));
            apply::schedule_looked(&bench.after(), attempt, (is_met, replaced(bench, wanted, attempt)), rng)
        }
        _ => return None,
    };
    Some((next, None))
}

/// What the request sends; `None` when all is as wanted already, because a PUT that enables a schedule fires a backup.
async fn prepare(
    bench: &Bench<'_>,
    wanted: Wanted<'_>,
    databases: &[DatabaseRef],
) -> Result<Option<(Begun, Sends)>, NotReady> {
    let Bench { env, sight, .. } = bench;
    let found = act::standing(env, sight.run).await?;
    Ok(match wanted.change(found.as_ref(), sight.now) {
        None => None,
        Some(Change::Remove) => Some((Begun::default(), Sends::default())),
        Some(Change::Set(schedule)) => {
            let databases = act::databases(env, databases).await?;
            // A new one, which lasts the longest: Azure keeps it until it is given another.
            let grant = act::grant(env, sight, Some(RefreshReason::NativeSchedule)).await?;
            let begun = Begun::from(&grant);
            Some((begun, Sends { storage_url: grant.url, databases, schedule: Some(schedule) }))
        }
    })
}

fn replaced(bench: &Bench<'_>, wanted: Wanted<'_>, attempt: &Attempt) -> Option<SasRefresh> {
    act::replaced(bench.env, bench.sight.run, attempt, wanted.renews?).ok()
}
