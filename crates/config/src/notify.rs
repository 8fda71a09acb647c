//! Reads the sections `[channel.…]` and `[notify.…]`.

use std::collections::BTreeMap;

use crate::diagnostics::Diagnostics;
use crate::notifications::{Channel, Notifications};
use crate::policy::Policies;
use crate::section::Section;
use crate::wrong_kind::wrong_kind;
use crate::zone_data::ZoneData;
use crate::{channel, notify_rule};

/// Reads the sections.
pub fn notifications(
    diagnostics: &mut Diagnostics<'_>,
    file: &mut Section<'_>,
    policies: &Policies,
    zones: &ZoneData,
) -> Notifications {
    let channels = named(diagnostics, file, "channel", channel::channel);
    let known: BTreeMap<&str, bool> = channels
        .iter()
        .map(|(name, found)| (name.as_str(), matches!(found, Some(Channel::Heartbeat { .. }))))
        .collect();
    let rules = named(diagnostics, file, "notify", |diagnostics, section| {
        notify_rule::rule(diagnostics, section, &known, (policies, zones))
    });
    let whole = |channels: BTreeMap<String, Option<Channel>>| {
        channels.into_iter().filter_map(|(name, found)| Some((name, found?))).collect()
    };
    let rules = rules.into_iter().filter_map(|(name, found)| Some((name, found?))).collect();
    Notifications { channels: whole(channels), rules }
}

/// Reads each table below a key. A name is a word, because it is a part of ids and commands.
fn named<T>(
    diagnostics: &mut Diagnostics<'_>,
    file: &mut Section<'_>,
    key: &'static str,
    mut read: impl FnMut(&mut Diagnostics<'_>, Section<'_>) -> Option<T>,
) -> BTreeMap<String, Option<T>> {
    let expected = "tables such as [channel.ops] or [notify.oncall]";
    let Some(section) = file.section(diagnostics, key, expected) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (name, (place, value)) in section.entries() {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !name.chars().all(is_plain) || !(1..=40).contains(&name.len()) {
            let message = format_args!("`{}`: a name has 1 to 40 letters, digits, `-` and `_`", place.key);
            diagnostics.error(&place, message);
        }
        let Some(table) = value.as_table() else {
            wrong_kind(diagnostics, &place, "a table", value);
            continue;
        };
        let read = read(diagnostics, Section::new(place, table));
        found.insert(name, read);
    }
    found
}
