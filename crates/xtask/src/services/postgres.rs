//! A private PostgreSQL.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::server::{ServerSpec, create_folder, prepare};
use super::{ports, random};

/// Settings for tests. The data must survive a killed process, but not a power failure.
const SETTINGS: [&str; 5] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "max_connections=300",
];

/// The folder of the server's programs, if it is installed.
///
/// Debian keeps them outside of PATH, in one folder for each version; the newest version is used.
pub fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let numbered =
        versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
    let debian = numbered.max().map(|(_, path)| path.join("bin"));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    debian.into_iter().chain(std::env::split_paths(&paths)).find(|folder| folder.join("initdb").is_file())
}

/// Describes a server with the superuser `postgres`. A setting is a `name=value` of postgresql.conf.
pub fn spec(parent: &Path, settings: &[String]) -> Result<ServerSpec> {
    let programs = programs().context("PostgreSQL is not installed")?;
    let folder = create_folder(parent, "postgres")?;
    let owner = owner_for(&folder)?;
    let as_owner = |program: &str| {
        let mut command = Command::new(programs.join(program));
        command.current_dir(&folder).env("LC_ALL", "C.UTF-8").env_remove("PGDATA");
        if let Some((user, group)) = owner {
            command.uid(user).gid(group);
        }
        command
    };

    let (port, password) = (ports::free()?, random::password()?);
    let (data, password_file) = (folder.join("data"), folder.join("password"));
    fs::write(&password_file, &password)?;
    if let Some((user, group)) = owner {
        chown(&password_file, Some(user), Some(group))?;
    }
    let mut initdb = as_owner("initdb");
    initdb.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync", "--pwfile"]);
    prepare(initdb.arg(&password_file).arg("--pgdata").arg(&data))?;
    fs::remove_file(&password_file)?;

    let mut server = as_owner("postgres");
    server.arg("-D").arg(&data).args(["-p", &port.to_string()]);
    for setting in SETTINGS.iter().copied().chain(settings.iter().map(String::as_str)) {
        server.args(["-c", setting]);
    }
    let mut probe = Command::new(programs.join("pg_isready"));
    probe.args(["--host=127.0.0.1", "--dbname=postgres", "--port", &port.to_string()]);
    Ok(ServerSpec {
        name: "postgres",
        programs: vec![server],
        ports: vec![port],
        probe: Some(probe),
        // The fast shutdown: it closes connections and keeps committed data.
        stop_signal: "INT",
        // A killed server leaves shared memory.
        must_stop: true,
        facts: json!({
            "url": format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres"),
            "port": port,
            "folder": data,
            "programs": programs,
        }),
        folder,
    })
}

/// Gives the folder to another user where this one is root, and returns that user and group.
///
/// PostgreSQL refuses to run as root.
fn owner_for(folder: &Path) -> Result<Option<(u32, u32)>> {
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("failed to read /etc/passwd")?;
    let owner = ["postgres", "nobody"].iter().find_map(|name| ids_of(name, &users));
    let (user, group) =
        owner.context("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")?;
    chown(folder, Some(user), Some(group))?;
    Ok(Some((user, group)))
}

fn ids_of(name: &str, users: &str) -> Option<(u32, u32)> {
    let mut fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let user = fields.find(|fields| fields.first() == Some(&name))?;
    Some((user.get(2)?.parse().ok()?, user.get(3)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:8::/:\npostgres:x:105:110::/:/bin/sh\n";
        assert_eq!(ids_of("postgres", users), Some((105, 110)));
        assert_eq!(ids_of("post", users), None);
    }
}
