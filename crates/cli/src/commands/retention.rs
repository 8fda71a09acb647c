//! `holdfast retention`: which backups the rules would delete now, and why the others are kept.

use holdfast_client::Server;
use holdfast_config::Secrets;
use holdfast_control::retention::{BackupRetention, RetentionReport, retention};
use holdfast_control::{Error, counted};
use holdfast_model::PolicyName;
use holdfast_store::Mode;

use crate::args::RetentionArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age, bytes};
use crate::place::Request;

/// Runs the command.
pub async fn run(args: &RetentionArgs, context: &Context) -> anyhow::Result<Exit> {
    let report = context.ask(args).await?;
    if context.out.is_document() {
        context.out.document(&report)?;
    } else if report.apps.is_empty() {
        context.out.text("the catalog has no backups of these apps")?;
    } else {
        context.out.table(table(&report))?;
        context.out.text(&summary(&report))?;
    }
    Ok(Exit::Done)
}

impl Request for RetentionArgs {
    type Answer = RetentionReport;

    async fn here(&self, context: &Context) -> anyhow::Result<RetentionReport> {
        let policy = self.policy.as_deref().map(PolicyName::new);
        let store = context.store(Mode::Read).await?;
        let fleet = context.in_force(&*store, Secrets::Leave).await?.fleet;
        let report = retention(&fleet, &*store, self.app.as_deref(), policy.as_ref()).await?;
        store.close().await;
        Ok(report)
    }

    async fn there(&self, server: &Server) -> Result<RetentionReport, Error> {
        server.retention(self.app.as_deref(), self.policy.as_deref()).await
    }
}

fn table(report: &RetentionReport) -> Table {
    let mut table = Table::new(["APP", "POLICY", "BACKUP", "CREATED", "SIZE", "RETENTION"]);
    for app in &report.apps {
        for backup in &app.backups {
            table.row([
                app.name.as_str().into(),
                app.policy.as_ref().map_or("none", PolicyName::as_str).into(),
                backup.backup_id.to_string().into(),
                age(backup.accepted_at, report.now).into(),
                bytes(backup.size_bytes).into(),
                decision(backup),
            ]);
        }
    }
    table
}

fn decision(backup: &BackupRetention) -> Cell {
    match backup.decision.as_deref() {
        Some(word) if backup.is_deleted() => Cell::toned(word, Tone::Bad),
        Some(word) => word.into(),
        None => "kept: no rule".into(),
    }
}

/// One line for each policy with a rule.
fn summary(report: &RetentionReport) -> String {
    let mut lines = Vec::new();
    for of in report.by_policy() {
        let what = if of.dry_run { "would be deleted, but its rule is a dry run" } else { "will be deleted" };
        lines.push(format!("{}: {} of {} {what}", of.policy, of.deleted, counted(of.total, "backup")));
    }
    if lines.is_empty() {
        "no policy of these apps has a rule: every backup is kept".to_owned()
    } else {
        lines.join("\n")
    }
}
