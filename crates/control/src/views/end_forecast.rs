//! When a backup under way will probably end.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{DurationForecast, Run, RunId, RunKind, RunState, Timestamp};
use holdfast_store::Store;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;
use crate::times::until;

/// When a backup under way will probably end, from how long the app's last good backups took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct EndForecast {
    /// When it would end if it took as long as they usually did.
    pub likely_at: Timestamp,
    /// Whether it takes longer than they let expect.
    pub is_late: bool,
}

impl EndForecast {
    /// The forecast that polls follow; `None` without a past, or while Azure does not work on a backup.
    pub fn of(run: &Run, past: &[Duration], now: Timestamp) -> Option<Self> {
        let RunState::Polling { accepted_at, .. } = &run.state else { return None };
        if run.task.kind() != RunKind::Backup {
            return None;
        }
        let forecast = DurationForecast::of(past)?;
        let waited = (now - accepted_at).to_std().unwrap_or_default();
        let likely_at = chrono::TimeDelta::from_std(forecast.usual()).ok();
        let likely_at = likely_at.and_then(|usual| accepted_at.checked_add_signed(usual))?;
        Some(Self { likely_at, is_late: forecast.next_look(waited).is_none() })
    }

    /// The forecast in words, such as `probably ends in 4 min`.
    pub fn words(&self, now: Timestamp) -> String {
        match self.is_late {
            true => "takes longer than usual".to_owned(),
            false if self.likely_at <= now => "probably ends soon".to_owned(),
            false => format!("probably ends {}", until(self.likely_at, now)),
        }
    }
}

/// The forecasts of those of these runs that have one. Asks the store with one statement, or none.
pub async fn end_forecasts(store: &dyn Store, ids: &[RunId]) -> Result<BTreeMap<RunId, EndForecast>, Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let loaded = store.load_all(ids).await?;
    let forecast = |loaded: &holdfast_store::Loaded| {
        Some((loaded.run.id, EndForecast::of(&loaded.run, &loaded.durations, loaded.now)?))
    };
    Ok(loaded.iter().flatten().filter_map(forecast).collect())
}

#[cfg(test)]
mod tests {
    use holdfast_model::{
        Absences, App, AppId, Attempt, BackupId, BackupName, BackupStatus, NewRun, NewTask, PolicySnapshot,
        StorageName, Task, Trigger,
    };

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).unwrap()
    }

    /// A backup that Azure accepted at second 100.
    fn polling() -> Run {
        let app = App::new(AppId::new("s", "g", "shop", None));
        let asked = NewTask { task: Task::default(), trigger: Trigger::Manual, actor: None };
        let id = RunId::new(at(0), &mut fastrand::Rng::with_seed(1));
        let snapshot = PolicySnapshot::new(StorageName::new("w"), "a");
        let run = NewRun::task(id, &app, &snapshot, asked, at(0)).run;
        let attempt = Attempt {
            number: 1,
            name: BackupName::new("hf-shop"),
            begun_at: at(99),
            sas: String::new(),
            sas_expiry: None,
            restored_before: None,
        };
        let (backup, accepted_at, status) = (BackupId(1), at(100), BackupStatus::InProgress);
        let absences = Absences::default();
        Run { state: RunState::Polling { attempt, backup, accepted_at, status, absences }, ..run }
    }

    #[test]
    fn a_backup_ends_when_the_last_ones_did_and_is_late_after_most_of_them() {
        let past = [Duration::from_secs(200); 5];
        let of = |now| EndForecast::of(&polling(), &past, at(now)).unwrap();
        assert_eq!(of(100).likely_at, at(300));
        assert_eq!(of(101).words(at(101)), "probably ends in 3 min");
        assert_eq!(of(302).words(at(302)), "probably ends soon");
        assert_eq!((of(309).is_late, of(309).words(at(309)).as_str()), (true, "takes longer than usual"));
    }

    #[test]
    fn nothing_is_said_without_a_past_or_before_azure_works() {
        let past = [Duration::from_secs(200)];
        assert_eq!(EndForecast::of(&polling(), &[], at(100)), None);
        let planned = Run { state: RunState::Planned, ..polling() };
        assert_eq!(EndForecast::of(&planned, &past, at(100)), None);
    }
}
