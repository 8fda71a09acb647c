//! Reads a section `[notify.…]`.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_model::{Cause, PolicyName, TagFilter, Zone};
use strum::VariantArray as _;

use crate::clock_time::{InvalidQuietTime, QuietTime};
use crate::diagnostics::{Diagnostics, Located};
use crate::nearest::did_you_mean;
use crate::notifications::{NotifyOn, NotifyRule};
use crate::policy::{Policies, zone};
use crate::section::Section;
use crate::tags::tags;
use crate::zone_data::ZoneData;

/// The longest time that an incident gathers apps: people hear of it within a minute.
const GATHER_MAX: Duration = Duration::from_secs(30);
/// How long an incident gathers apps, by default.
pub const GATHER: Duration = Duration::from_secs(20);

/// The shortest pause between two reminders.
const REMINDER_MIN: Duration = Duration::from_mins(10);

/// Reads a rule. `known` has the channels, and whether each is a heartbeat, which receives no notification.
pub fn rule(
    diagnostics: &mut Diagnostics<'_>,
    mut section: Section<'_>,
    known: &BTreeMap<&str, bool>,
    (policies, zones): (&Policies, &ZoneData),
) -> Option<NotifyRule> {
    let channels = channels(diagnostics, &mut section, known);
    let policies = of_policies(diagnostics, &mut section, policies);
    let tags = tags(diagnostics, &mut section, "write a rule for each value");
    let tags = tags.iter().map(|tag| TagFilter::new(&tag.value.0, &tag.value.1)).collect();
    let all: Vec<&'static str> = NotifyOn::VARIANTS.iter().map(|on| on.as_str()).collect();
    let on = if section.has("on") {
        section.words(diagnostics, "on", &all)
    } else {
        section.know("on");
        NotifyOn::USUAL.to_vec()
    };
    let all: Vec<&'static str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    let causes = section.words(diagnostics, "causes", &all);
    let failures = section.count(diagnostics, "failures", 1..=100).unwrap_or(1);
    let successes = section.count(diagnostics, "successes", 1..=100).unwrap_or(1);
    let recovery = section.flag(diagnostics, "recovery").unwrap_or(true);
    let gather = gather(diagnostics, &mut section);
    let reminder = section.duration(diagnostics, "reminder", REMINDER_MIN).map(|found| found.value);
    let digest = section.parsed(diagnostics, "digest", "a time of day such as \"08:00\"");
    let quiet = quiet(diagnostics, &mut section);
    let timezone = section.text(diagnostics, "timezone", "an IANA zone such as \"Europe/Paris\"");
    let zone = timezone.map_or(Some(Zone::UTC), |found| zone(diagnostics, &found, zones));
    section.finish(diagnostics);
    let digest = digest.map(|found| found.value);
    Some(NotifyRule {
        channels,
        policies,
        tags,
        on,
        causes,
        failures,
        successes,
        recovery,
        gather,
        reminder,
        digest,
        quiet,
        zone: zone?,
    })
}

fn channels(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
    known: &BTreeMap<&str, bool>,
) -> Vec<String> {
    let expected = "a list of channels such as [\"ops\"]";
    let mut channels = Vec::new();
    if !section.require(diagnostics, "channels", expected) {
        return channels;
    }
    for Located { value, place } in section.texts(diagnostics, "channels", expected) {
        match known.get(value) {
            Some(false) => channels.push(value.to_owned()),
            Some(true) => {
                let message =
                    format_args!("`{}`: `{value}` is a heartbeat, which is told nothing", place.key);
                diagnostics.error(&place, message);
            }
            None => {
                let near = did_you_mean(value, known.keys().copied());
                let message = format_args!("`{}`: there is no [channel.{value}]{near}", place.key);
                diagnostics.error(&place, message);
            }
        }
    }
    channels
}

fn of_policies(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
    policies: &Policies,
) -> Vec<PolicyName> {
    let mut found = Vec::new();
    for Located { value, place } in section.texts(diagnostics, "policies", "a list of policies") {
        let name = PolicyName::new(value);
        if !policies.contains_key(&name) {
            let near = did_you_mean(value, policies.keys().map(PolicyName::as_str));
            diagnostics.error(&place, format_args!("`{}`: there is no [policy.{value}]{near}", place.key));
        }
        found.push(name);
    }
    found
}

fn gather(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Duration {
    let Some(Located { value, place }) = section.duration(diagnostics, "gather", Duration::ZERO) else {
        return GATHER;
    };
    if value > GATHER_MAX {
        let message = format_args!("`{}`: an incident gathers apps for 30 s at most", place.key);
        diagnostics.error(&place, message);
    }
    value
}

fn quiet(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Vec<QuietTime> {
    let mut found = Vec::new();
    for Located { value, place } in section.texts(diagnostics, "quiet", "a list such as [\"22:00-06:00\"]") {
        match value.parse() {
            Ok(span) => found.push(span),
            Err(error) => {
                let error: InvalidQuietTime = error;
                diagnostics.error(&place, format_args!("`{}`: {error}", place.key));
            }
        }
    }
    found
}
