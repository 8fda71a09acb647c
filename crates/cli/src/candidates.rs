//! The names of apps and policies, for the completions of a shell. What cannot be read completes nothing.

use std::path::PathBuf;
use std::sync::Arc;

use clap_complete::engine::CompletionCandidate;
use holdfast_config::{Fleet, Secrets};
use holdfast_model::{AppId, Clock, SystemClock};
use holdfast_store::{Mode, SqliteStore, Store as _};

/// The short names of the apps of the fleet file and of the store's file. A database is not asked: it may be far away.
pub fn apps() -> Vec<CompletionCandidate> {
    let listed = fleet().into_iter().flat_map(|fleet| fleet.apps).map(|app| app.id);
    let mut names: Vec<String> =
        listed.chain(stored().unwrap_or_default()).map(|app| app.short_name()).collect();
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
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

fn stored() -> Option<Vec<AppId>> {
    let path = chosen("--store", "HOLDFAST_STORE", "holdfast.sqlite");
    if std::env::var_os("HOLDFAST_DATABASE_URL").is_some() || !path.exists() {
        return None;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let store = SqliteStore::open(&path, clock, Mode::Read).await.ok()?;
        let status = store.status().await.ok()?;
        Some(status.into_iter().filter(|status| !status.removed).map(|status| status.app).collect())
    })
}

/// The path that the line which is completed gives, or the environment, or the default.
fn chosen(option: &str, variable: &str, default: &str) -> PathBuf {
    let given = std::env::args_os().skip_while(|word| word != option).nth(1);
    given.or_else(|| std::env::var_os(variable)).map_or_else(|| default.into(), PathBuf::from)
}
