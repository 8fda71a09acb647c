//! A draft as the text of a fleet file.

use std::fmt::Write as _;

use super::draft::{DraftApp, DraftPolicy, DraftStorage, FleetDraft, LeftOut, SecretToSet};

/// The `[azure]` section of a person who is logged in with `az login`.
pub const AZURE_CLI: &str = "[azure]\ncredential = { kind = \"azure_cli\" }\n";

/// The whole fleet file, with these `[azure]` sections.
pub fn fleet_file(azure: &str, draft: &FleetDraft) -> String {
    format!(
        "# A first fleet file, made from what Azure has. Read it; `holdfast config check` and `holdfast doctor` check it.\n\
         # Secrets are references: no SAS, key or connection string is in this file.\n\n{}\n\n{}",
        azure.trim_end(),
        fragment(draft)
    )
}

/// The storages, policies and apps alone.
pub fn fragment(draft: &FleetDraft) -> String {
    let mut parts: Vec<String> = draft.storages.iter().map(storage).collect();
    parts.extend(draft.policies.iter().map(policy));
    parts.extend(draft.apps.iter().map(app));
    let (never, not_yet): (Vec<&LeftOut>, Vec<&LeftOut>) = draft.left_out.iter().partition(|app| app.never);
    if !not_yet.is_empty() {
        parts.push("# In no policy. To enroll an app, name a policy and remove the `#`.\n".to_owned());
        let policy = draft.policies.first().map_or("NAME", |policy| policy.name.as_str());
        parts.extend(not_yet.into_iter().map(|app| suggestion(app, policy)));
    }
    if !never.is_empty() {
        let mut text = "# Azure does not back these up.\n".to_owned();
        for app in never {
            line(&mut text, &format!("# {} {}", app.app, one_line(&app.why)));
        }
        parts.push(text);
    }
    parts.join("\n")
}

fn storage(storage: &DraftStorage) -> String {
    let DraftStorage { name, container, sas, secret } = storage;
    let how = if container.contains('{') { "; Holdfast makes a SAS of each container with it" } else { "" };
    let set = |secret: &SecretToSet| format!("# Set {}: {}{how}\n", secret.variable, one_line(&secret.holds));
    let comment = secret.as_ref().map(set);
    format!(
        "{}[storage.{name}]\ncontainer = {}\nsas = {sas}\n",
        comment.unwrap_or_default(),
        quoted(container)
    )
}

fn policy(policy: &DraftPolicy) -> String {
    let mut text = format!("# {}\n[policy.{}]\n", one_line(&policy.origin), policy.name);
    line(&mut text, &format!("schedule = {}", quoted(&policy.schedule)));
    if let Some(spread) = &policy.spread {
        line(&mut text, &format!("spread = {}", quoted(spread)));
    }
    line(&mut text, &format!("storage = {}", quoted(&policy.storage)));
    line(&mut text, &format!("recovery_point_objective = {}", quoted(&policy.recovery_point_objective)));
    if let Some((days, keep_at_least)) = policy.retention {
        line(
            &mut text,
            "# A dry run deletes nothing: `holdfast retention` shows what `dry_run = false` would delete.",
        );
        line(
            &mut text,
            &format!("retention = {{ days = {days}, keep_at_least = {keep_at_least}, dry_run = true }}"),
        );
    }
    text
}

fn app(app: &DraftApp) -> String {
    let mut text = entry(&app.app.to_string(), &app.policy);
    if !app.databases.is_empty() {
        let database = |database: &super::DraftDatabase| {
            format!(
                "    {{ type = {}, name = {}, connection_string = {} }},\n",
                quoted(database.kind),
                quoted(&database.name),
                quoted(&database.connection_string)
            )
        };
        let list: String = app.databases.iter().map(database).collect();
        line(&mut text, &format!("databases = [\n{list}]"));
    }
    text
}

fn suggestion(app: &LeftOut, policy: &str) -> String {
    let entry = entry(&app.app.to_string(), policy).replace('\n', "\n#");
    format!(
        "# {} {}\n#{}\n",
        app.app.short_name(),
        one_line(&app.why),
        entry.trim_end_matches('#').trim_end()
    )
}

/// An `[[app]]` entry.
pub(super) fn entry(id: &str, policy: &str) -> String {
    format!("[[app]]\nid = {}\npolicy = {}\n", quoted(id), quoted(policy))
}

/// The text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The text without what would end a comment.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}
