//! `holdfast audit verify`: verifies the audit's hash chain.

use holdfast_control::audit::{AuditCheck, verify};
use holdfast_control::counted;
use holdfast_store::Mode;

use crate::args::VerifyArgs;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<Exit> {
    let store = context.store(Mode::Read).await?;
    let check = verify(&*store, args.since.as_deref()).await?;
    store.close().await;
    if context.out.is_json() {
        context.out.json(&check)?;
    } else if check.holds {
        context.out.text(&text(&check))?;
    }
    check.require()?;
    Ok(Exit::Done)
}

fn text(check: &AuditCheck) -> String {
    let AuditCheck { events, last_hash, removed, .. } = check;
    let after = if *removed == 0 { String::new() } else { format!(" after the {removed} that were removed") };
    let events = counted(*events, "event");
    let rows = if check.rows_compared { "" } else { "; its rows were not compared" };
    format!("the audit holds: {events}{after}, the last has the hash {last_hash}{rows}")
}
