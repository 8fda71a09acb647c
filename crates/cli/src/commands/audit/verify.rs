//! `holdfast audit verify`: verifies the audit's hash chain, and compares it with signed checkpoints.

use std::io::BufReader;

use holdfast_config::Secrets;
use holdfast_control::audit::{
    AnchorReport, Anchors, AuditCheck, CheckpointLines, ExportedChain, StoredChain, compare_rows, verify,
};
use holdfast_control::{Error, ErrorKind, counted};
use holdfast_model::format_timestamp;
use holdfast_store::Mode;

use super::checkpoint_source;
use crate::args::VerifyArgs;
use crate::commands::signing::public_keys;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<Exit> {
    let anchors = anchors(args, context).await?;
    let check = check(args, anchors, context).await?;
    if context.out.is_document() {
        context.out.document(&check)?;
    } else if check.holds {
        context.out.text(&text(&check))?;
    }
    check.require()?;
    Ok(Exit::Done)
}

async fn check(args: &VerifyArgs, anchors: Option<Anchors>, context: &Context) -> anyhow::Result<AuditCheck> {
    let since = args.since.as_deref();
    let Some(path) = &args.events else {
        if let Some(server) = context.server()? {
            return Ok(server.verify_audit(since).await?);
        }
        let store = context.store(Mode::Read).await?;
        let mut check = verify(&mut StoredChain(&*store), since, anchors).await?;
        compare_rows(&mut check, &*store).await?;
        store.close().await;
        return Ok(check);
    };
    let file = std::fs::File::open(path).map_err(|error| {
        let what = format!("the exported audit {} cannot be read: {error}", path.display());
        Error::new(ErrorKind::NotFound, what)
    })?;
    let mut chain = ExportedChain::new(path.display().to_string(), BufReader::new(file));
    Ok(verify(&mut chain, since, anchors).await?)
}

/// The checkpoints that the arguments name, once their signatures are verified.
async fn anchors(args: &VerifyArgs, context: &Context) -> anyhow::Result<Option<Anchors>> {
    let Some(from) = &args.checkpoints else { return Ok(None) };
    if args.events.is_none() && context.address()?.is_some() {
        let error =
            Error::new(ErrorKind::Invalid, "a server compares its audit with no checkpoints of yours");
        let help = "export its audit with `holdfast audit export`, and give the file with --events";
        return Err(error.help(help).into());
    }
    let name = args.name.clone().or_else(|| fleet_name(context));
    let lines = checkpoint_source::read(from, name.as_deref(), context).await?;
    let (fleet, checkpoints) = lines.of_fleet(name.as_deref())?;
    let keys = public_keys(&args.public_key)?;
    if keys.is_empty() {
        context.out.message(
            "warning: the signatures of the checkpoints are not verified: give the public key with --public-key",
        );
    } else {
        lines.require_signed(&fleet, &keys)?;
    }
    warn_of_torn(&lines, context);
    Ok(Some(Anchors::new(checkpoints)))
}

/// The name of the fleet in checkpoints, where a fleet file is there and has them.
fn fleet_name(context: &Context) -> Option<String> {
    let checked = holdfast_config::check(&context.global.fleet, Secrets::Leave, context.clock.now()).ok()?;
    Some(checked.fleet?.checkpoints?.name)
}

fn warn_of_torn(lines: &CheckpointLines, context: &Context) {
    for origin in &lines.torn {
        context
            .out
            .message(&format!("warning: {origin} was cut off when it was written, and proves nothing"));
    }
}

fn text(check: &AuditCheck) -> String {
    let AuditCheck { events, last_hash, removed, checkpoints, .. } = check;
    let after = if *removed == 0 { String::new() } else { format!(" after the {removed} that were removed") };
    let events = counted(*events, "event");
    let rows = if check.rows_compared { "" } else { "; no rows were compared" };
    let holds = format!("the audit holds: {events}{after}, the last has the hash {last_hash}{rows}");
    match checkpoints {
        Some(report) => format!("{holds}\n{}", compared(report)),
        None => holds,
    }
}

fn compared(report: &AnchorReport) -> String {
    let AnchorReport { agree, before_first, latest_at, latest_seq, newer_events } = report;
    let before = match before_first {
        0 => String::new(),
        count => format!(", {count} more cover events that were removed"),
    };
    let latest = latest_at
        .zip(*latest_seq)
        .map(|(at, seq)| format!("; the latest, of {}, covers event {seq}", format_timestamp(at)));
    let newer = counted(*newer_events, "newer event");
    let verb = if *agree == 1 { "agrees" } else { "agree" };
    format!(
        "{} {verb} with it{before}{}; {newer} without a checkpoint",
        counted(*agree, "checkpoint"),
        latest.unwrap_or_default()
    )
}
