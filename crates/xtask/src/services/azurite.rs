//! A private Azurite: an emulator of Azure's blob storage.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::ports;
use super::server::{ServerSpec, create_folder};
use crate::step;

/// The npm package, in the version for which the tests are written.
pub const PACKAGE: &str = "azurite@3.37.0";
/// Azurite's account and key are the same everywhere, and public.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Describes a blob service that keeps its data in memory. Settings are additional arguments.
pub fn spec(parent: &Path, settings: &[String]) -> Result<ServerSpec> {
    let program = program();
    let installed = program.is_file().then_some(());
    installed.context("Azurite is not installed; `cargo xtask test` and `cargo xtask up` install it")?;
    let folder = create_folder(parent, "azurite")?;
    let port = ports::free()?;
    let mut server = Command::new(program);
    server.current_dir(&folder).args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
    server
        .args(["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"])
        .args(settings);
    Ok(ServerSpec {
        name: "azurite",
        programs: vec![server],
        ports: vec![port],
        probe: None,
        stop_signal: "TERM",
        must_stop: false,
        facts: json!({
            "url": format!("http://127.0.0.1:{port}/{ACCOUNT}"),
            "port": port,
            "account": ACCOUNT,
            "key": KEY,
        }),
        folder,
    })
}

/// The folder of the npm package. It is below `target`, so that `cargo clean` removes it.
pub fn install_folder() -> PathBuf {
    step::target_folder().join(PACKAGE.replace('@', "-"))
}

/// The program, whether it is installed or not.
pub fn program() -> PathBuf {
    install_folder().join("node_modules/.bin/azurite-blob")
}
