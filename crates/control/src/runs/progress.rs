//! The progress of runs that a person waits for.

use std::collections::BTreeMap;

use holdfast_model::{Cause, Outcome, Run, RunEvent, RunId, RunKind, RunState, StateCode, Timestamp};
use holdfast_store::Store;

use crate::Error;
use crate::times::{age, until};

/// What was reported of runs so far.
#[derive(Debug, Default)]
pub struct Progress {
    reported: BTreeMap<RunId, Reported>,
    ended: usize,
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
    /// Restores and drills, during which an app is stopped, report each state; all runs report what delays them and why
    /// they did not succeed. Of several runs, each end is reported with how many have ended.
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
            let has_ended = is_new && run.state.is_ended();
            self.ended += usize::from(has_ended);
            let is_counted = has_ended && runs.len() > 1;
            if why.is_some() || is_counted || (is_new && run.task.restore().is_some()) {
                let line = line(run, why.as_deref(), store.now().await?);
                let of = format!("{} of {} ended: ", self.ended, runs.len());
                news.push(if is_counted { of + &line } else { line });
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

/// Whether its events may say what delays the run, or why it did not succeed.
fn may_be_delayed(run: &Run) -> bool {
    match run.state {
        RunState::Waiting { .. } | RunState::Verifying { .. } => true,
        RunState::Ended { outcome, .. } => outcome != Outcome::Succeeded,
        _ => false,
    }
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
            let check = match run.task.kind() {
                RunKind::Restore | RunKind::Drill => "probes the app",
                RunKind::PushSchedule => "reads the schedule back",
                _ => "checks the backup",
            };
            why.map_or_else(|| check.to_owned(), |why| format!("{why}; {}", next_try(run, now)))
        }
        RunState::Comparing { missing, .. } => {
            format!("looks for {} missing backups again {}", missing.len(), until(run.due_at, now))
        }
        RunState::Waiting { cause, .. } => {
            let why = why.map_or_else(|| cause.to_string(), str::to_owned);
            format!("{}: {why}", next_try(run, now))
        }
        RunState::Ended { outcome, cause, .. } => {
            let cause = cause.map(|cause| cause.to_string());
            match why.map(str::to_owned).or(cause).filter(|_| *outcome != Outcome::Succeeded) {
                Some(why) => format!("{}: {why}", outcome.as_str()),
                None => outcome.as_str().to_owned(),
            }
        }
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
        App, AppId, BackupId, Clock, ManualClock, NewRun, NewTask, PolicySnapshot, Restore, StorageName,
        Task, Trigger,
    };

    use super::*;

    #[test]
    fn each_state_has_a_line_that_says_what_the_run_does() {
        let at = |seconds| Timestamp::from_timestamp(seconds, 0).unwrap();
        let id = AppId::new("s", "g", "shop", None);
        let app = App::new(id.clone());
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

    #[tokio::test]
    async fn of_several_runs_each_end_is_counted_and_says_why_it_failed() {
        use std::sync::Arc;

        use holdfast_store::{Change, MemoryStore};

        let at = Timestamp::from_timestamp(0, 0).unwrap();
        let store = MemoryStore::new(Arc::new(ManualClock::new(at)) as Arc<dyn Clock>);
        let mut rng = fastrand::Rng::with_seed(1);
        for name in ["shop", "api"] {
            let app = App::new(AppId::new("s", "g", name, None));
            let snapshot = PolicySnapshot::new(StorageName::new("w"), "a");
            let asked = NewTask { task: Task::default(), trigger: Trigger::Manual, actor: None };
            store.add_run(&NewRun::task(RunId::new(at, &mut rng), &app, &snapshot, asked, at)).await.unwrap();
        }
        let runs = async || store.runs(&holdfast_store::RunFilter::default()).await.unwrap();
        let mut progress = Progress::default();
        assert!(progress.news(&runs().await, &store).await.unwrap().is_empty());
        for run in runs().await {
            let refused = RunEvent::StartRefused {
                cause: Cause::AppNotFound,
                detail: "no such app".into(),
                retry_at: None,
            };
            let outcome = Outcome::Failed;
            let ended = RunEvent::Ended {
                outcome,
                cause: Some(Cause::AppNotFound),
                backup: None,
                verification: None,
            };
            let events = vec![refused, ended];
            let after = events.iter().fold(run.clone(), |run, event| run.after(event, at).unwrap());
            store.commit(&Change { from: run.version, run: after, events, at }).await.unwrap();
        }
        let mut news = progress.news(&runs().await, &store).await.unwrap();
        news.sort();
        assert!(news[0].starts_with("1 of 2 ended: backup of "), "{news:?}");
        assert!(news[1].starts_with("2 of 2 ended: backup of "), "{news:?}");
        assert!(news.iter().all(|line| line.ends_with(": failed: app_not_found: no such app")), "{news:?}");
        assert!(progress.news(&runs().await, &store).await.unwrap().is_empty(), "each once");
    }
}
