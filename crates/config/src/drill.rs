//! The key `drill` of a policy.

use std::time::Duration;

use holdfast_model::{App, AppId, DrillRule};
use url::{Host, Url};

use crate::azure::is_served;
use crate::diagnostics::{Diagnostics, Located};
use crate::fleet::Cloud;
use crate::section::Section;

/// Shortest interval of drills: each replaces the scratch app.
const EVERY_MIN: Duration = Duration::from_hours(1);

/// Reads the drill rule.
pub fn drill(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<DrillRule> {
    let expected = "a table such as { every = \"30d\", into = \"…/sites/scratch\" }";
    let mut table = section.section(diagnostics, "drill", expected)?;
    let every = table
        .require(diagnostics, "every", "a duration such as \"30d\"")
        .then(|| table.duration(diagnostics, "every", EVERY_MIN))
        .flatten();
    let expected = "the ARM id of a scratch app or slot";
    let into = table
        .require(diagnostics, "into", expected)
        .then(|| table.parsed::<AppId>(diagnostics, "into", expected))
        .flatten();
    let probe = probe(diagnostics, &mut table);
    table.finish(diagnostics);
    diagnostics.scratch.extend(into.clone());
    Some(DrillRule { every: every?.value, into: into?.value, probe })
}

fn probe(diagnostics: &mut Diagnostics<'_>, table: &mut Section<'_>) -> Option<String> {
    let Located { value, place } =
        table.url(diagnostics, "probe", "an address such as https://scratch.example.com/")?;
    if let Err(why) = is_probe(value.as_str()) {
        diagnostics.error(&place, format_args!("`{}`: {why}", place.key));
    }
    Some(value.to_string())
}

/// Checks the address that a drill probes.
///
/// It must be https, because others could answer plain HTTP, and it must have no part made for secrets, because rows and
/// the audit keep it.
pub fn is_probe(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "expected an address that begins with https://")?;
    if url.query().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(
            "expected an address without a password and without `?`, since it is written into the audit",
        );
    }
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback => Ok(()),
        "http" => Err("expected https://: plain http is for this machine alone"),
        _ => Err("expected an address that begins with https://"),
    }
}

/// Reports scratch apps that a policy backs up: a drill replaces everything in them.
pub fn check(diagnostics: &mut Diagnostics<'_>, apps: &[App], clouds: &[Cloud]) {
    for Located { value: into, place } in std::mem::take(&mut diagnostics.scratch) {
        is_served(diagnostics, &place, into.subscription(), clouds);
        let enrolled = apps.iter().find(|app| app.id == into).and_then(|app| app.policy.as_ref());
        if let Some(policy) = enrolled {
            let message = format_args!(
                "`{}`: {} is backed up under the policy {policy}, and a drill replaces everything in it",
                place.key,
                into.short_name()
            );
            let help = "name an app or a slot that is in no policy";
            diagnostics.error_with_help(&place, message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_uses_https_or_stays_on_this_machine() {
        for good in
            ["https://scratch.example.com/", "http://127.0.0.1:8080/", "http://[::1]/", "http://localhost/"]
        {
            assert_eq!(is_probe(good), Ok(()), "{good}");
        }
        for bad in
            ["http://scratch.example.com/", "ftp://scratch/", "scratch", "http://localhost.example.com/"]
        {
            assert!(is_probe(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_probe_that_may_hold_a_secret_is_refused() {
        for bad in [
            "https://scratch.example.com/?code=hunter2",
            "https://me:hunter2@scratch/",
            "https://hunter2@scratch/",
        ] {
            let why = is_probe(bad).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
