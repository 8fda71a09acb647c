//! The names of apps, policies and tags, for the completions of a shell. What cannot be read completes nothing.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use clap_complete::engine::CompletionCandidate;
use holdfast_config::{Fleet, Secrets};
use holdfast_model::{AppId, Clock, SystemClock, Tags};
use holdfast_store::{Mode, SqliteStore, Store as _};

/// The short names of the apps of the fleet file and of the store's file. A database is not asked: it may be far away.
pub fn apps() -> Vec<CompletionCandidate> {
    let names: BTreeSet<String> = known().into_iter().map(|(app, _)| app.short_name()).collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The names of the tags of these apps, and after a name its values.
pub fn tags(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let words = |(name, value): (&str, &str)| {
        if begun.contains('=') { format!("{name}={value}") } else { format!("{name}=") }
    };
    let all = known();
    let found: BTreeSet<String> = all.iter().flat_map(|(_, tags)| tags.iter().map(words)).collect();
    let matching = found.into_iter().filter(|word| word.starts_with(&*begun));
    matching.map(CompletionCandidate::new).collect()
}

/// The policies of the fleet file.
pub fn policies() -> Vec<CompletionCandidate> {
    let names = fleet().into_iter().flat_map(|fleet| fleet.policies.into_keys());
    names.map(|name| CompletionCandidate::new(name.as_str())).collect()
}

fn fleet() -> Option<Fleet> {
    let path = chosen("--fleet", "HOLDFAST_FLEET", "fleet.toml");
    holdfast_config::check(&path, Secrets::Leave, SystemClock::default().now()).ok()?.fleet
}

/// The apps with their tags, of the fleet file and of the store's file.
fn known() -> Vec<(AppId, Tags)> {
    let listed = fleet().into_iter().flat_map(|fleet| fleet.apps).map(|app| (app.id, app.tags));
    listed.chain(stored().unwrap_or_default()).collect()
}

fn stored() -> Option<Vec<(AppId, Tags)>> {
    let path = chosen("--store", "HOLDFAST_STORE", "holdfast.sqlite");
    if std::env::var_os("HOLDFAST_DATABASE_URL").is_some() || !path.exists() {
        return None;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let store = SqliteStore::open(&path, clock, Mode::Read).await.ok()?;
        let status = store.status().await.ok()?;
        let here = status.into_iter().filter(|status| !status.removed);
        Some(here.map(|status| (status.app, status.tags)).collect())
    })
}

/// The path that the line which is completed gives, or the environment, or the default.
fn chosen(option: &str, variable: &str, default: &str) -> PathBuf {
    let given = std::env::args_os().skip_while(|word| word != option).nth(1);
    given.or_else(|| std::env::var_os(variable)).map_or_else(|| default.into(), PathBuf::from)
}
