//! Folds audit events and looks at the store into open incidents. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use holdfast_config::{NotifyOn, NotifyRule};
use holdfast_model::{AppId, OperatorAction, PolicyName, RunEvent, RunKind, Tags, Timestamp};
use holdfast_store::AuditEvent;

use crate::conditions::ConditionFound;
use crate::signal::{Signal, recovers_by, signal};
use crate::state::{Day, IncidentKey, NotifierState, Silence};

/// Rules by name.
pub type Rules = BTreeMap<String, NotifyRule>;

/// Trouble that is older when it is read is not told: nobody was to be told at the time.
const STALE_AFTER: Duration = Duration::from_hours(24);

/// An event with what its run says of it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The event.
    pub event: &'a AuditEvent,
    /// The kind of its run.
    pub kind: RunKind,
    /// The policy of its run.
    pub policy: Option<&'a PolicyName>,
    /// The tags of its app.
    pub tags: &'a Tags,
}

/// Whether an event can change anything, so that its run must be read.
pub fn concerns(event: &RunEvent) -> bool {
    signal(event, RunKind::Backup).is_some() || is_silence(event)
}

fn is_silence(event: &RunEvent) -> bool {
    let RunEvent::ActionRecorded { action, .. } = event else { return false };
    matches!(action, OperatorAction::NotificationsSilenced { .. } | OperatorAction::SilenceEnded { .. })
}

/// Adds an event.
pub fn fold(state: &mut NotifierState, rules: &Rules, seen: Seen<'_>, now: Timestamp) {
    silenced(state, seen.event);
    let Some(signal) = signal(&seen.event.event, seen.kind) else { return };
    for (name, rule) in rules {
        if rule.digest.is_some() && is_of(rule, seen.policy, seen.tags) {
            let day = state.days.entry(name.clone()).or_insert_with(|| Day::beginning(now));
            count(day, signal, seen.kind);
        }
        match signal {
            Signal::Success(kind) => succeeded(state, (name, rule), &seen.event.app, kind),
            Signal::Left { is_gone } => {
                forget(state, name, &seen.event.app);
                if is_gone {
                    troubled(state, (name, rule), seen, (NotifyOn::Departure, None), now);
                }
            }
            Signal::Trouble(on, cause) => troubled(state, (name, rule), seen, (on, cause), now),
        }
    }
}

/// Adds what a look at the store found, and removes from incidents what it no longer found.
pub fn look(state: &mut NotifierState, rules: &Rules, found: &[ConditionFound], now: Timestamp) {
    let lasts: BTreeSet<(NotifyOn, &str)> = found.iter().map(|one| (one.on, one.id.as_str())).collect();
    for incident in state.incidents.iter_mut().filter(|incident| incident.key.on.is_condition()) {
        let on = incident.key.on;
        incident.troubles.retain(|id, _| lasts.contains(&(on, id.as_str())));
    }
    for (name, rule) in rules {
        for one in found.iter().filter(|one| rule.on.contains(&one.on)) {
            if !is_of(rule, one.policy.as_ref(), &one.tags) || !rule.causes.is_empty() {
                continue;
            }
            let key = IncidentKey {
                rule: name.clone(),
                on: one.on,
                policy: one.policy.clone(),
                subscription: one.subscription.clone(),
                cause: None,
            };
            let seed = now.timestamp_millis().to_string();
            if let Some(incident) = state.incident(&key, &seed, now, rule) {
                incident.add(one.id.clone(), &one.name, None);
            }
        }
    }
    state.looked_at = Some(now);
}

/// Whether a rule is about a policy, and about apps with these tags.
fn is_of(rule: &NotifyRule, policy: Option<&PolicyName>, tags: &Tags) -> bool {
    let is_of_policy =
        rule.policies.is_empty() || policy.is_some_and(|policy| rule.policies.contains(policy));
    is_of_policy && tags.satisfy_all(&rule.tags)
}

fn count(day: &mut Day, signal: Signal, kind: RunKind) {
    let counter = match signal {
        Signal::Success(RunKind::Backup) => &mut day.succeeded,
        Signal::Trouble(NotifyOn::Partial, _) => &mut day.partial,
        Signal::Trouble(NotifyOn::Failure, _) => &mut day.failed,
        Signal::Trouble(NotifyOn::Missed, _) if kind == RunKind::Backup => &mut day.missed,
        _ => return,
    };
    *counter = counter.saturating_add(1);
}

