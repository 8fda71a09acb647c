//! What a report says.

use std::collections::BTreeSet;

use holdfast_model::{AppId, Outcome, PolicyName, RunId, TagFilter, Tags, Timestamp};
use serde::Serialize;

use crate::signature::{AuditEnd, Signed, SignedFile};

/// A month of apps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The month of UTC, such as `2026-11`.
    pub month: String,
    /// When it begins.
    pub from: Timestamp,
    /// When the next one begins.
    pub until: Timestamp,
    /// When the report was made, by the store's clock. Before the end of the month it is not whole.
    pub made_at: Timestamp,
    /// The apps that it is about.
    #[serde(flatten)]
    pub scope: ReportScope,
    /// Where the audit ended when the report was made.
    pub audit: AuditEnd,
    /// All apps together.
    pub totals: Totals,
    /// The apps, by id.
    pub apps: Vec<AppReport>,
}

/// The apps that a report is about: those to which all of it applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReportScope {
    /// The policies of the latest run in the month; empty for all.
    pub policies: BTreeSet<PolicyName>,
    /// The tags that an app has when the report is made, or had when it left; all of them.
    pub tags: BTreeSet<TagFilter>,
}

impl ReportScope {
    /// Whether an app with these tags is one of them.
    pub(super) fn has(&self, app: &AppReport, tags: &Tags) -> bool {
        let is_of_policy = |policy: &PolicyName| self.policies.contains(policy);
        (self.policies.is_empty() || app.policy.as_ref().is_some_and(is_of_policy))
            && tags.satisfy_all(&self.tags)
    }

    /// In words, such as `the policy gold, the tag team=shop`.
    pub(super) fn describe(&self) -> String {
        let policies = self.policies.iter().map(|policy| format!("the policy {policy}"));
        let tags = self.tags.iter().map(|tag| format!("the tag {tag}"));
        let all: Vec<String> = policies.chain(tags).collect();
        if all.is_empty() { "all apps".to_owned() } else { format!("apps with {}", all.join(", ")) }
    }
}

/// The numbers of all apps together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Number of apps.
    pub apps: usize,
    /// Backups that were owed.
    pub owed: u64,
    /// Backups that are good.
    pub good: u64,
    /// Apps with a drill that passed.
    pub proven: usize,
    /// Apps all of whose owed backups are good.
    pub whole: usize,
}

/// An app's month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppReport {
    /// The app.
    pub app: AppId,
    /// Its short name.
    pub name: String,
    /// The policy of its latest run in the month.
    pub policy: Option<PolicyName>,
    /// Backups that were owed: those that ended, and ticks that were missed.
    pub owed: u32,
    /// Backups that are good under their policy.
    pub good: u32,
    /// Partial backups that are not.
    pub partial: u32,
    /// Backups that failed.
    pub failed: u32,
    /// Ticks that were not run.
    pub missed: u32,
    /// Drills that passed.
    pub drills_passed: u32,
    /// Drills that did not.
    pub drills_failed: u32,
    /// When the last drill passed.
    pub proven_at: Option<Timestamp>,
    /// Backups that were there at the end of the month, or when the report was made.
    pub kept: u32,
    /// The oldest of them.
    pub oldest_kept_at: Option<Timestamp>,
    /// Backups that Holdfast deleted.
    pub deleted: u32,
    /// Backups that went missing otherwise.
    pub lost: u32,
    /// Restores, by the app that they read.
    pub restores: Vec<Act>,
    /// Deletions that people asked for.
    pub deletions: Vec<Act>,
}

/// What a person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// The run.
    pub run: RunId,
    /// Who, as the audit has it.
    pub who: Option<String>,
    /// What, in words.
    pub what: String,
    /// How it ended; `None` while it has not.
    pub outcome: Option<Outcome>,
}

impl AppReport {
    /// An app of which nothing happened.
    pub(super) fn new(app: AppId) -> Self {
        Self {
            name: app.short_name(),
            app,
            policy: None,
            owed: 0,
            good: 0,
            partial: 0,
            failed: 0,
            missed: 0,
            drills_passed: 0,
            drills_failed: 0,
            proven_at: None,
            kept: 0,
            oldest_kept_at: None,
            deleted: 0,
            lost: 0,
            restores: Vec::new(),
            deletions: Vec::new(),
        }
    }

    /// The acts of people as text, oldest first.
    pub(super) fn acts(&self) -> Vec<String> {
        let mut acts: Vec<&Act> = self.restores.iter().chain(&self.deletions).collect();
        acts.sort_by_key(|act| act.at);
        let text = |act: &Act| {
            let who = act.who.as_ref().map(|who| format!(" by {who}")).unwrap_or_default();
            let outcome = act.outcome.map_or("under way", Outcome::as_str);
            format!("{}: {}{who}: {outcome}", holdfast_model::format_timestamp(act.at), act.what)
        };
        acts.into_iter().map(text).collect()
    }
}

impl Report {
    /// What is signed of the file with this SHA-256, which has the report in one of its forms.
    pub fn as_file(&self, sha256: String) -> SignedFile {
        let what = Signed::Report { month: self.month.clone() };
        SignedFile { what, sha256, audit: self.audit.clone(), at: self.made_at }
    }
}

impl Totals {
    pub(super) fn of(apps: &[AppReport]) -> Self {
        let sum = |of: fn(&AppReport) -> u32| apps.iter().map(|app| u64::from(of(app))).sum();
        let count = |of: fn(&AppReport) -> bool| apps.iter().filter(|app| of(app)).count();
        Self {
            apps: apps.len(),
            owed: sum(|app| app.owed),
            good: sum(|app| app.good),
            proven: count(|app| app.drills_passed > 0),
            whole: count(|app| app.owed > 0 && app.good == app.owed),
        }
    }
}
