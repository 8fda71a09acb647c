use std::time::Duration;

use holdfast_model::{Cause, TagFilter};

use super::*;

const CHANNELS: &str = r#"
[channel.ops]
type = "slack"
url = "env:SLACK_URL"

[channel.hook]
type = "webhook"
url = "file:/run/secrets/hook"
secret = "env:HOOK_SECRET"

[channel.mail]
type = "email"
server = "smtp.contoso.com"
from = "holdfast@contoso.com"
to = ["ops@contoso.com"]
user = "holdfast"
password = "env:SMTP_PASSWORD"

[channel.pager]
type = "pagerduty"
key = "env:PAGER_KEY"

[channel.beat]
type = "heartbeat"
url = "env:BEAT_URL"
"#;

fn with_rule(rule: &str) -> String {
    format!("{EXAMPLE}{CHANNELS}\n[notify.oncall]\n{rule}\n")
}

#[test]
fn channels_and_rules_are_read_with_their_usual_values() {
    let Notifications { channels, rules } =
        look(&with_rule("channels = [\"ops\", \"mail\"]")).fleet.unwrap().notifications;
    assert_eq!(channels.len(), 5);
    let Channel::Email(email) = &channels["mail"] else { panic!("{channels:?}") };
    assert_eq!((email.port, email.tls), (587, MailTls::StartTls));
    let Channel::Heartbeat { every, .. } = &channels["beat"] else { panic!("{channels:?}") };
    assert_eq!(*every, Duration::from_mins(1));
    let rule = &rules["oncall"];
    assert_eq!(rule.on, NotifyOn::USUAL);
    assert_eq!((rule.failures, rule.successes, rule.recovery), (1, 1, true));
    assert_eq!((rule.gather, rule.reminder, rule.digest), (Duration::from_secs(20), None, None));
    let none = look(EXAMPLE).fleet.unwrap().notifications;
    assert_eq!(none, Notifications::default());
}

#[test]
fn every_key_of_a_rule_arrives() {
    let text = r#"channels = ["ops"]
policies = ["gold"]
tags = { Team = "shop" }
on = ["failure", "objective"]
causes = ["storage_refused"]
failures = 2
successes = 3
recovery = false
gather = "5s"
reminder = "4h"
digest = "08:00"
quiet = ["22:00-06:00"]
timezone = "Europe/Paris""#;
    let fleet = look(&with_rule(text)).fleet.unwrap();
    let rule = &fleet.notifications.rules["oncall"];
    assert_eq!(rule.policies, [PolicyName::new("gold")]);
    assert_eq!(rule.tags, [TagFilter::new("team", "shop")]);
    assert_eq!(
        (rule.on.as_slice(), rule.causes.as_slice()),
        (&[NotifyOn::Failure, NotifyOn::Objective][..], &[Cause::StorageRefused][..])
    );
    assert_eq!((rule.failures, rule.successes, rule.recovery), (2, 3, false));
    assert_eq!((rule.gather, rule.reminder), (Duration::from_secs(5), Some(Duration::from_hours(4))));
    assert_eq!(rule.digest.map(|time| time.to_string()).as_deref(), Some("08:00"));
    assert_eq!((rule.quiet.len(), rule.zone.name()), (1, "Europe/Paris"));
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    for (rule, expected) in [
        ("channels = [\"opps\"]", "there is no [channel.opps]; did you mean `ops`?"),
        ("channels = [\"beat\"]", "`beat` is a heartbeat, which is told nothing"),
        ("channels = [\"ops\"]\npolicies = [\"golden\"]", "there is no [policy.golden]"),
        (
            "channels = [\"ops\"]\non = [\"failures\"]",
            "\"failures\" is not known here; did you mean `failure`?",
        ),
        ("channels = [\"ops\"]\ncauses = [\"slow\"]", "\"slow\" is not known here"),
        ("channels = [\"ops\"]\ngather = \"31s\"", "30 s at most"),
        ("channels = [\"ops\"]\ndigest = \"8 am\"", "expected a time of day"),
        ("channels = [\"ops\"]\nquiet = [\"late\"]", "expected a span of the day"),
        ("on = [\"failure\"]", "missing `channels`"),
        ("channels = [\"ops\"]\nchanels = 1", "unknown key `chanels`"),
    ] {
        let found = errors(&with_rule(rule));
        assert!(found.iter().any(|error| error.contains(expected)), "{rule}: {found:?}");
    }
}

#[test]
fn a_channel_that_cannot_work_is_refused_and_no_secret_is_shown() {
    for (channel, expected) in [
        ("type = \"sms\"", "expected \"webhook\""),
        ("type = \"slack\"", "missing `url`"),
        ("type = \"slack\"\nurl = \"https://hooks.slack.com/T0/s3cret\"", "reference"),
        (
            "type = \"email\"\nserver = \"smtp.contoso.com\"\nfrom = \"a@b\"\nto = [\"x@y\"]\ntls = \"none\"",
            "only the server of this machine",
        ),
        ("type = \"email\"\nserver = \"s\"\nfrom = \"a@b\"\nto = [\"x@y>\\nBcc: z\"]", "expected an address"),
        ("type = \"email\"\nserver = \"s\"\nfrom = \"a@b\"\nto = []", "has no receiver"),
        ("type = \"heartbeat\"\nurl = \"env:A\"\nevery = \"1s\"", "at least 10s"),
    ] {
        let text = format!("{EXAMPLE}\n[channel.odd]\n{channel}\n");
        let found = errors(&text);
        assert!(found.iter().any(|error| error.contains(expected)), "{channel}: {found:?}");
        assert!(!rendered(&text).contains("s3cret"));
    }
    let bad_name = format!("{EXAMPLE}\n[channel.\"a b\"]\ntype = \"slack\"\nurl = \"env:A\"\n");
    assert!(
        errors(&bad_name).iter().any(|error| error.contains("1 to 40 letters")),
        "{:?}",
        errors(&bad_name)
    );
}

#[test]
fn a_process_that_sends_nothing_needs_no_secret_of_a_channel() {
    let secrets = "\n[channel.ops]\ntype = \"slack\"\nurl = \"env:HOLDFAST_TEST_NOT_SET\"\n";
    let text = format!("{EXAMPLE}{secrets}");
    let of_channel = |how| {
        let problems = checked(&text, how).problems.into_iter();
        problems.filter(|problem| problem.message.contains("channel.ops")).count()
    };
    assert_eq!((of_channel(Secrets::Read), of_channel(Secrets::Judge)), (0, 1));
}
