use holdfast_config::NotifyOn;
use holdfast_model::{Cause, PolicyName, SubscriptionId, Timestamp};

use super::*;

fn notice() -> Notice {
    Notice {
        incident: "0123456789abcdef".into(),
        on: Some(NotifyOn::Failure),
        policy: Some(PolicyName::new("gold")),
        subscription: Some(SubscriptionId::new("0a0a")),
        cause: Some(Cause::StorageRefused),
        affected: 12,
        in_trouble: 12,
        names: vec!["shop".into(), "[x](http://evil) <!channel> *b*\u{202e}".into()],
        ..Notice::empty("oncall", NoticeKind::Opened, Timestamp::UNIX_EPOCH)
    }
}

fn look() -> Look {
    Look { public_url: Some("https://holdfast.contoso.com/".parse().unwrap()) }
}

/// Compares a body with its file, which `HOLDFAST_WRITE_SNAPSHOTS=1` writes.
fn matches_file(name: &str, body: &str) {
    let path = format!("{}/src/render/snapshots/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("HOLDFAST_WRITE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(std::path::Path::new(&path).parent().unwrap()).unwrap();
        std::fs::write(&path, body).unwrap();
    }
    assert_eq!(body, std::fs::read_to_string(&path).unwrap(), "{name}");
}

fn pretty(body: &Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(body).unwrap())
}

#[test]
fn each_channel_has_the_body_of_its_snapshot() {
    let (opened, look) = (notice(), look());
    let resolved = Notice { kind: NoticeKind::Resolved, number: 2, ..notice() };
    matches_file("webhook.json", &pretty(&cloud_event(&opened, &look, "0123456789abcdef-1-ops")));
    matches_file("slack.json", &pretty(&slack(&opened, &look)));
    matches_file("teams.json", &pretty(&teams(&opened, &look)));
    matches_file("pagerduty_trigger.json", &pretty(&pager_duty(&opened, &look)));
    matches_file("pagerduty_resolve.json", &pretty(&pager_duty(&resolved, &look)));
    matches_file("apprise.json", &pretty(&apprise(&opened, &look, Some("oncall"))));
    let (subject, text) = mail(&resolved, &Look::default());
    matches_file("mail.txt", &format!("{subject}\n\n{text}"));
}

#[test]
fn a_name_makes_no_link_no_mention_and_no_direction() {
    let (notice, look) = (notice(), look());
    let slack = slack(&notice, &look).to_string();
    assert!(slack.contains("&lt;!channel&gt;") && !slack.contains("<!channel>"), "{slack}");
    let teams = teams(&notice, &look).to_string();
    assert!(teams.contains(r"\\[x\\]\\(http") && !teams.contains("[x](http"), "{teams}");
    for body in [slack, teams, pager_duty(&notice, &look).to_string()] {
        assert!(!body.contains('\u{202e}'), "{body}");
    }
}

#[test]
fn a_long_name_and_a_large_incident_stay_small() {
    let names = vec!["a".repeat(5_000); 10];
    let large = Notice { names, affected: 100_000, ..notice() };
    for body in [slack(&large, &look()), teams(&large, &look()), apprise(&large, &look(), None)] {
        assert!(body.to_string().len() < 4_000, "{}", body.to_string().len());
    }
}
