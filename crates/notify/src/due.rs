//! What is told at a time, given the open incidents. Pure.

use std::collections::BTreeMap;

use holdfast_config::{ClockTime, NotifyRule};
use holdfast_model::{AppId, Tags, Timestamp};

use crate::fold::Rules;
use crate::notice::{Digest, Notice, NoticeKind};
use crate::signal::is_told_once;
use crate::state::{Day, Incident, NotifierState, Silence};

/// The tags of the apps in trouble, by id. Silences alone ask for them.
pub type TagsById = BTreeMap<String, Tags>;

/// What is due now. Incidents that are over, and those of rules that are gone, leave the state.
pub fn due(state: &mut NotifierState, rules: &Rules, tags: &TagsById, now: Timestamp) -> Vec<Notice> {
    state.silences.retain(|silence| silence.until > now);
    let mut notices = Vec::new();
    let mut open = Vec::new();
    for incident in std::mem::take(&mut state.incidents) {
        let Some(rule) = rules.get(&incident.key.rule) else { continue };
        if is_held(&incident, rule, (&state.silences, tags), now) {
            if incident.told > 0 || !incident.troubles.is_empty() {
                open.push(incident);
            }
            continue;
        }
        open.extend(told(incident, rule, now, &mut notices));
    }
    state.incidents = open;
    state.strikes.retain(|rule, _| rules.contains_key(rule));
    notices.extend(digests(state, rules, now));
    notices
}

/// Tells what is due of an incident, and returns it while it is open.
fn told(
    mut incident: Incident,
    rule: &NotifyRule,
    now: Timestamp,
    notices: &mut Vec<Notice>,
) -> Option<Incident> {
    let mut tell = |incident: &mut Incident, kind| {
        (incident.told, incident.told_at) = (incident.told + 1, Some(now));
        notices.push(Notice::of(incident, kind, now));
    };
    if incident.troubles.is_empty() {
        if incident.told > 0 && rule.recovery {
            tell(&mut incident, NoticeKind::Resolved);
        }
        return None;
    }
    let is_reminder_due = || rule.reminder.zip(incident.told_at).is_some_and(|(pause, at)| at + pause <= now);
    if incident.told == 0 {
        if now >= incident.gathers_until {
            tell(&mut incident, NoticeKind::Opened);
            return (!is_told_once(incident.key.on)).then_some(incident);
        }
    } else if is_reminder_due() {
        tell(&mut incident, NoticeKind::Reminder);
    }
    Some(incident)
}

/// Whether a silence or a quiet time holds an incident back. A silence of an app, or of apps with a tag, holds back what is
/// about these alone.
fn is_held(
    incident: &Incident,
    rule: &NotifyRule,
    (silences, tags_by_id): (&[Silence], &TagsById),
    now: Timestamp,
) -> bool {
    let time = ClockTime::of(now, &rule.zone);
    if rule.quiet.iter().any(|quiet| quiet.contains(time)) {
        return true;
    }
    let is_about = |is_one: &dyn Fn(&String) -> bool| {
        !incident.troubles.is_empty() && incident.troubles.keys().all(is_one)
    };
    silences.iter().any(|silence| {
        let Silence { rule, policy, app, tags, .. } = silence;
        let is_app = |app: &AppId| is_about(&|id| *id == app.to_string());
        let has_tags = |id: &String| tags_by_id.get(id).is_some_and(|found| found.satisfy_all(tags));
        rule.as_ref().is_none_or(|rule| *rule == incident.key.rule)
            && policy.as_ref().is_none_or(|policy| Some(policy) == incident.key.policy.as_ref())
            && app.as_ref().is_none_or(is_app)
            && (tags.is_empty() || is_about(&has_tags))
    })
}

/// The digests whose time of day has come since the day began.
fn digests(state: &mut NotifierState, rules: &Rules, now: Timestamp) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut days = BTreeMap::new();
    for (name, rule) in rules {
        let Some(time) = rule.digest else { continue };
        let day = state.days.remove(name).unwrap_or_else(|| Day::beginning(now));
        if has_passed(day.since, time, rule, now) {
            let open = state.incidents.iter().filter(|incident| incident.key.rule == *name).count();
            notices.push(Notice::digest(
                name,
                Digest { day, open: u32::try_from(open).unwrap_or(u32::MAX) },
                now,
            ));
            days.insert(name.clone(), Day::beginning(now));
        } else {
            days.insert(name.clone(), day);
        }
    }
    state.days = days;
    notices
}

/// Whether the clocks of the rule's zone have shown the time of day since `since`.
fn has_passed(since: Timestamp, time: ClockTime, rule: &NotifyRule, now: Timestamp) -> bool {
    let day_of = |at: Timestamp| rule.zone.local(at).date_naive();
    let (began, is) = (ClockTime::of(since, &rule.zone), ClockTime::of(now, &rule.zone));
    let days = (day_of(now) - day_of(since)).num_days();
    match days {
        ..=-1 => false,
        0 => began < time && is >= time,
        1 => began < time || is >= time,
        _ => true,
    }
}
