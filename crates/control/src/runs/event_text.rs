//! Events of a run as text.

use holdfast_model::{
    BackupFacts, OperatorAction, PolicyName, RunEvent, SasFacts, Tags, Task, Timestamp, Trigger,
    format_timestamp,
};
use holdfast_store::AuditEvent;

use crate::counted;
use crate::times::bytes;

/// The person who asked for the run or recorded it, if one did: a claim, with what stands beside it.
pub fn actor(events: &[AuditEvent]) -> Option<String> {
    events.iter().find_map(claim)
}

/// The person of an event, if it has one.
fn claim(event: &AuditEvent) -> Option<String> {
    let actor = match &event.event {
        RunEvent::Planned { actor, .. } => actor.as_ref()?,
        RunEvent::ActionRecorded { actor, .. } | RunEvent::CancelRequested { actor, .. } => actor,
        _ => return None,
    };
    Some(actor.describe(&event.database_role))
}

/// The particulars of an event, beyond its name.
pub fn detail(event: &AuditEvent) -> String {
    match &event.event {
        RunEvent::Planned { tick: None, trigger, task, .. } => {
            planned(*trigger, task, claim(event).as_deref())
        }
        RunEvent::ActionRecorded { action, .. } => recorded(action, &claim(event).unwrap_or_default()),
        RunEvent::CancelRequested { reason, .. } => {
            format!("cancelled by {}: {reason}", claim(event).unwrap_or_default())
        }
        other => of_kind(other),
    }
}

