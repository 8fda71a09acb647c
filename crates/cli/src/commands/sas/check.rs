//! `holdfast sas check`: will the SAS of each storage do for a backup that begins now?

use holdfast_model::{SasFacts, StorageName, Timestamp};
use holdfast_storage::{Error, Need, SasHealth};
use serde::Serialize;

use crate::args::SasCheckArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, age};
use crate::runtime::engine::storages;
use holdfast_config::{Fleet, Secrets};
use holdfast_control::{longest_deadline, storage_named, unusable};

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    now: Timestamp,
    storages: Vec<Line>,
}

/// How one storage does.
#[derive(Debug, Serialize)]
struct Line {
    storage: StorageName,
    container: Option<String>,
    origin: Option<String>,
    sas: Option<SasFacts>,
    /// How many policies write to it.
    policies: usize,
    good: bool,
    /// Why it will not do.
    faults: Vec<String>,
    warnings: Vec<String>,
    /// Whether the storage account allows access by key, where it tells.
    allows_key: Option<bool>,
}

/// Runs the command.
pub async fn run(args: &SasCheckArgs, context: &Context) -> anyhow::Result<Exit> {
    // A SAS that will not do is what is looked for, and so no reason to refuse the file.
    let fleet = context.fleet_with(Secrets::Leave)?;
    let storage = storages(&fleet, &context.clock, context.rng())?;
    let named: Vec<StorageName> = args.storages.iter().map(StorageName::new).collect();
    for name in &named {
        storage_named(&fleet, name)?;
    }
    let now = context.clock.now();
    let mut lines = Vec::new();
    for name in fleet.storages.keys().filter(|name| named.is_empty() || named.contains(name)) {
        let need = Need {
            now,
            until: now + longest_deadline(&fleet, name),
            replace: None,
            reason: None,
            probe: true,
        };
        let health = storage.sas_health(name, &need).await;
        lines.push(line(&fleet, name, health));
    }
    let all_good = lines.iter().all(|line| line.good);
    if context.out.is_json() {
        context.out.json(&Document { now, storages: lines })?;
    } else {
        show(&lines, now, context)?;
    }
    Ok(if all_good { Exit::Done } else { Exit::Failed })
}

fn line(fleet: &Fleet, name: &StorageName, health: Result<SasHealth, Error>) -> Line {
    let policies = fleet.policies.values().filter(|policy| policy.policy_snapshot.storage == *name).count();
    let storage = name.clone();
    match health {
        Ok(health) => Line {
            storage,
            container: Some(health.container.to_string()),
            policies,
            good: health.is_good(),
            faults: unusable(&health),
            warnings: health.warnings.iter().map(|warning| format!("it {warning}")).collect(),
            allows_key: health.allows_key,
            origin: Some(health.origin),
            sas: Some(health.facts),
        },
        Err(error) => Line {
            storage,
            container: None,
            origin: None,
            sas: None,
            policies,
            good: false,
            faults: vec![error.to_string()],
            warnings: Vec::new(),
            allows_key: None,
        },
    }
}

fn show(lines: &[Line], now: Timestamp, context: &Context) -> std::io::Result<()> {
    let mut table = Table::new(["STORAGE", "SAS", "ENDS", "FROM", "POLICIES", "USABLE"]);
    for line in lines {
        let expiry = line.sas.as_ref().and_then(|sas| sas.window.expiry);
        let usable = match (line.good, line.warnings.is_empty()) {
            (true, true) => Cell::toned("yes", Tone::Good),
            (true, false) => Cell::toned("yes, with a warning", Tone::Warn),
            (false, _) => Cell::toned(format!("no: {}", line.faults.join("; ")), Tone::Bad),
        };
        table.row([
            line.storage.as_str().into(),
            line.sas.as_ref().map_or("-", |sas| sas.fingerprint.as_str()).into(),
            expiry.map_or_else(|| "-".to_owned(), |expiry| age(expiry, now)).into(),
            line.origin.as_deref().unwrap_or("-").into(),
            line.policies.to_string().into(),
            usable,
        ]);
    }
    context.out.table(table)?;
    for line in lines {
        for warning in &line.warnings {
            context.out.text(&format!("{}: warning: {warning}", line.storage))?;
        }
    }
    Ok(())
}
