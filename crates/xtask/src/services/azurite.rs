//! A private Azurite: Azure's blob storage, answered on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::server::{Plan, folder};
use super::{install, ports};

/// Azurite's account and key are the same everywhere, and public.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The blob service alone, in memory. Settings are further arguments.
pub fn plan(parent: &Path, settings: &[String]) -> Result<Plan> {
    let program = program();
    let installed = program.is_file().then_some(());
    installed.context("Azurite is not installed; `cargo xtask test` and `up` do that")?;
    let folder = folder(parent, "azurite")?;
    let port = ports::free()?;
    let mut server = Command::new(program);
    server.current_dir(&folder).args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
    server
        .args(["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"])
        .args(settings);
    Ok(Plan {
        name: "azurite",
        programs: vec![server],
        ports: vec![port],
        probe: None,
        gentle: "TERM",
        must_stop: false,
        facts: facts(port),
        folder,
    })
}

/// What a test wants to know about the one on this port.
pub fn facts(port: u16) -> Value {
    json!({
        "url": format!("http://127.0.0.1:{port}/{ACCOUNT}"),
        "port": port,
        "account": ACCOUNT,
        "key": KEY,
    })
}

/// Where npm puts it.
pub fn program() -> PathBuf {
    install::azurite_folder().join("node_modules/.bin/azurite-blob")
}