fn of_kind(event: &RunEvent) -> String {
    let retry = |at: &Option<Timestamp>| {
        at.map_or_else(String::new, |at| format!("; next try at {}", format_timestamp(at)))
    };
    match event {
        RunEvent::Planned { tick: Some(tick), .. } => format!("for the tick {}", format_timestamp(*tick)),
        RunEvent::Planned { tick: None, .. }
        | RunEvent::ActionRecorded { .. }
        | RunEvent::CancelRequested { .. } => String::new(),
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
        RunEvent::Absent { .. } => "not found".to_owned(),
        RunEvent::Adopted { attempt, backup, .. } => format!("backup {backup} of attempt {}", attempt.number),
        RunEvent::OrphanFound { backup, name, number } => {
            format!("backup {backup} of attempt {number}, {name}")
        }
        RunEvent::StatusSeen { status } => status.to_string(),
        RunEvent::BackupsMissing { .. }
        | RunEvent::BackupLost { .. }
        | RunEvent::BackupFoundAgain { .. }
        | RunEvent::BackupChanged { .. }
        | RunEvent::BackupVerified { .. }
        | RunEvent::LateBackupFound { .. }
        | RunEvent::ScheduleCompared { .. } => finding(event),
        RunEvent::Completed { backup, detail } => completed(backup.as_ref(), detail.as_deref()),
        RunEvent::PartiallyCompleted { backup, log } => completed(Some(backup), Some(log)),
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

/// The particulars of what a catalog check found.
fn finding(event: &RunEvent) -> String {
    match event {
        RunEvent::BackupsMissing { backups, .. } => {
            let ids: Vec<String> = backups.iter().map(|backup| backup.id.to_string()).collect();
            format!("not found: {}", ids.join(", "))
        }
        RunEvent::BackupLost { backup, blob, detail, deletion } => {
            let by =
                deletion.map(|run| format!("; run {run} had asked Azure to delete it")).unwrap_or_default();
            format!("backup {backup} in {blob}: {detail}{by}")
        }
        RunEvent::BackupChanged { backup, blob, updates, differences, .. } => {
            let all = [updates.as_slice(), differences].concat();
            let what = if all.is_empty() { "as recorded again".to_owned() } else { all.join("; ") };
            format!("backup {backup} in {blob}: {what}")
        }
        RunEvent::BackupFoundAgain { backup, blob } => format!("backup {backup} in {blob}"),
        RunEvent::BackupVerified { backup, blob, size_bytes } => {
            format!("backup {backup} in {blob}, {}", bytes(*size_bytes))
        }
        RunEvent::LateBackupFound { backup, run, good, .. } => {
            let worth = if *good { "complete" } else { "partial" };
            format!("backup {} of run {run}, {worth}", describe_backup(backup))
        }
        RunEvent::ScheduleCompared { drift, .. } if drift.is_empty() => "no drift".to_owned(),
        RunEvent::ScheduleCompared { drift, .. } => drift.join("; "),
        _ => String::new(),
    }
}

fn recorded(action: &OperatorAction, actor: &str) -> String {
    let about = action.backup().map(|id| format!("backup {id} ")).unwrap_or_default();
    let more = match action {
        OperatorAction::Held { reason, .. }
        | OperatorAction::Released { reason, .. }
        | OperatorAction::PauseEnded { reason } => format!(": {reason}"),
        OperatorAction::PausedUntil { until, reason } => format!(", {}: {reason}", format_timestamp(*until)),
        OperatorAction::Acknowledged { run, note } => format!(", run {run}: {note}"),
        OperatorAction::Lost { detail, .. } | OperatorAction::LeftFleet { detail, .. } => {
            format!(": {detail}")
        }
        OperatorAction::RowRemoved { table, key, reason } => format!(" {key} of {table}: {reason}"),
        OperatorAction::Enrolled { policy, paused, tags } => {
            let paused = if *paused { ", paused" } else { "" };
            let tags = if tags.is_empty() { String::new() } else { format!(", {}", tags_text(tags)) };
            format!(" under {}{paused}{tags}", policy_text(policy.as_ref()))
        }
        OperatorAction::TagsChanged { tags } => format!(" to {}", tags_text(tags)),
        OperatorAction::PolicyChanged { policy } => format!(" to {}", policy_text(policy.as_ref())),
        OperatorAction::FleetFileChanged { sha256 } => format!(": SHA-256 {sha256}"),
        OperatorAction::RevisionApplied { number, sha256, reason, rolled_back_to } => {
            let back = rolled_back_to.map(|old| format!(", as revision {old}")).unwrap_or_default();
            let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            format!(" {number}{back} (SHA-256 {sha256}){why}")
        }
        OperatorAction::BudgetsReopened { subscription } => format!(" of subscription {subscription}"),
        OperatorAction::Drift { drift, .. } if drift.is_empty() => ": none".to_owned(),
        OperatorAction::Drift { drift, .. } => format!(": {}", drift.join("; ")),
        OperatorAction::TakenOver { storage, .. } => format!(" in storage `{storage}`"),
        OperatorAction::TokenCreated { token, id, role, policies, expires_at } => {
            let names: Vec<String> = policies.iter().map(ToString::to_string).collect();
            let of = if names.is_empty() { String::new() } else { format!(" for {}", names.join(", ")) };
            format!(": {token} ({id}), {role}{of}, until {}", format_timestamp(*expires_at))
        }
        OperatorAction::TokenRevoked { token, id } => format!(": {token} ({id})"),
        OperatorAction::ApprovalAsked { what, reason, expires_at } => {
            let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            format!(": {what}, until {}{why}", format_timestamp(*expires_at))
        }
        OperatorAction::ApprovalConfirmed { approval, runs } => {
            format!(": request {approval}, {}", counted(runs.len(), "run"))
        }
        OperatorAction::ApprovalDeclined { approval, reason } => format!(": request {approval}: {reason}"),
        OperatorAction::ApprovalWithdrawn { approval } => format!(": request {approval}"),
        OperatorAction::AccessRefused { what, reason, count: 1 } => format!(": {what}: {reason}"),
        OperatorAction::AccessRefused { what, reason, count } => format!(": {what}: {reason}, {count} times"),
        OperatorAction::NotificationsSilenced { rule, policy, tags, until, reason } => {
            let of_rule = rule.as_ref().map(|rule| format!(" of rule {rule}")).unwrap_or_default();
            let of_policy = policy.as_ref().map(|policy| format!(" of policy {policy}")).unwrap_or_default();
            let of_tags: Vec<String> = tags.iter().map(|tag| format!(" of tag {tag}")).collect();
            let of_tags = of_tags.concat();
            format!("{of_rule}{of_policy}{of_tags}, until {}: {reason}", format_timestamp(*until))
        }
        OperatorAction::SilenceEnded { silence, reason } => format!(": silence {silence}: {reason}"),
        OperatorAction::NotificationGivenUp { notification, channel, error } => {
            format!(": {notification} to {channel}: {error}")
        }
        OperatorAction::DeadLettersRetried { letter } | OperatorAction::DeadLettersDropped { letter } => {
            format!(": {}", letter.as_deref().unwrap_or("all"))
        }
        OperatorAction::CheckpointRequested { after_restore: true } => ", after a restore".to_owned(),
        OperatorAction::CheckpointRequested { after_restore: false }
        | OperatorAction::LoggedIn
        | OperatorAction::Verified { .. }
        | OperatorAction::Revealed { .. }
        | OperatorAction::Paused
        | OperatorAction::Resumed => String::new(),
    };
    format!("{about}{} by {actor}{more}", action.as_str())
}

fn tags_text(tags: &Tags) -> String {
    if tags.is_empty() { "no tags".to_owned() } else { format!("the tags {tags}") }
}

fn policy_text(policy: Option<&PolicyName>) -> String {
    policy.map_or_else(|| "no policy".to_owned(), |policy| format!("policy `{policy}`"))
}

fn planned(trigger: Trigger, task: &Task, actor: Option<&str>) -> String {
    let who = match (trigger, actor) {
        (Trigger::Policy, _) => "the policy".to_owned(),
        (_, Some(actor)) => actor.to_owned(),
        (_, None) => "hand".to_owned(),
    };
    let from =
        task.restore().map(|restore| format!(" from {} of {}", restore.blob, restore.source.short_name()));
    let with = databases(task).map(|names| format!(" with the databases {names}"));
    format!("{}{}{} by {who}", task.kind(), from.unwrap_or_default(), with.unwrap_or_default())
}

/// The names of the databases that the task backs up or restores.
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
    let done = backup.map_or_else(|| "Azure is done".to_owned(), describe_backup);
    detail.map_or(done.clone(), |detail| format!("{done}; Azure says: {detail}"))
}

/// A short text for a backup: its number, blob and size.
pub fn describe_backup(backup: &BackupFacts) -> String {
    format!("{} in {}, {}", backup.id, backup.blob, bytes(backup.size_bytes))
}
