//! Replaces the SAS that Azure keeps with a backup: in one step, because twice is no more than once.

use holdfast_model::{Cause, RefreshSas};

use super::{Bench, Performed};
use crate::act;
use crate::apply::{self, NotReady};
use crate::decide::{Action, decide};

pub(super) async fn perform(bench: &Bench<'_>, refresh: &RefreshSas, rng: &mut fastrand::Rng) -> Performed {
    let Bench { env, sight, .. } = bench;
    if decide(sight.run, false) != Action::Prepare {
        return None;
    }
    let RefreshSas { backup, reason, old } = refresh.clone();
    // Azure counts from 1 again for an app that was made anew: the number may be somebody else's backup by now.
    let next = match act::find(env, sight.run, backup).await {
        Ok(Some(listed)) if !apply::is_another_than(sight, &listed) => {
            match act::renew(env, sight, backup, (reason, old)).await {
                Ok(renewed) => apply::renewed(&bench.after(), renewed, rng),
                Err(why) => apply::not_ready(&bench.after(), &why, rng),
            }
        }
        Ok(_) => {
            let detail = format!("azure's list no longer has backup {backup}");
            apply::refused(&bench.after(), Cause::BackupNotFound, detail, rng)
        }
        Err(error) => apply::not_ready(&bench.after(), &NotReady::Arm(error), rng),
    };
    Some((next, None))
}
