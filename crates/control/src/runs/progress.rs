//! The progress of runs that a person waits for.

use std::collections::BTreeMap;

use holdfast_model::{Cause, Run, RunEvent, RunId, RunState, StateCode, Timestamp};
use holdfast_store::Store;

use crate::Error;
use crate::times::{age, until};

/// What was reported of runs so far.
#[derive(Debug, Default)]
pub struct Progress {
    reported: BTreeMap<RunId, Reported>,
    has_advised: bool,
}

/// What was reported of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reported {
    version: i64,
    state: StateCode,
    /// Number of its events that were looked through.
    events: usize,
}

impl Progress {
    /// What is new since the last call, one line each.
    ///
    /// Restores and drills, during which an app is stopped, report each state; all runs report what delays them.
    pub async fn news(&mut self, runs: &[Run], store: &dyn Store) -> Result<Vec<String>, Error> {
        let mut news = Vec::new();
        for run in runs {
            let reported = self.reported.get(&run.id).copied();
            if reported.is_some_and(|reported| reported.version == run.version) {
                continue;
            }
            let events = if may_be_delayed(run) { store.events(run.id).await? } else { Vec::new() };
            let seen = reported.map_or(0, |reported| reported.events);
            let why = events.iter().skip(seen).filter_map(|event| delay(&event.event)).next_back();
            let state = run.state.code();
            let is_new = reported.is_none_or(|reported| reported.state != state);
            if why.is_some() || (is_new && run.task.restore().is_some()) {
                news.push(line(run, why.as_deref(), store.now().await?));
            }
            news.extend(self.advice(run).map(str::to_owned));
            let events = seen.max(events.len());
            self.reported.insert(run.id, Reported { version: run.version, state, events });
        }
        Ok(news)
    }

    /// What to do about a cause that may last until a person removes it; given once.
    fn advice(&mut self, run: &Run) -> Option<&'static str> {
        use Cause::{
            AppForbidden, CredentialRefused, DatabaseSecret, SasUnusable, StorageRefused, Unreachable,
        };
        let RunState::Waiting { cause, .. } = &run.state else { return None };
        let may_last = matches!(
            cause,
            Unreachable | CredentialRefused | SasUnusable | StorageRefused | AppForbidden | DatabaseSecret
        );
        let is_first = may_last && !std::mem::replace(&mut self.has_advised, true);
        is_first.then_some("help: `holdfast doctor` checks what this depends on, and says what to fix")
    }
}

/// Whether its events may say what delays the run.
fn may_be_delayed(run: &Run) -> bool {
    matches!(run.state, RunState::Waiting { .. } | RunState::Verifying { .. })
}

/// Why an event delays the run.
fn delay(event: &RunEvent) -> Option<String> {
    match event {
        RunEvent::Deferred { cause, detail, .. }
        | RunEvent::StartRefused { cause, detail, .. }
        | RunEvent::AttemptEnded { cause, detail, .. } => Some(format!("{cause}: {detail}")),
        RunEvent::CheckFailed { detail } => Some(detail.clone()),
        _ => None,
    }
}

fn line(run: &Run, why: Option<&str>, now: Timestamp) -> String {
    let activity = match &run.state {
        RunState::Planned => "waits for its turn".to_owned(),
        RunState::Starting { .. } => "sends the request to Azure".to_owned(),
        RunState::Reconciling { .. } => "looks for the result of a request that got no answer".to_owned(),
        RunState::Polling { status, .. } => format!("Azure says {status}"),
        RunState::PollingOperation { operation, .. } => {
            format!("Azure is at work, operation {}", operation.rsplit('/').next().unwrap_or_default())
        }
        RunState::Verifying { .. } => {
            let check = if run.task.restore().is_some() { "probes the app" } else { "checks the backup" };
            why.map_or_else(|| check.to_owned(), |why| format!("{why}; {}", next_try(run, now)))
        }
        RunState::Comparing { missing, .. } => {
            format!("looks for {} missing backups again {}", missing.len(), until(run.due_at, now))
        }
        RunState::Waiting { cause, .. } => {
            let why = why.map_or_else(|| cause.to_string(), str::to_owned);
            format!("{}: {why}", next_try(run, now))
        }
        RunState::Ended { outcome, .. } => outcome.as_str().to_owned(),
    };
    let (kind, name) = (run.task.kind(), run.app.short_name());
    let of = if run.task.restore().is_some() { "into" } else { "of" };
    format!("{kind} {of} {name}, requested {}: {activity}", age(run.created_at, now))
}

fn next_try(run: &Run, now: Timestamp) -> String {
    format!("tries again {}", until(run.due_at, now))
}

#[cfg(test)]
mod tests {
    use holdfast_model::{
        App, AppId, BackupId, NewRun, NewTask, Outcome, PolicySnapshot, Restore, StorageName, Task, Trigger,
    };

    use super::*;

    #[test]
    fn each_state_has_a_line_that_says_what_the_run_does() {
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let id = AppId::new("s", "g", "shop", None);
        let app = App { id: id.clone(), policy: None, plan: None, databases: Vec::new(), paused: false };
        let restore = Restore {
            source: id,
            backup: Some(BackupId(1)),
            blob: "b.zip".into(),
            new_in_plan: None,
            databases: Vec::new(),
            ignore_databases: false,
            ignore_conflicting_host_names: false,
        };
        let run_id = RunId::new(at(0), &mut fastrand::Rng::with_seed(1));
        let asked = NewTask { task: Task::Restore(restore), trigger: Trigger::Manual, actor: None };
        let mut run =
            NewRun::task(run_id, &app, &PolicySnapshot::new(StorageName::new("w"), "a"), asked, at(0)).run;
        assert_eq!(line(&run, None, at(30)), "restore into shop, requested 30 s ago: waits for its turn");
        run.state = RunState::Waiting { cause: Cause::Unreachable, next_attempt: 1, refused_sas: None };
        run.due_at = at(90);
        assert_eq!(
            line(&run, Some("unreachable: no token"), at(30)),
            "restore into shop, requested 30 s ago: tries again in 60 s: unreachable: no token"
        );
        run.state =
            RunState::Ended { outcome: Outcome::Succeeded, cause: None, backup: None, verification: None };
        assert_eq!(line(&run, None, at(300)), "restore into shop, requested 5 min ago: succeeded");
    }
}
