//! `holdfast init` and `holdfast import`: fleet files from what is there.

use std::collections::BTreeSet;
use std::path::Path;

use holdfast_config::{Fleet, Invalid, Secrets, azure_sections, check_text};
use holdfast_control::take_over::{
    AZURE_CLI, DraftOptions, FleetDraft, Look, SeenSubscriptions, check_new, contents, draft, fleet_file,
    fragment, from_csv, from_terraform, gaps, look, seen_subscriptions, summary, write_new,
};
use holdfast_control::{Error, ErrorKind};
use holdfast_model::SubscriptionId;
use serde_json::{Value, json};

use crate::args::{DraftArgs, ImportCommand, ImportNativeArgs, InitArgs, LookArgs};
use crate::context::Context;
use crate::exit::Exit;

/// Runs `holdfast init`.
pub async fn init(args: &InitArgs, context: &Context) -> anyhow::Result<Exit> {
    let path = &context.global.fleet;
    if !args.print {
        check_new(path)?;
    }
    let azure = match &args.azure_from {
        Some(path) => azure_sections(path)?,
        None => AZURE_CLI.to_owned(),
    };
    let checked = check_text("[azure]", &azure, context.clock.now());
    let Some(credentials) = checked.fleet else { return Err(Invalid(checked.problems).into()) };
    let found = looked(&args.look, &credentials, context).await?;
    let draft = draft(&found.apps, &options(&args.draft, None, context)?);
    let toml = fleet_file(&azure, &draft);
    if args.print {
        return show(&draft, &found, &toml, context);
    }
    write_new(path, &toml, context.clock.now())?;
    tell(&draft, &found, context);
    let said = format!("{} has {}", path.display(), contents(&draft));
    context.out.show(&document(&draft, &found, &toml, Some(path)), || said.into())?;
    context.out.message(
        "next: `holdfast config check`, then `holdfast doctor`; docs/take-over.md has the whole way",
    );
    Ok(exit(&found))
}

/// Runs `holdfast import`.
pub async fn import(command: &ImportCommand, context: &Context) -> anyhow::Result<Exit> {
    match command {
        ImportCommand::Native(args) => native(args, context).await,
        ImportCommand::TerraformState(args) => {
            let found = Look { apps: from_terraform(&read(&args.file)?)?, ..Look::default() };
            let draft = draft(&found.apps, &options(&args.draft, None, context)?);
            show(&draft, &found, &fragment(&draft), context)
        }
        ImportCommand::Csv(args) => {
            let (toml, apps) = from_csv(&read(&args.file)?)?;
            context.out.show(&json!({ "toml": toml, "apps": apps }), || toml.clone().into())?;
            Ok(Exit::Done)
        }
    }
}

async fn native(args: &ImportNativeArgs, context: &Context) -> anyhow::Result<Exit> {
    let fleet = context.fleet_with(Secrets::Leave)?;
    let found = looked(&args.look, &fleet, context).await?;
    let draft = draft(&found.apps, &options(&args.draft, Some(&fleet), context)?);
    show(&draft, &found, &fragment(&draft), context)
}

async fn looked(args: &LookArgs, fleet: &Fleet, context: &Context) -> anyhow::Result<Look> {
    let named: BTreeSet<SubscriptionId> = args.subscription.iter().cloned().collect();
    let named = if named.is_empty() { fleet.subscriptions() } else { named };
    let arm = context.azure(fleet, None)?;
    let seen = if named.is_empty() { seen_subscriptions(&arm).await? } else { SeenSubscriptions::default() };
    let subscriptions = if named.is_empty() { seen.ids() } else { named };
    Ok(Look { seen, ..look(&arm, &subscriptions, args.slots).await? })
}

fn options<'f>(
    args: &DraftArgs,
    fleet: Option<&'f Fleet>,
    context: &Context,
) -> anyhow::Result<DraftOptions<'f>> {
    // The text is not repeated: it may have a SAS.
    let parsed = args.container.as_ref().map(|text| text.parse()).transpose();
    let container = parsed.map_err(|error: holdfast_storage::InvalidContainer| {
        Error::new(ErrorKind::Invalid, format!("--container: {error}"))
    })?;
    Ok(DraftOptions { sas: args.sas.into(), container, fleet, now: context.clock.now() })
}

/// Prints TOML for people to put into a fleet file.
fn show(draft: &FleetDraft, found: &Look, toml: &str, context: &Context) -> anyhow::Result<Exit> {
    tell(draft, found, context);
    context.out.show(&document(draft, found, toml, None), || toml.to_owned().into())?;
    Ok(exit(found))
}

fn document(draft: &FleetDraft, found: &Look, toml: &str, file: Option<&Path>) -> Value {
    json!({ "file": file, "toml": toml, "draft": draft, "subscriptions": found.seen,
        "unanswered": found.unanswered,
        "without_slots": found.without_slots, "unusable_ids": found.left_out })
}

/// Says what a person should know; programs have it in the document.
fn tell(draft: &FleetDraft, found: &Look, context: &Context) {
    if context.out.is_document() {
        return;
    }
    for gap in gaps(found) {
        context.out.message(&gap);
    }
    let summary = summary(draft);
    if !summary.is_empty() {
        context.out.message(&summary);
    }
}

/// A partial result is written, and is still a failure of Azure's.
fn exit(found: &Look) -> Exit {
    let is_whole = found.unanswered.is_empty() && found.without_slots.is_empty();
    if is_whole { Exit::Done } else { Exit::Azure }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("{} cannot be read: {error}", path.display())).into()
    })
}
