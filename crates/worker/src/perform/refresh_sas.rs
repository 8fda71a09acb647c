//! Replaces the SAS that Azure keeps with a backup: in one step, because twice is no more than once.

use holdfast_model::RefreshSas;

use super::{Bench, Performed};
use crate::act;
use crate::apply;
use crate::decide::{Action, decide};

pub(super) async fn perform(bench: &Bench<'_>, refresh: &RefreshSas, rng: &mut fastrand::Rng) -> Performed {
    let Bench { seams, sight, .. } = bench;
    if decide(sight.run, false) != Action::Prepare {
        return None;
    }
    let RefreshSas { backup, reason, old } = refresh.clone();
    let next = match act::renew(seams, sight, backup, (reason, old)).await {
        Ok(renewed) => apply::renewed(&bench.after(), renewed, rng),
        Err(why) => apply::not_ready(&bench.after(), &why, rng),
    };
    Some((next, None))
}
