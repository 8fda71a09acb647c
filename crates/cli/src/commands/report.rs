//! `holdfast report`: a month of the fleet, for people outside of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use holdfast_control::report::{Month, Report, ReportScope, build, csv, html};
use holdfast_control::signature::{FileSignature, Signed};
use holdfast_control::{Error, ErrorKind};
use holdfast_model::PolicyName;
use holdfast_store::{Mode, sha256_hex};
use serde_json::json;

use crate::args::{ReportArgs, ReportCommand, ReportForm, VerifyReportArgs};
use crate::commands::signing::{public_keys, read, signing_key};
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub async fn run(args: &ReportArgs, context: &Context) -> anyhow::Result<Exit> {
    match (&args.command, args.month) {
        (Some(ReportCommand::Verify(args)), _) => verify(args, context),
        (None, Some(month)) => make(args, month, context).await,
        (None, None) => Err(Error::new(ErrorKind::Invalid, "a report needs --month").into()),
    }
}

async fn make(args: &ReportArgs, month: Month, context: &Context) -> anyhow::Result<Exit> {
    let policies = args.policy.iter().map(PolicyName::new).collect();
    let scope = ReportScope { policies, tags: args.tags.iter().cloned().collect() };
    let store = context.store(Mode::Read).await?;
    let report = build(&*store, month, scope).await;
    store.close().await;
    let report = report.with_context(|| format!("failed to make the report of {month}"))?;
    let file = formed(&report, args.form)?;
    let Some(path) = &args.to else {
        context.out.text(&String::from_utf8(file)?)?;
        return Ok(Exit::Done);
    };
    let key = signing_key(args.key.as_ref(), context)?;
    write_new(path, &file)?;
    let signature = key.map(|key| FileSignature::sign(report.as_file(sha256_hex(&file)), &key));
    if let Some(signature) = &signature {
        write_new(&beside(path), format!("{}\n", signature.line()).as_bytes())?;
    } else {
        context
            .out
            .message("the report is not signed: give a key with --key, which `holdfast audit keygen` makes");
    }
    let said = format!("{} has the report of {month} about {} apps", path.display(), report.totals.apps);
    let document = json!({ "file": path, "signature": signature.as_ref().map(|_| beside(path)), "month": report.month,
        "totals": report.totals, "audit": report.audit });
    context.out.show(&document, || said.into())?;
    Ok(Exit::Done)
}

fn formed(report: &Report, form: ReportForm) -> anyhow::Result<Vec<u8>> {
    Ok(match form {
        ReportForm::Html => html(report).into_bytes(),
        ReportForm::Csv => csv(report)?,
        ReportForm::Json => serde_json::to_vec_pretty(report)?,
    })
}

/// Verifies a report by its bytes, its signature and a public key alone.
fn verify(args: &VerifyReportArgs, context: &Context) -> anyhow::Result<Exit> {
    let path = args.signature.clone().unwrap_or_else(|| beside(&args.file));
    let invalid = |path: &Path, why: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Refused, format!("{}: {why}", path.display()))
    };
    let line = String::from_utf8(read(&path)?)?;
    let signature = FileSignature::parse(&line).map_err(|error| invalid(&path, &error))?;
    let Signed::Report { month } = &signature.signed.what else {
        return Err(invalid(&path, &"it is the signature of something else than a report").into());
    };
    let keys = public_keys(&args.public_key)?;
    signature.verify(&sha256_hex(&read(&args.file)?), &keys).map_err(|error| invalid(&args.file, &error))?;
    let signed = &signature.signed;
    let said = format!(
        "{} is the report of {}, signed with the key {} when the audit ended with event {}, hash {}",
        args.file.display(),
        month,
        signature.key,
        signed.audit.seq,
        signed.audit.hash
    );
    context.out.show(&json!({ "holds": true, "key": signature.key, "signed": signed }), || said.into())?;
    Ok(Exit::Done)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

fn write_new(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let written = std::fs::File::create_new(path).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.with_context(|| format!("failed to write the new file {}", path.display()))
}
