//! Status: how an app stands, given its rows.

use std::time::Duration;

use holdfast_model::Timestamp;

use crate::columns::later;
use crate::rules::enrolment::AppRow;
use crate::status::{Acknowledgement, AppStatus, CheckStatus, LastRun, Missed, Pause, Running};

/// The rows of one app.
#[derive(Debug)]
pub(crate) struct AppFacts {
    pub app: AppRow,
    pub next_tick: Option<Timestamp>,
    pub running: Option<Running>,
    pub last: Option<LastRun>,
    pub missed: Option<Missed>,
    pub last_good_at: Option<Timestamp>,
    pub sas_expiry: Option<Timestamp>,
    pub proven_at: Option<Timestamp>,
    pub check: CheckStatus,
    /// Its last pause by a person, which may have ended.
    pub pause: Option<Pause>,
    pub acknowledged: Option<Acknowledgement>,
}

/// The status of an app at `now`.
pub(crate) fn status(facts: AppFacts, now: Timestamp) -> AppStatus {
    let AppFacts { app: AppRow { enrolled, enrolled_at, departed }, last_good_at, .. } = facts;
    let removed = departed.is_some();
    let objective = enrolled.recovery_point_objective;
    AppStatus {
        app: enrolled.app.id,
        policy: enrolled.app.policy,
        plan: enrolled.app.plan,
        tags: enrolled.app.tags,
        paused: enrolled.app.paused,
        removed,
        recovery_point_objective: objective,
        departed,
        seen_at: enrolled.observation.observed_at,
        missing_since: enrolled.observation.missing_since.filter(|_| !removed),
        next_tick: facts.next_tick,
        running: facts.running,
        last: facts.last,
        missed: facts.missed,
        last_good_at,
        sas_expiry: facts.sas_expiry,
        proven_at: facts.proven_at,
        check: facts.check,
        pause: facts.pause.filter(|pause| pause.until > now),
        acknowledged: facts.acknowledged,
        past_objective: !removed && past_objective(now, objective, last_good_at.unwrap_or(enrolled_at)),
    }
}

/// Whether more than the objective has passed since the last good backup, or since the enrolment without one.
fn past_objective(now: Timestamp, objective: Option<Duration>, since: Timestamp) -> bool {
    objective.is_some_and(|objective| later(since, objective) < now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_past_its_objective_one_span_after_its_last_good_backup() {
        let at = |s| Timestamp::from_timestamp(s, 0).unwrap();
        let objective = Some(Duration::from_secs(10));
        assert!(!past_objective(at(110), objective, at(100)));
        assert!(past_objective(at(111), objective, at(100)));
        assert!(!past_objective(at(111), objective, at(101)));
        assert!(!past_objective(at(111), None, at(0)));
    }
}
