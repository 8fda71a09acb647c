//! `holdfast doctor`: everything that backups depend on is tried, and nothing is changed.

mod app;
mod finding;
mod grounds;
mod rights;

use std::sync::Arc;

use holdfast_arm::Arm;
use holdfast_model::{App, Timestamp};
use serde::Serialize;
use tokio::task::JoinSet;

use self::app::Facts;
use self::finding::{Finding, Verdict, together};
use crate::args::DoctorArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone, wrapped};
use crate::runtime::engine::storages;
use holdfast_config::{Checked, Fleet, Problem, Secrets, Severity, summary};
use holdfast_control::app_names;
use holdfast_control::discovery;

/// So many apps are asked about at once.
const AT_ONCE: usize = 8;

/// What is not well is told in lines of so many characters.
const WIDTH: usize = 76;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document {
    now: Timestamp,
    /// The worst of all.
    verdict: Verdict,
    findings: Vec<Finding>,
}

/// Runs the command.
pub async fn run(args: &DoctorArgs, context: &Context) -> anyhow::Result<Exit> {
    let (path, now) = (&context.global.fleet, context.clock.now());
    let Checked { fleet, problems, .. } = holdfast_config::check(path, Secrets::Judge, now)?;
    // A secret that cannot be read keeps nobody from looking at all the rest.
    let readable =
        if fleet.is_some() { fleet } else { holdfast_config::check(path, Secrets::Leave, now)?.fleet };
    let file = context.global.fleet.display().to_string();
    let cure = "`holdfast config check` says where";
    let is_error = |problem: &&Problem| problem.severity == Severity::Error;
    let mut findings = vec![match problems.iter().find(is_error) {
        Some(error) => Finding::fail("fleet file", file, error.message.clone(), cure),
        None if problems.is_empty() => Finding::ok("fleet file", file, "holds together"),
        None => Finding::warn("fleet file", file, summary(&problems), cure),
    }];
    if let Some(fleet) = &readable {
        findings.extend(look(args, fleet, context).await?);
    }
    let verdict = findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok);
    if context.out.is_json() {
        context.out.json(&Document { now: context.clock.now(), verdict, findings })?;
    } else {
        show(&findings, context)?;
    }
    Ok(if verdict == Verdict::Fail { Exit::Failed } else { Exit::Done })
}

async fn look(args: &DoctorArgs, fleet: &Fleet, context: &Context) -> anyhow::Result<Vec<Finding>> {
    let arm = match context.azure(fleet) {
        Ok(arm) => arm,
        Err(error) => {
            let cure = "make its secret readable here";
            return Ok(vec![Finding::fail("credential", "[azure]", format!("{error:#}"), cure)]);
        }
    };
    let storage = storages(fleet, &context.clock, context.rng())?;
    let mut findings = grounds::credentials(fleet, context).await?;
    let (apps, unanswered) = apps(fleet, &arm).await;
    // Without a token no subscription answers: that is said once, and by its cause.
    let has_token = findings.iter().all(|finding| finding.verdict == Verdict::Ok);
    findings.extend(unanswered.into_iter().filter(|_| has_token));
    if let Some(name) = &args.app {
        let ids: Vec<_> = apps.iter().map(|app| app.id.clone()).collect();
        let id = app_names::app(&ids, name)?;
        let app: Vec<App> = apps.into_iter().filter(|app| app.id == id).collect();
        let policies = app.iter().filter_map(|app| fleet.policies.get(app.policy.as_ref()?));
        let names = policies.map(|policy| &policy.policy_snapshot.storage);
        findings.extend(grounds::storages(names, (fleet, &*storage), context).await);
        findings.extend(of_apps(&arm, app, fleet, context.clock.now()).await?);
        return Ok(findings);
    }
    findings.extend(grounds::storages(fleet.storages.keys(), (fleet, &*storage), context).await);
    findings.extend(grounds::backends(context).await);
    findings.extend(grounds::scratch_apps(fleet, &*arm, &apps).await);
    findings.extend(summarized(of_apps(&arm, apps, fleet, context.clock.now()).await?));
    Ok(findings)
}

/// The fleet as Azure knows it now, and the subscriptions that did not answer.
async fn apps(fleet: &Fleet, arm: &Arc<dyn Arm>) -> (Vec<App>, Vec<Finding>) {
    let (mut sites, mut unanswered) = (Vec::new(), Vec::new());
    for subscription in fleet.subscriptions() {
        match discovery::sites(arm, fleet, &subscription).await {
            Ok(found) => sites.extend(found),
            Err(error) => {
                let cure = "check the credential's role on the subscription, and the network";
                unanswered.push(Finding::fail(
                    "subscription",
                    subscription.as_str(),
                    error.to_string(),
                    cure,
                ));
            }
        }
    }
    (fleet.apps_with(&sites), unanswered)
}

async fn of_apps(
    arm: &Arc<dyn Arm>,
    apps: Vec<App>,
    fleet: &Fleet,
    now: Timestamp,
) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for some in apps.chunks(AT_ONCE) {
        let mut asked = JoinSet::new();
        for app in some.iter().cloned() {
            let arm = Arc::clone(arm);
            asked.spawn(async move { Facts::gather(&*arm, app).await });
        }
        let mut facts = Vec::new();
        while let Some(gathered) = asked.join_next().await {
            facts.push(gathered?);
        }
        facts.sort_by(|a, b| a.app.id.cmp(&b.app.id));
        for facts in facts {
            let policy = facts.app.policy.as_ref().and_then(|name| fleet.policies.get(name));
            findings.extend(facts.judge(policy, now));
        }
    }
    Ok(findings)
}

/// Of many apps only what is not well, and how many there are.
fn summarized(findings: Vec<Finding>) -> Vec<Finding> {
    let is_app = |finding: &&Finding| finding.check == "app";
    let there = findings.iter().filter(is_app).filter(|finding| finding.verdict == Verdict::Ok).count();
    let asked = findings.iter().filter(is_app).count();
    let mut summarized = Vec::new();
    if asked > 0 {
        summarized.push(Finding::ok("apps", "fleet", format!("there: {there} of {asked}")));
    }
    summarized.extend(together(findings.into_iter().filter(|finding| finding.verdict != Verdict::Ok)));
    summarized
}

fn show(findings: &[Finding], context: &Context) -> std::io::Result<()> {
    let mut table = Table::new(["", "CHECK", "OF", "FOUND"]);
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Ok => Cell::toned("ok", Tone::Good),
            Verdict::Warn => Cell::toned("warn", Tone::Warn),
            Verdict::Fail => Cell::toned("fail", Tone::Bad),
        };
        let cure = finding.cure.as_ref().map(|cure| format!("\nto do: {cure}")).unwrap_or_default();
        let says = &finding.says;
        let is_ok = finding.verdict == Verdict::Ok;
        let found = if is_ok { says.clone() } else { wrapped(&format!("{says}{cure}"), WIDTH) };
        table.row([verdict, finding.check.into(), finding.names().into(), found.into()]);
    }
    context.out.table(table)
}
