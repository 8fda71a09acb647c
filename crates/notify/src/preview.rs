//! What would be sent, without sending it. Pure.

use holdfast_config::{NotifyOn, NotifyRule};
use holdfast_model::{Cause, PolicyName, SubscriptionId, Timestamp};
use serde::Serialize;

use crate::fold::Rules;
use crate::notice::{Notice, NoticeKind};
use crate::wording::{Look, Wording};

/// What a rule would tell of one kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviewRow {
    /// The rule.
    pub rule: String,
    /// What happens.
    pub on: NotifyOn,
    /// The channels that would be told.
    pub channels: Vec<String>,
    /// The title.
    pub title: String,
    /// The text below it.
    pub text: String,
}

/// What each rule would tell of each kind of trouble that it names, by an example.
pub fn preview(rules: &Rules, look: &Look, now: Timestamp) -> Vec<PreviewRow> {
    let of_rule = |(name, rule): (&String, &NotifyRule)| -> Vec<PreviewRow> {
        let row = |on: &NotifyOn| {
            let wording = Wording::of(&example(name, rule, *on, now), look);
            let (title, text) = (wording.title.clone(), wording.body());
            PreviewRow { rule: name.clone(), on: *on, channels: rule.channels.clone(), title, text }
        };
        rule.on.iter().map(row).collect()
    };
    rules.iter().flat_map(of_rule).collect()
}

fn example(name: &str, rule: &NotifyRule, on: NotifyOn, now: Timestamp) -> Notice {
    let cause = match on {
        NotifyOn::Missed => Some(Cause::TooLate),
        NotifyOn::Partial => Some(Cause::PartiallySucceeded),
        NotifyOn::Failure | NotifyOn::Restore => Some(Cause::StorageRefused),
        _ => None,
    };
    Notice {
        on: Some(on),
        policy: rule.policies.first().cloned().or_else(|| Some(PolicyName::new("gold"))),
        subscription: Some(SubscriptionId::new("00000000-0000-0000-0000-000000000000")),
        cause: rule.causes.first().copied().or(cause),
        affected: 2,
        in_trouble: 2,
        names: vec!["shop".to_owned(), "shop/staging".to_owned()],
        ..Notice::empty(name, NoticeKind::Opened, now)
    }
}
