//! What a notice says in words. Pure.

use holdfast_config::NotifyOn;
use holdfast_control::views::cause_advice;
use holdfast_model::{format_duration, format_timestamp, inert};
use url::Url;

use crate::notice::{Notice, NoticeKind};

/// Where people look further.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The address under which browsers reach the console.
    pub public_url: Option<Url>,
}

/// A notice in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// One line.
    pub title: String,
    /// What is known, by name.
    pub facts: Vec<(&'static str, String)>,
    /// What to do.
    pub advice: String,
    /// A command that shows more.
    pub command: String,
    /// A page that shows more.
    pub link: Option<String>,
    /// How bad it is.
    pub severity: Severity,
}

/// How bad it is, in the words of PagerDuty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A restore would fail, or lose more than an objective allows.
    Critical,
    /// It will be, when it lasts.
    Error,
    /// It should be looked at.
    Warning,
    /// It is over, or nothing is wrong.
    Info,
}

/// The longest line, in characters. Names come from Azure and from people.
const LINE_MAX: usize = 300;

impl Wording {
    /// The words of a notice.
    pub fn of(notice: &Notice, look: &Look) -> Self {
        let mut facts: Vec<(&'static str, String)> = Vec::new();
        let mut fact = |name, value: Option<String>| facts.extend(value.map(|value| (name, line(&value))));
        fact("Policy", notice.policy.as_ref().map(ToString::to_string));
        fact("Subscription", notice.subscription.as_ref().map(ToString::to_string));
        fact("Cause", notice.cause.map(|cause| cause_advice::label(cause).to_owned()));
        fact(subjects(notice.on), (!notice.names.is_empty()).then(|| names(notice)));
        if notice.on.is_some() {
            fact("Since", Some(format_timestamp(notice.opened_at)));
        }
        if let Some(digest) = &notice.digest {
            fact("Since", Some(format_timestamp(digest.day.since)));
            fact("Open incidents", Some(digest.open.to_string()));
        }
        fact("Rule", Some(notice.rule.clone()));
        let (command, page) = look_at(notice);
        let link = look.public_url.as_ref().and_then(|url| url.join(&page).ok()).map(String::from);
        Self {
            title: line(&title(notice)),
            facts,
            advice: advice(notice),
            command,
            link,
            severity: severity(notice),
        }
    }

    /// The text of channels that have no form of their own: lines without the title.
    pub fn body(&self) -> String {
        let facts = self.facts.iter().map(|(name, value)| format!("{name}: {value}"));
        let advice = Some(self.advice.clone()).filter(|advice| !advice.is_empty());
        let more = format!("See: {}", self.link.as_deref().unwrap_or(&self.command));
        facts.chain(advice).chain([more]).collect::<Vec<_>>().join("\n")
    }
}

/// One line without characters that act, and not too long.
fn line(text: &str) -> String {
    let text = inert(text);
    if text.chars().count() <= LINE_MAX {
        return text.into_owned();
    }
    text.chars().take(LINE_MAX - 1).chain(['…']).collect()
}

fn title(notice: &Notice) -> String {
    let Some(on) = notice.on else { return other_title(notice) };
    let of_policy = notice.policy.as_ref().map(|policy| format!(" ({policy})")).unwrap_or_default();
    let (what, told) = sentence(on);
    let because = notice.cause.map(|cause| format!(": {}", cause_advice::label(cause))).unwrap_or_default();
    let count = |number: u32| match (number, what) {
        (1, what) => format!("1 {what}"),
        (number, "policy") => format!("{number} policies"),
        (number, what) => format!("{number} {what}s"),
    };
    match notice.kind {
        NoticeKind::Resolved => {
            let lasted = (notice.at - notice.opened_at).to_std().unwrap_or_default();
            let lasted = format_duration(std::time::Duration::from_secs(lasted.as_secs()));
            format!("Over after {lasted}: {} {told}{because}{of_policy}", count(notice.affected))
        }
        NoticeKind::Reminder => {
            format!("Still: {} of {} {told}{because}{of_policy}", notice.in_trouble, count(notice.affected))
        }
        _ => format!("{} {told}{because}{of_policy}", count(notice.affected)),
    }
}

fn other_title(notice: &Notice) -> String {
    match &notice.digest {
        Some(digest) => {
            let day = &digest.day;
            format!(
                "Backups of the day: {} succeeded, {} partial, {} failed, {} missed",
                day.succeeded, day.partial, day.failed, day.missed
            )
        }
        None => "A test of Holdfast's notifications: nothing is wrong".to_owned(),
    }
}

/// What has the trouble, and what the trouble is.
fn sentence(on: NotifyOn) -> (&'static str, &'static str) {
    match on {
        NotifyOn::Failure => ("app", "not backed up"),
        NotifyOn::Partial => ("app", "backed up in part"),
        NotifyOn::Missed => ("app", "missed a tick"),
        NotifyOn::Cancelled => ("app", "had a backup cancelled"),
        NotifyOn::Restore => ("app", "not restored"),
        NotifyOn::Drill => ("app", "failed a drill"),
        NotifyOn::Delete => ("app", "with a backup not deleted"),
        NotifyOn::Sas => ("app", "with a SAS not replaced"),
        NotifyOn::Check => ("app", "with a catalog not checked"),
        NotifyOn::Lost => ("app", "lost a backup"),
        NotifyOn::Departure => ("app", "gone from Azure"),
        NotifyOn::Objective => ("app", "past the recovery point objective"),
        NotifyOn::NeverBackedUp => ("app", "never backed up"),
        NotifyOn::Shrinking => ("app", "with a much smaller backup"),
        NotifyOn::Unverified => ("app", "with a backup that could not be checked"),
        NotifyOn::Missing => ("app", "missing in Azure's list"),
        NotifyOn::SasLapsing => ("app", "with a SAS that ends"),
        NotifyOn::NothingPlanned => ("policy", "with nothing planned"),
        NotifyOn::Discovery => ("subscription", "not listed by Azure"),
    }
}

fn subjects(on: Option<NotifyOn>) -> &'static str {
    match on.map(sentence) {
        Some(("policy", _)) => "Policies",
        Some(("subscription", _)) => "Subscriptions",
        _ => "Apps",
    }
}

