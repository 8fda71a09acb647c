//! A private RabbitMQ.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::server::{ServerSpec, create_folder};
use super::{ports, random};

/// The name of the broker's administrator.
const USER: &str = "holdfast";

/// The folder of the broker's programs, if it is installed.
///
/// The scripts in PATH switch to the user `rabbitmq`, who cannot read our folder.
pub fn programs() -> Option<PathBuf> {
    let folders =
        ["/usr/lib/rabbitmq/bin", "/usr/local/sbin", "/opt/homebrew/sbin", "/usr/local/opt/rabbitmq/sbin"];
    folders.iter().map(PathBuf::from).find(|folder| folder.join("rabbitmq-server").is_file())
}

/// Describes a broker with the management API. A setting is a line of rabbitmq.conf, or `plugin NAME`.
pub fn spec(parent: &Path, settings: &[String]) -> Result<ServerSpec> {
    let programs = programs().context("RabbitMQ is not installed")?;
    let folder = create_folder(parent, "rabbitmq")?;
    let [port, admin, distribution, names] = [ports::free()?, ports::free()?, ports::free()?, ports::free()?];
    let password = random::password()?;
    let login = format!("{USER}:{password}@127.0.0.1");
    let (plugins, settings): (Vec<&str>, Vec<&str>) =
        settings.iter().map(String::as_str).partition(|setting| setting.starts_with("plugin "));
    let config = [
        format!("listeners.tcp.1 = 127.0.0.1:{port}"),
        format!("management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {admin}"),
        format!("default_user = {USER}\ndefault_pass = {password}"),
        // A broker for tests must not fill the disk, and must work with little free space.
        "raft.wal_max_size_bytes = 32000000\ndisk_free_limit.absolute = 10MB".to_owned(),
        settings.join("\n"),
    ];
    fs::write(folder.join("rabbitmq.conf"), config.join("\n") + "\n")?;
    let plugins: String = plugins.iter().map(|plugin| plugin.replacen("plugin ", ",", 1)).collect();
    fs::write(folder.join("enabled_plugins"), format!("[rabbitmq_management{plugins}].\n"))?;
    let cookie = folder.join(".erlang.cookie");
    fs::write(&cookie, random::password()?)?;
    // Erlang refuses a cookie that other users can read.
    fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))?;

    let env = environment(&folder, &format!("holdfast{port}@localhost"), [distribution, names]);
    let mut epmd = Command::new("epmd");
    epmd.args(["-port", &names.to_string(), "-address", "127.0.0.1"]);
    let mut server = Command::new(programs.join("rabbitmq-server"));
    server.current_dir(&folder).envs(&env);
    Ok(ServerSpec {
        name: "rabbitmq",
        // Without this name server the broker would start its own, which would outlive it.
        programs: vec![epmd, server],
        ports: vec![port, admin],
        probe: None,
        stop_signal: "TERM",
        // A stop takes six seconds.
        must_stop: false,
        facts: json!({
            "url": format!("amqp://{login}:{port}/%2f"),
            "admin": format!("http://{login}:{admin}"),
            "port": port,
            "folder": folder,
            "ctl": programs.join("rabbitmqctl"),
            "env": env,
        }),
        folder,
    })
}

/// The environment of the broker and of `rabbitmqctl`: every path of `/etc` and `/var` moves to the folder.
fn environment(folder: &Path, node: &str, [distribution, names]: [u16; 2]) -> BTreeMap<&'static str, String> {
    let at = |name: &str| folder.join(name).display().to_string();
    BTreeMap::from([
        ("HOME", at("")),
        ("RABBITMQ_NODENAME", node.to_owned()),
        ("RABBITMQ_DIST_PORT", distribution.to_string()),
        ("ERL_EPMD_PORT", names.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        ("ERL_CRASH_DUMP", at("erl_crash.dump")),
        ("RABBITMQ_CONF_ENV_FILE", at("rabbitmq-env.conf")),
        ("RABBITMQ_CONFIG_FILE", at("rabbitmq.conf")),
        ("RABBITMQ_CONFIG_FILES", at("conf.d")),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", at("advanced.config")),
        ("RABBITMQ_GENERATED_CONFIG_DIR", at("config")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", at("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", at("mnesia")),
        ("RABBITMQ_LOG_BASE", at("log")),
        ("RABBITMQ_PID_FILE", at("pid")),
        // Loopback only, and no busy waiting: tests run on the same cores.
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none".to_owned(),
        ),
    ])
}