fn troubled(
    state: &mut NotifierState,
    (name, rule): (&String, &NotifyRule),
    seen: Seen<'_>,
    (on, cause): (NotifyOn, Option<holdfast_model::Cause>),
    now: Timestamp,
) {
    let AuditEvent { link, at, run_id, app, .. } = seen.event;
    let is_wanted = rule.on.contains(&on)
        && is_of(rule, seen.policy, seen.tags)
        && (rule.causes.is_empty() || cause.is_some_and(|cause| rule.causes.contains(&cause)));
    if !is_wanted || *at < now - STALE_AFTER {
        return;
    }
    if recovers_by(on) == Some(&[RunKind::Backup]) {
        let is_too_few = is_too_few(state, (name, rule), app);
        if !fails_again(state, name, app) && is_too_few {
            return;
        }
    }
    let key = IncidentKey {
        rule: name.clone(),
        on,
        policy: seen.policy.cloned(),
        subscription: (*app != AppId::unknown()).then(|| app.subscription().clone()),
        cause,
    };
    if let Some(incident) = state.incident(&key, &link.seq.to_string(), now, rule) {
        incident.add(app.to_string(), &app.short_name(), Some(*run_id));
    }
}

/// Counts a failure, and tells whether there are too few in a row for an incident.
fn is_too_few(state: &mut NotifierState, (name, rule): (&String, &NotifyRule), app: &AppId) -> bool {
    if rule.failures <= 1 {
        return false;
    }
    let strikes = state.strikes.entry(name.clone()).or_default().entry(app.to_string()).or_default();
    *strikes = strikes.saturating_add(1);
    *strikes < rule.failures
}

/// Ends the successes in a row of an app in its incidents; returns whether it is in one.
fn fails_again(state: &mut NotifierState, rule: &str, app: &AppId) -> bool {
    let id = app.to_string();
    let mut is_in_one = false;
    for incident in state.incidents.iter_mut().filter(|incident| incident.key.rule == rule) {
        let of_backups = recovers_by(incident.key.on) == Some(&[RunKind::Backup]);
        if let Some(trouble) = incident.troubles.get_mut(&id).filter(|_| of_backups) {
            trouble.successes = 0;
            is_in_one = true;
        }
    }
    is_in_one
}

fn succeeded(state: &mut NotifierState, (name, rule): (&String, &NotifyRule), app: &AppId, kind: RunKind) {
    let id = app.to_string();
    if kind == RunKind::Backup
        && let Some(strikes) = state.strikes.get_mut(name)
    {
        strikes.remove(&id);
    }
    for incident in state.incidents.iter_mut().filter(|incident| incident.key.rule == *name) {
        let ends = recovers_by(incident.key.on).is_some_and(|kinds| kinds.contains(&kind));
        let Some(trouble) = incident.troubles.get_mut(&id).filter(|_| ends) else { continue };
        trouble.successes = trouble.successes.saturating_add(1);
        if trouble.successes >= rule.successes {
            incident.troubles.remove(&id);
        }
    }
}

/// Removes an app that is no longer in the fleet: nothing will succeed for it.
fn forget(state: &mut NotifierState, rule: &str, app: &AppId) {
    let id = app.to_string();
    if let Some(strikes) = state.strikes.get_mut(rule) {
        strikes.remove(&id);
    }
    for incident in state.incidents.iter_mut().filter(|incident| incident.key.rule == rule) {
        incident.troubles.remove(&id);
    }
}

fn silenced(state: &mut NotifierState, event: &AuditEvent) {
    let RunEvent::ActionRecorded { action, actor } = &event.event else { return };
    match action {
        OperatorAction::NotificationsSilenced { rule, policy, tags, until, reason } => {
            let app = (event.app != AppId::unknown()).then(|| event.app.clone());
            state.silences.push(Silence {
                id: event.run_id,
                rule: rule.clone(),
                policy: policy.clone(),
                app,
                tags: tags.clone(),
                until: *until,
                reason: reason.clone(),
                by: actor.name.clone(),
                since: event.at,
            });
        }
        OperatorAction::SilenceEnded { silence, .. } => state.silences.retain(|one| one.id != *silence),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
