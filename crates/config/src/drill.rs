//! The key `drill` of a policy.

use std::time::Duration;

use holdfast_model::{App, AppId, DrillRule};
use url::{Host, Url};

use super::azure::is_served;
use super::fleet::Cloud;
use super::reader::Section;
use super::report::{Found, Report};

/// A drill stops and fills an app: nobody wants that more often.
const EVERY_MIN: Duration = Duration::from_hours(1);

/// Reads how often backups are tried out.
pub fn drill(report: &mut Report<'_>, section: &mut Section<'_>) -> Option<DrillRule> {
    let expected = "a table such as { every = \"30d\", into = \"…/sites/scratch\" }";
    let mut table = section.section(report, "drill", expected)?;
    let every = table
        .require(report, "every", "a duration such as \"30d\"")
        .then(|| table.duration(report, "every", EVERY_MIN))
        .flatten();
    let expected = "the ARM id of a scratch app or slot";
    let into = table
        .require(report, "into", expected)
        .then(|| table.parsed::<AppId>(report, "into", expected))
        .flatten();
    let probe = probe(report, &mut table);
    table.finish(report);
    report.scratch.extend(into.clone());
    Some(DrillRule { every: every?.value, into: into?.value, probe })
}

fn probe(report: &mut Report<'_>, table: &mut Section<'_>) -> Option<String> {
    let Found { value, place } =
        table.url(report, "probe", "an address such as https://scratch.example.com/")?;
    if let Err(why) = is_probe(value.as_str()) {
        report.error(&place, format_args!("`{}`: {why}", place.key));
    }
    Some(value.to_string())
}

/// May this address be asked after a drill? Plain HTTP would let anybody on the way answer for the app. It is written
/// into rows and the audit, so it must have no part that is made for secrets.
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

/// Everything in a scratch app is replaced: none may be an app that a policy backs up.
pub fn check(report: &mut Report<'_>, apps: &[App], clouds: &[Cloud]) {
    for Found { value: into, place } in std::mem::take(&mut report.scratch) {
        is_served(report, &place, into.subscription(), clouds);
        let enrolled = apps.iter().find(|app| app.id == into).and_then(|app| app.policy.as_ref());
        if let Some(policy) = enrolled {
            let message = format_args!(
                "`{}`: {} is backed up under the policy {policy}, and a drill replaces everything in it",
                place.key,
                into.short_name()
            );
            let help = "name an app or a slot that is in no policy";
            report.error_with_help(&place, message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_asked_over_https_or_on_this_machine() {
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
    fn an_address_that_may_hold_a_secret_is_refused_because_the_audit_would_keep_it() {
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