fn names(notice: &Notice) -> String {
    let more = (notice.affected as usize).saturating_sub(notice.names.len());
    let names = notice.names.join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}

fn advice(notice: &Notice) -> String {
    if notice.kind == NoticeKind::Resolved {
        return String::new();
    }
    notice.cause.map(cause_advice::advice).unwrap_or_default().to_owned()
}

/// A command and a page of the console that show more.
fn look_at(notice: &Notice) -> (String, String) {
    match (notice.run, notice.on) {
        (Some(run), _) if notice.affected == 1 => {
            (format!("holdfast runs show {run}"), format!("runs/{run}"))
        }
        (_, Some(_)) => ("holdfast status --problems".to_owned(), "fleet".to_owned()),
        (_, None) => ("holdfast status".to_owned(), String::new()),
    }
}

fn severity(notice: &Notice) -> Severity {
    match (notice.kind, notice.on) {
        (NoticeKind::Resolved | NoticeKind::Digest | NoticeKind::Test, _) | (_, None) => Severity::Info,
        (_, Some(NotifyOn::Objective | NotifyOn::Lost)) => Severity::Critical,
        (
            _,
            Some(
                NotifyOn::Failure
                | NotifyOn::Missed
                | NotifyOn::Restore
                | NotifyOn::Drill
                | NotifyOn::NeverBackedUp
                | NotifyOn::NothingPlanned
                | NotifyOn::Discovery,
            ),
        ) => Severity::Error,
        _ => Severity::Warning,
    }
}
