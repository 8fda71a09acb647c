//! `holdfast runs show`: a run and everything that happened to it.

use holdfast_model::{
    BackupFacts, OperatorAction, RunEvent, RunId, SasFacts, Task, Trigger, format_timestamp,
};
use holdfast_store::{AuditEvent, Mode};
use serde::Serialize;

use super::{RunView, state_cell};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Table, bytes};
use holdfast_control::{Error, ErrorKind};

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    run: RunView,
    events: Vec<AuditEvent>,
}

/// Runs the command.
pub async fn run(id: RunId, context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let loaded = store.load(id).await?;
    let events = store.events(id).await?;
    store.close().await;
    let Some(loaded) = loaded else {
        let failure = Error::new(ErrorKind::Invalid, format!("there is no run {id} in {}", context.place()));
        return Err(failure.help("`holdfast history APP` lists an app's runs").into());
    };
    let document = Document { run: RunView::from(&loaded.run), events };
    if context.out.is_json() {
        context.out.json(&document)?;
    } else {
        context.out.table(facts(&document.run, asked_by(&document.events)))?;
        context.out.text("")?;
        context.out.table(happenings(&document.events))?;
    }
    Ok(Exit::Done)
}

/// Who asked, where a person did.
fn asked_by(events: &[AuditEvent]) -> Option<&str> {
    events.iter().find_map(|event| match &event.event {
        RunEvent::Planned { actor, .. } => actor.as_deref(),
        RunEvent::ActionRecorded { actor, .. } => Some(actor.as_str()),
        _ => None,
    })
}

fn facts(run: &RunView, by: Option<&str>) -> Table {
    let mut table = Table::new(["RUN", ""]);
    let mut fact = |name: &str, value: String| table.row([name.into(), value.into()]);
    fact("id", run.id.to_string());
    fact("what", run.what.clone());
    fact("app", run.app.to_string());
    fact("policy", run.policy.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string));
    if let Some(by) = by {
        fact("asked by", by.to_owned());
    }
    if let Some(tick) = run.tick {
        fact("tick", format_timestamp(tick));
    }
    if let Some(backup) = &run.backup {
        fact("backup", describe(backup));
    }
    table.row(["state".into(), state_cell(run)]);
    table
}

fn happenings(events: &[AuditEvent]) -> Table {
    let mut table = Table::new(["AT", "EVENT", "DETAIL"]);
    for event in events {
        let at = format_timestamp(event.at);
        table.row([at.into(), event.event.name().into(), detail(&event.event).into()]);
    }
    table
}

/// What an event says beyond its name.
fn detail(event: &RunEvent) -> String {
    let retry =
        |at: &Option<_>| at.map_or_else(String::new, |at| format!("; again at {}", format_timestamp(at)));
    match event {
        RunEvent::Planned { tick: Some(tick), .. } => format!("for the tick {}", format_timestamp(*tick)),
        RunEvent::Planned { tick: None, trigger, task, actor } => planned(*trigger, task, actor.as_deref()),
        RunEvent::ActionRecorded { action, actor } => recorded(action, actor),
        RunEvent::Missed { tick, reason } => {
            format!("the tick {}: {}", format_timestamp(*tick), reason.as_str())
        }
        RunEvent::AttemptStarted { attempt, sas } => {
            format!("attempt {} as {}, SAS {}", attempt.number, attempt.name, fingerprint(sas.as_ref()))
        }
        RunEvent::StartRefused { cause, detail, retry_at } => format!("{cause}: {detail}{}", retry(retry_at)),
        RunEvent::Deferred { cause, detail, until } => {
            format!("{cause}: {detail}; until {}", format_timestamp(*until))
        }
        RunEvent::Accepted { backup, request_id, .. } => {
            let request = request_id.as_ref().map_or_else(String::new, |id| format!(", request {id}"));
            format!("backup {backup}{request}")
        }
        RunEvent::AnswerLost { detail } | RunEvent::CheckFailed { detail } => detail.clone(),
        RunEvent::Absent { .. } => "it is not there".to_owned(),
        RunEvent::Adopted { attempt, backup, .. } => format!("backup {backup} of attempt {}", attempt.number),
        RunEvent::OrphanFound { backup, name, number } => {
            format!("backup {backup} of attempt {number}, {name}")
        }
        RunEvent::StatusSeen { status } => status.to_string(),
        RunEvent::Completed { backup, detail } => completed(backup.as_ref(), detail.as_deref()),
        RunEvent::OperationAccepted { operation, .. } => {
            operation.rsplit('/').next().unwrap_or_default().to_owned()
        }
        RunEvent::AttemptEnded { number, cause, detail, retry_at, .. } => {
            format!("attempt {number}: {cause}: {detail}{}", retry(retry_at))
        }
        RunEvent::SasRefreshed { refresh } => {
            let old = refresh.old.as_ref().map_or("none", |facts| facts.fingerprint.as_str());
            format!("{}: {old} -> {}", refresh.reason.as_str(), refresh.new.fingerprint)
        }
        RunEvent::Ended { outcome, cause, .. } => match cause {
            Some(cause) => format!("{}: {cause}", outcome.as_str()),
            None => outcome.as_str().to_owned(),
        },
    }
}

fn recorded(action: &OperatorAction, actor: &str) -> String {
    let about = action.backup().map(|id| format!("backup {id} ")).unwrap_or_default();
    let more = match action {
        OperatorAction::Held { reason, .. } | OperatorAction::Released { reason, .. } => {
            format!(": {reason}")
        }
        OperatorAction::Lost { detail, .. } => format!(": {detail}"),
        OperatorAction::Drift { drift, .. } if drift.is_empty() => ": none".to_owned(),
        OperatorAction::Drift { drift, .. } => format!(": {}", drift.join("; ")),
        OperatorAction::TakenOver { storage, .. } => format!(" in storage `{storage}`"),
        OperatorAction::Verified { .. } | OperatorAction::Revealed { .. } => String::new(),
    };
    format!("{about}{} by {actor}{more}", action.as_str())
}

fn planned(trigger: Trigger, task: &Task, by: Option<&str>) -> String {
    let who = match (trigger, by) {
        (Trigger::Policy, _) => "the policy".to_owned(),
        (_, Some(by)) => by.to_owned(),
        (_, None) => "hand".to_owned(),
    };
    let from =
        task.restore().map(|restore| format!(" from {} of {}", restore.blob, restore.source.short_name()));
    let with = databases(task).map(|names| format!(" with the databases {names}"));
    format!("{}{}{} by {who}", task.kind(), from.unwrap_or_default(), with.unwrap_or_default())
}

/// The databases that are taken along or brought back.
fn databases(task: &Task) -> Option<String> {
    let databases = match task {
        Task::Backup { databases } | Task::PushSchedule { databases, .. } => databases,
        _ => &task.restore()?.databases,
    };
    let names: Vec<&str> = databases.iter().map(|database| database.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn fingerprint(sas: Option<&SasFacts>) -> &str {
    sas.map_or("none", |sas| sas.fingerprint.as_str())
}

fn completed(backup: Option<&BackupFacts>, detail: Option<&str>) -> String {
    let done = backup.map_or_else(|| "azure has done it".to_owned(), describe);
    detail.map_or(done.clone(), |detail| format!("{done}; azure says: {detail}"))
}

fn describe(backup: &BackupFacts) -> String {
    format!("{} in {}, {}", backup.id, backup.blob, bytes(backup.size_bytes))
}
