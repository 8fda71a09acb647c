//! The progress of runs that a person waits for.

use std::collections::BTreeMap;

use holdfast_model::{Cause, Outcome, Run, RunEvent, RunId, RunKind, StateCode, Timestamp};
use holdfast_store::{AuditEvent, Store};

use super::view::RunView;
use crate::Error;
use crate::times::{age, until};

/// What was reported of runs so far.
#[derive(Debug, Default)]
pub struct Progress {
    /// The versions of the rows that were looked at.
    versions: BTreeMap<RunId, i64>,
    reported: BTreeMap<RunId, Reported>,
    ended: usize,
    has_advised: bool,
}

/// What was reported of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reported {
    state: StateCode,
    /// Number of its events that were looked through.
    events: usize,
}

impl Progress {
    /// What is new in the store since the last call, one line each.
    pub async fn news(&mut self, runs: &[Run], store: &dyn Store) -> Result<Vec<String>, Error> {
        let mut news = Vec::new();
        for run in runs {
            if self.versions.insert(run.id, run.version) == Some(run.version) {
                continue;
            }
            let view = RunView::from(run);
            let events = if may_be_told(&view) { store.events(run.id).await? } else { Vec::new() };
            news.extend(self.of_run((&view, &events), runs.len(), store.now().await?));
        }
        Ok(news)
    }

    /// What is new of one run of `count`, given with its events.
    ///
    /// Restores and drills, during which an app is stopped, report each state; all runs report what delays them and why
    /// they did not succeed. Of several runs, each end is reported with how many have ended.
    pub fn of_run(
        &mut self,
        (run, events): (&RunView, &[AuditEvent]),
        count: usize,
        now: Timestamp,
    ) -> Vec<String> {
        let reported = self.reported.get(&run.id).copied();
        let seen = reported.map_or(0, |reported| reported.events);
        let of_why = if may_be_delayed(run) { events } else { &[] };
        let why = of_why.iter().skip(seen).filter_map(|event| delay(&event.event)).next_back();
        let is_new = reported.is_none_or(|reported| reported.state != run.state);
        let has_ended = is_new && run.state == StateCode::Ended;
        self.ended += usize::from(has_ended);
        let is_counted = has_ended && count > 1;
        let mut news = Vec::new();
        if why.is_some() || is_counted || (is_new && run.task.restore().is_some()) {
            let line = line((run, events), why.as_deref(), now);
            let of = format!("{} of {count} ended: ", self.ended);
            news.push(if is_counted { of + &line } else { line });
        }
        news.extend(self.advice(run).map(str::to_owned));
        let events = seen.max(of_why.len());
        self.reported.insert(run.id, Reported { state: run.state, events });
        news
    }

    /// Whether something was asked of this run before.
    pub fn knows(&self, run: RunId) -> bool {
        self.reported.contains_key(&run)
    }

    /// How many of the runs have ended.
    pub fn ended(&self) -> usize {
        self.ended
    }

    /// What to do about a cause that may last until a person removes it; given once.
    fn advice(&mut self, run: &RunView) -> Option<&'static str> {
        use Cause::{
            AppForbidden, CredentialRefused, DatabaseSecret, SasUnusable, StorageRefused, Unreachable,
        };
        let cause = run.cause.filter(|_| run.state == StateCode::Waiting)?;
        let may_last = matches!(
            cause,
            Unreachable | CredentialRefused | SasUnusable | StorageRefused | AppForbidden | DatabaseSecret
        );
        let is_first = may_last && !std::mem::replace(&mut self.has_advised, true);
        is_first.then_some("help: `holdfast doctor` checks what this depends on, and says what to fix")
    }
}

/// Whether its events have what is told of it.
fn may_be_told(run: &RunView) -> bool {
    may_be_delayed(run) || matches!(run.state, StateCode::PollingOperation | StateCode::Comparing)
}

/// Whether its events may say what delays the run, or why it did not succeed.
fn may_be_delayed(run: &RunView) -> bool {
    match run.state {
        StateCode::Waiting | StateCode::Verifying => true,
        StateCode::Ended => run.outcome != Some(Outcome::Succeeded),
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

fn line((run, events): (&RunView, &[AuditEvent]), why: Option<&str>, now: Timestamp) -> String {
    let activity = match run.state {
        StateCode::Planned => "waits for its turn".to_owned(),
        StateCode::Starting => "sends the request to Azure".to_owned(),
        StateCode::Reconciling => "looks for the result of a request that got no answer".to_owned(),
        StateCode::Polling => match &run.azure_status {
            Some(status) => format!("Azure says {status}"),
            None => "Azure is at work".to_owned(),
        },
        StateCode::PollingOperation => match events.iter().rev().find_map(|event| operation(&event.event)) {
            Some(operation) => format!("Azure is at work, operation {operation}"),
            None => "Azure is at work".to_owned(),
        },
        StateCode::Verifying => {
            let check = match run.kind {
                RunKind::Restore | RunKind::Drill => "probes the app",
                RunKind::PushSchedule => "reads the schedule back",
                _ => "checks the backup",
            };
            why.map_or_else(|| check.to_owned(), |why| format!("{why}; {}", next_try(run, now)))
        }
        StateCode::Comparing => {
            let missing = events.iter().rev().find_map(|event| missing(&event.event)).unwrap_or_default();
            format!("looks for {missing} missing backups again {}", next(run, now))
        }
        StateCode::Waiting => {
            let cause = run.cause.map(|cause| cause.to_string()).unwrap_or_default();
            format!("{}: {}", next_try(run, now), why.map_or(cause, str::to_owned))
        }
        StateCode::Ended => {
            let outcome = run.outcome.map_or("ended", Outcome::as_str);
            let cause = run.cause.map(|cause| cause.to_string());
            match why.map(str::to_owned).or(cause).filter(|_| run.outcome != Some(Outcome::Succeeded)) {
                Some(why) => format!("{outcome}: {why}"),
                None => outcome.to_owned(),
            }
        }
    };
    let RunView { kind, name, created_at, .. } = run;
    let of = if run.task.restore().is_some() { "into" } else { "of" };
    format!("{kind} {of} {name}, requested {}: {activity}", age(*created_at, now))
}

/// The operation that Azure works on, without the path before it.
fn operation(event: &RunEvent) -> Option<&str> {
    match event {
        RunEvent::OperationAccepted { operation, .. } => operation.rsplit('/').next(),
        _ => None,
    }
}

fn missing(event: &RunEvent) -> Option<usize> {
    match event {
        RunEvent::BackupsMissing { backups, .. } => Some(backups.len()),
        _ => None,
    }
}

fn next_try(run: &RunView, now: Timestamp) -> String {
    format!("tries again {}", next(run, now))
}

fn next(run: &RunView, now: Timestamp) -> String {
    run.due_at.map_or_else(String::new, |at| until(at, now))
}

#[cfg(test)]
mod tests {
    use holdfast_model::{
        App, AppId, BackupId, Clock, ManualClock, NewRun, NewTask, PolicySnapshot, Restore, RunState,
        StorageName, Task, Trigger,
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
        let line = |run: &Run, why, now| line((&RunView::from(run), &[]), why, now);
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
        // A server answers each run with all of its events.
        let (mut by_server, mut told) = (Progress::default(), Vec::new());
        for _ in 0..2 {
            for run in runs().await {
                let events = store.events(run.id).await.unwrap();
                told.extend(by_server.of_run((&RunView::from(&run), &events), 2, at));
            }
        }
        told.sort();
        assert_eq!((told, by_server.ended()), (news, 2));
    }
}
