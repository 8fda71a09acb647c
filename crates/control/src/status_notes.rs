//! The sentences of a status: what left the fleet, what is missing, and how the subscriptions answer. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{SubscriptionId, Timestamp};
use holdfast_store::{
    AppStatus, CheckpointStatus, ClosedBudget, OpenBreaker, ProcessStatus, SubscriptionStatus,
};

use crate::times::{age, until};
use crate::wording::counted;

/// How long a checkpoint of the audit may be overdue before that is shown.
const OVERDUE: Duration = Duration::from_mins(10);

/// Names that a sentence lists at most.
const NAMES_MAX: usize = 5;

/// Apps that left the fleet because Azure no longer has them.
pub(crate) fn departures<'a>(apps: impl Iterator<Item = &'a AppStatus>, now: Timestamp) -> Vec<String> {
    let note = |app: &AppStatus| {
        let at = app.departed?.at;
        Some(format!(
            "{} left the fleet {}, because azure answers 404 for it",
            app.app.short_name(),
            age(at, now)
        ))
    };
    apps.filter_map(note).collect()
}

/// Apps that Azure's list leaves out, by subscription.
pub(crate) fn missing(apps: &[&AppStatus], now: Timestamp) -> Vec<String> {
    let mut by_subscription: BTreeMap<&SubscriptionId, Vec<(&AppStatus, Timestamp)>> = BTreeMap::new();
    for app in apps {
        if let Some(since) = app.missing_since {
            by_subscription.entry(app.app.subscription()).or_default().push((app, since));
        }
    }
    let note = |(subscription, apps): (&SubscriptionId, Vec<(&AppStatus, Timestamp)>)| {
        let mut names: Vec<String> = apps.iter().map(|(app, _)| app.app.short_name()).collect();
        let more = names.len().saturating_sub(NAMES_MAX);
        names.truncate(NAMES_MAX);
        if more > 0 {
            names.push(format!("{more} more"));
        }
        let since = apps.iter().map(|(_, since)| *since).min().unwrap_or(now);
        format!(
            "azure's list of subscription {subscription} leaves out {} since {} ({}); they stay enrolled until azure \
             answers 404 for each of them",
            counted(apps.len(), "app"),
            age(since, now),
            names.join(", ")
        )
    };
    by_subscription.into_iter().map(note).collect()
}

/// Tenants, subscriptions and storage accounts that do not answer.
pub(crate) fn breakers(open: &[OpenBreaker], now: Timestamp) -> Vec<String> {
    let note = |OpenBreaker { kind, name, since, until: next }: &OpenBreaker| {
        let cure = match kind.as_str() {
            "subscription" => format!("; `holdfast budgets reopen {name}` tries again now"),
            _ => String::new(),
        };
        format!(
            "{} {name} has accepted requests and not answered since {}; its runs wait, and the next try is {}{cure}",
            kind.replace('_', " "),
            age(*since, now),
            until(*next, now)
        )
    };
    open.iter().map(note).collect()
}

/// How a subscription answers. That its budgets are closed because it does not answer is told by [`breakers`].
pub(crate) fn subscription(status: &SubscriptionStatus, open: &[OpenBreaker], now: Timestamp) -> Vec<String> {
    let SubscriptionStatus { subscription, left_out, closed, .. } = status;
    let mut notes = Vec::new();
    if let Some(since) = status.unanswered_since {
        let error = status.error.as_deref().unwrap_or("no answer");
        let next = status.next_list_at.map(|at| format!("; the next try is {}", until(at, now)));
        notes.push(format!(
            "the apps of subscription {subscription} have not been listed since {}: {error}{}",
            age(since, now),
            next.unwrap_or_default()
        ));
    }
    if !left_out.is_empty() {
        let (many, ids) = (counted(left_out.len(), "resource"), left_out.join(", "));
        notes.push(format!(
            "subscription {subscription} lists {many} whose id is not an app's and which cannot be backed up: {ids}"
        ));
    }
    let answers =
        !open.iter().any(|breaker| breaker.kind == "subscription" && breaker.name == subscription.as_str());
    let closed = closed.iter().filter(|_| answers).map(|ClosedBudget { call, until: at }| {
        format!(
            "the {call} budget of subscription {subscription} is closed and opens {}; `holdfast budgets reopen {subscription}` \
             opens it now",
            until(*at, now)
        )
    });
    notes.extend(closed);
    notes
}

