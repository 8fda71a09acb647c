//! `holdfast doctor`: checks everything that backups depend on, and changes nothing.

mod egress;

use std::sync::Arc;
use std::time::Duration;

use holdfast_config::{Cloud, Fleet, ZoneData};
use holdfast_control::doctor::{self, Credential, Doctor, Finding, FindingSeverity};
use holdfast_identity::{Identities, scope, section};
use holdfast_model::Timestamp;
use holdfast_store::Store;
use holdfast_telemetry::remember_secret;
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, wrapped};
use crate::runtime::backends::broker;
use holdfast_runtime::fleet_parts::storages;

/// Line width of findings that are not `Ok`, in characters.
const WIDTH: usize = 76;

/// Longest time that the check of the store's rows takes.
const ROWS_WITHIN: Duration = Duration::from_secs(20);

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    now: Timestamp,
    /// The worst of all findings.
    severity: FindingSeverity,
    findings: Vec<Finding>,
}

/// Runs the command.
pub async fn run(args: &DoctorArgs, context: &Context) -> anyhow::Result<Exit> {
    if args.egress {
        return egress::run(context);
    }
    let (finding, fleet) = doctor::fleet_file(&context.global.fleet, context.clock.now())?;
    let mut findings = vec![finding, doctor::time_zones(&ZoneData::find())];
    if let Some(fleet) = &fleet {
        findings.extend(check(args, fleet, context).await?);
    }
    if args.app.is_none() {
        findings = doctor::worst_first(findings);
    }
    let severity = doctor::worst(&findings);
    if context.out.is_document() {
        context.out.document(&Document { now: context.clock.now(), severity, findings })?;
    } else {
        context.out.table(table(&findings))?;
    }
    Ok(if severity == FindingSeverity::Fail { Exit::Failed } else { Exit::Done })
}

async fn check(args: &DoctorArgs, fleet: &Fleet, context: &Context) -> anyhow::Result<Vec<Finding>> {
    let store = context.store_for_calls().await;
    let findings = check_with(args, fleet, &store, context).await;
    if let Ok(store) = store {
        store.close().await;
    }
    findings
}

/// Checks with the shared request budgets of `store`, if it could be opened.
async fn check_with(
    args: &DoctorArgs,
    fleet: &Fleet,
    store: &anyhow::Result<Arc<dyn Store>>,
    context: &Context,
) -> anyhow::Result<Vec<Finding>> {
    let arm = match context.azure(fleet, store.as_ref().ok()) {
        Ok(arm) => arm,
        Err(error) => return Ok(vec![doctor::unreadable_credential(format!("{error:#}"))]),
    };
    let storage = storages(fleet, &context.clock, context.rng())?;
    let credentials = credentials(fleet, context)?;
    let bar = context.out.progress(0, "checking {bar:40} {pos}/{len} apps [{elapsed}]");
    let progress = |done: usize, total: usize| {
        bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    };
    let clock = Arc::clone(&context.clock);
    let doctor = Doctor { fleet, arm, storage, credentials, clock, progress: &progress };
    let findings = match &args.app {
        Some(name) => doctor.check_app(name).await,
        None => Ok(doctor.check_fleet(backends(store, context).await).await),
    };
    bar.finish_and_clear();
    Ok(findings?)
}

/// What checks the credential of each `[azure]` section.
fn credentials(fleet: &Fleet, context: &Context) -> anyhow::Result<Vec<Credential>> {
    let identities = Identities::new(fleet, &context.clock, remember_secret)?;
    let credential = |cloud: &Cloud| {
        let tokens = identities.access(Some(&cloud.name))?.tokens;
        Ok(Credential { section: section(cloud), scope: scope(&cloud.endpoint), tokens })
    };
    fleet.clouds.iter().map(credential).collect()
}

/// The findings about the store and, where one is named, the broker.
async fn backends(store: &anyhow::Result<Arc<dyn Store>>, context: &Context) -> Vec<Finding> {
    let failure = store.as_ref().err().map(|error| (error.downcast_ref(), format!("{error:#}")));
    let mut findings = vec![doctor::store(&context.place(), &context.global.store, failure)];
    if let Ok(store) = store {
        let rows = tokio::time::timeout(ROWS_WITHIN, store.unreadable_rows()).await.ok();
        findings.push(doctor::rows(&context.place(), rows));
        findings.extend(doctor::safeguards(&context.place(), store.safeguards().await));
    }
    if context.global.amqp_url.is_some() {
        let failure = broker(None, context).await.err();
        findings.push(doctor::broker(failure.map(|error| format!("{error:#}"))));
    }
    findings.extend(context.servers().iter().flatten().map(doctor::login));
    findings
}

fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(["", "CHECK", "OF", "FOUND"]);
    for finding in findings {
        let severity = match finding.severity {
            FindingSeverity::Ok => Cell::toned("ok", Tone::Good),
            FindingSeverity::Warn => Cell::toned("warn", Tone::Warn),
            FindingSeverity::Fail => Cell::toned("fail", Tone::Bad),
        };
        let found = match &finding.cure {
            Some(cure) => {
                Cell::lines(&wrapped(&format!("{}\nto do: {cure}", finding.says), WIDTH), Tone::Plain)
            }
            None => finding.says.as_str().into(),
        };
        table.row([severity, finding.check.into(), finding.names().into(), found]);
    }
    table
}
