//! `holdfast doctor`: checks everything that backups depend on, and changes nothing.

use holdfast_config::{Cloud, Fleet, ZoneData};
use holdfast_control::doctor::{self, Credential, Doctor, Finding, FindingSeverity};
use holdfast_model::Timestamp;
use holdfast_store::Mode;
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, wrapped};
use crate::runtime::backends::broker;
use crate::runtime::clouds::{scope, section};
use crate::runtime::engine::storages;
use crate::runtime::identities::Identities;

/// Line width of findings that are not `Ok`, in characters.
const WIDTH: usize = 76;

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
    let (finding, fleet) = doctor::fleet_file(&context.global.fleet, context.clock.now())?;
    let mut findings = vec![finding, doctor::time_zones(&ZoneData::find())];
    if let Some(fleet) = &fleet {
        findings.extend(check(args, fleet, context).await?);
    }
    let severity = doctor::worst(&findings);
    if context.out.is_json() {
        context.out.json(&Document { now: context.clock.now(), severity, findings })?;
    } else {
        context.out.table(table(&findings))?;
    }
    Ok(if severity == FindingSeverity::Fail { Exit::Failed } else { Exit::Done })
}

async fn check(args: &DoctorArgs, fleet: &Fleet, context: &Context) -> anyhow::Result<Vec<Finding>> {
    let arm = match context.azure(fleet) {
        Ok(arm) => arm,
        Err(error) => return Ok(vec![doctor::unreadable_credential(format!("{error:#}"))]),
    };
    let storage = storages(fleet, &context.clock, context.rng())?;
    let credentials = credentials(fleet, context)?;
    let doctor = Doctor { fleet, arm, storage, credentials, clock: context.clock.clone() };
    match &args.app {
        Some(name) => Ok(doctor.check_app(name).await?),
        None => Ok(doctor.check_fleet(backends(context).await).await),
    }
}

/// What checks the credential of each `[azure]` section.
fn credentials(fleet: &Fleet, context: &Context) -> anyhow::Result<Vec<Credential>> {
    let identities = Identities::new(fleet, &context.clock)?;
    let credential = |cloud: &Cloud| {
        let tokens = identities.access(Some(&cloud.name))?.tokens;
        Ok(Credential { section: section(cloud), scope: scope(&cloud.endpoint), tokens })
    };
    fleet.clouds.iter().map(credential).collect()
}

/// The findings about the store and, where one is named, the broker.
async fn backends(context: &Context) -> Vec<Finding> {
    let failure = match context.store(Mode::Read).await {
        Ok(store) => {
            store.close().await;
            None
        }
        Err(error) => Some(error),
    };
    let failure = failure.as_ref().map(|error| (error.downcast_ref(), format!("{error:#}")));
    let mut findings = vec![doctor::store(&context.place(), &context.global.store, failure)];
    if context.global.amqp_url.is_some() {
        let failure = broker(None, context).await.err();
        findings.push(doctor::broker(failure.map(|error| format!("{error:#}"))));
    }
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
