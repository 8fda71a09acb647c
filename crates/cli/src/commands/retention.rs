//! `holdfast retention`: which backups the rules would delete now, and why the others are kept.

use holdfast_config::Secrets;
use holdfast_control::counted;
use holdfast_control::retention::{BackupRetention, RetentionReport, retention};
use holdfast_model::PolicyName;
use holdfast_store::Mode;

use crate::args::RetentionArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age, bytes};

/// Runs the command.
pub async fn run(args: &RetentionArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet_with(Secrets::Leave)?;
    let policy = args.policy.as_deref().map(PolicyName::new);
    let store = context.store(Mode::Read).await?;
    let report = retention(&fleet, &*store, args.app.as_deref(), policy.as_ref()).await?;
    store.close().await;
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
    match backup.decision {
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