/// A destination of checkpoints that received none when one was due.
pub(crate) fn checkpoint(status: &CheckpointStatus, now: Timestamp) -> Option<String> {
    let CheckpointStatus { destination, written_at, error, due_at, .. } = status;
    let last = written_at.map_or_else(|| "never".to_owned(), |at| age(at, now));
    if let Some(error) = error {
        return Some(format!(
            "no checkpoint of the audit could be written to {destination} since {}: {error}; the last one was written \
             {last}, the next try is {}",
            status.failed_since.map_or_else(|| "its start".to_owned(), |since| age(since, now)),
            until(*due_at, now)
        ));
    }
    (*due_at + OVERDUE < now).then(|| {
        format!(
            "the checkpoint of the audit for {destination} was due {}, and no process writes it; the last one was \
             written {last}",
            age(*due_at, now)
        )
    })
}

/// A process that has not taken up the newest revision of the fleet, whose own fleet file says something else, or that sends no
/// notifications.
pub(crate) fn process(status: &ProcessStatus) -> Vec<String> {
    let file = status.file_note.as_ref().map(|note| format!("{}: {note}", name_of(status)));
    let notifier_error = status.notifier_error.as_ref();
    let silent = notifier_error.map(|error| format!("{} sends no notifications: {error}", name_of(status)));
    behind(status).into_iter().chain(file).chain(silent).collect()
}

/// A process that has not taken up the newest revision of the fleet.
pub(crate) fn behind(status: &ProcessStatus) -> Option<String> {
    let error = status.revision_error.as_ref()?;
    let works_by =
        status.revision.map_or_else(|| "its fleet file".to_owned(), |number| format!("revision {number}"));
    let name = name_of(status);
    Some(format!("{name} works by {works_by} and has not taken up the newest revision: {error}"))
}

fn name_of(ProcessStatus { role, host, .. }: &ProcessStatus) -> String {
    match host {
        Some(host) => format!("the process `{role}` on {host}"),
        None => format!("a process `{role}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_is_behind_or_has_another_file_is_told() {
        let at = Timestamp::UNIX_EPOCH;
        let good = ProcessStatus {
            id: holdfast_model::RunId::new(at, &mut fastrand::Rng::with_seed(1)),
            role: "worker".into(),
            host: Some("web-2".into()),
            started_at: at,
            seen_at: at,
            revision: Some(3),
            revision_error: None,
            file_note: None,
            notifier_error: None,
        };
        assert_eq!((process(&good), behind(&good)), (Vec::new(), None));
        let error = Some("revision 4 cannot be used here: no secret".to_owned());
        let behind = ProcessStatus {
            revision_error: error,
            file_note: Some("it differs".into()),
            notifier_error: Some("newer".into()),
            ..good
        };
        assert_eq!(super::behind(&behind), process(&behind).first().cloned());
        assert_eq!(
            process(&behind),
            [
                "the process `worker` on web-2 works by revision 3 and has not taken up the newest revision: revision 4 cannot \
                 be used here: no secret",
                "the process `worker` on web-2: it differs",
                "the process `worker` on web-2 sends no notifications: newer",
            ]
        );
    }

    #[test]
    fn a_checkpoint_that_fails_or_is_not_written_is_told() {
        let at = |minutes| Timestamp::UNIX_EPOCH + Duration::from_mins(minutes);
        let good = CheckpointStatus {
            destination: "storage:audit".into(),
            checkpoint: None,
            written_at: Some(at(0)),
            failed_since: None,
            error: None,
            due_at: at(60),
        };
        assert_eq!(checkpoint(&good, at(70)), None);
        let overdue = checkpoint(&good, at(180)).unwrap();
        assert_eq!(
            overdue,
            "the checkpoint of the audit for storage:audit was due 2 h ago, and no process writes it; the last one was \
             written 3 h ago"
        );
        let (failed_since, error) = (Some(at(60)), Some("writing was answered 403".to_owned()));
        let failing = CheckpointStatus { failed_since, error, due_at: at(62), ..good };
        let told = checkpoint(&failing, at(61)).unwrap();
        assert!(told.contains("since 60 s ago: writing was answered 403;"), "{told}");
    }
}
