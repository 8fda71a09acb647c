//! A draft in words: what was taken over, what was not and why, and what to do next.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use holdfast_model::AppId;

use super::draft::FleetDraft;
use super::look::Look;
use crate::wording::counted;

/// The names that are shown of many apps with one reason. The fleet file and JSON name them all.
const NAMES: usize = 5;

/// What the draft has, such as `380 apps, 4 policies, 2 storages`.
pub fn contents(draft: &FleetDraft) -> String {
    let policies = match draft.policies.len() {
        1 => "1 policy".to_owned(),
        many => format!("{many} policies"),
    };
    format!("{}, {policies}, {}", counted(draft.apps.len(), "app"), counted(draft.storages.len(), "storage"))
}

/// What a person should read about the draft; empty when there is nothing.
pub fn summary(draft: &FleetDraft) -> String {
    let mut text = String::new();
    let of = |never| {
        let left = draft.left_out.iter().filter(move |app| app.never == never);
        left.map(|app| (&app.app, app.why.as_str()))
    };
    section(
        &mut text,
        "in no policy, as comments (--container URL enrolls those without a native schedule)",
        of(false),
    );
    section(&mut text, "never backed up by Azure", of(true));
    section(&mut text, "to know", draft.remarks.iter().map(|remark| (&remark.app, remark.says.as_str())));
    if !draft.secrets.is_empty() {
        let _ = writeln!(text, "to set before the first backup:");
        for secret in &draft.secrets {
            let _ = writeln!(text, "  {}: {}", secret.variable, secret.holds);
        }
    }
    text
}

/// Which subscriptions were looked at, and what Azure did not show.
pub fn gaps(look: &Look) -> Vec<String> {
    let subscriptions = look.unanswered.iter();
    let subscriptions = subscriptions
        .map(|of| format!("warning: subscription {} is left out: {}", of.subscription, of.error));
    let slots = look.without_slots.iter();
    let slots =
        slots.map(|of| format!("warning: the slots of {} are left out: {}", of.app.short_name(), of.error));
    let ids = look.left_out.iter();
    let ids = ids.map(|id| format!("warning: left out, because its id is not an app's: {id}"));
    look.seen.lines().chain(subscriptions).chain(slots).chain(ids).collect()
}

/// The apps of each reason, under a heading.
fn section<'d>(text: &mut String, heading: &str, apps: impl Iterator<Item = (&'d AppId, &'d str)>) {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (app, why) in apps {
        by_reason.entry(why).or_default().push(app.short_name());
    }
    if by_reason.is_empty() {
        return;
    }
    let _ = writeln!(text, "{heading}:");
    for (why, names) in by_reason {
        let shown = names.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
        let more = names.len().saturating_sub(NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(text, "  {shown}{more}: {why}");
    }
}
