//! A test's further settings, as they reach a server in a container.

use anyhow::{Result, bail};

use super::super::Kind;

/// What stands in place of the settings in `deploy/compose/tests.yml`, or why a container cannot have one of them.
pub fn text(kind: Kind, settings: &[String]) -> Result<String> {
    for setting in settings {
        if let Some(why) = refusal(kind, setting) {
            bail!("`{setting}` cannot be had under Compose: {why}");
        }
    }
    Ok(match kind {
        Kind::Postgres => {
            settings.iter().map(|setting| format!("-c {}", quoted(setting))).collect::<Vec<_>>().join(" ")
        }
        Kind::Rabbitmq => settings.join("\n"),
        Kind::Azurite => settings.iter().map(|setting| quoted(setting)).collect::<Vec<_>>().join(" "),
    })
}

fn refusal(kind: Kind, setting: &str) -> Option<&'static str> {
    const LISTENS: &str = "the container's ports are fixed, and no other leads out of it";
    const FILES: &str = "a container does not see the files of this machine";
    let name = setting.split('=').next().unwrap_or(setting).trim();
    let is_listener = match kind {
        Kind::Postgres => ["port", "listen_addresses"].contains(&name),
        Kind::Rabbitmq => name.starts_with("listeners.") || name.starts_with("management."),
        Kind::Azurite => name.ends_with("Host") || name.ends_with("Port"),
    };
    // Whatever the setting is called, an absolute path is one of this machine.
    let names_file = setting.split(['=', ' ', '\'']).any(|word| word.starts_with('/') && word.len() > 1);
    is_listener.then_some(LISTENS).or(names_file.then_some(FILES))
}

/// One word for a shell, and for Compose, which splits a command as a shell does.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, settings: &[&str]) -> Result<String, String> {
        let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
        text(kind, &settings).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_arguments_or_lines_as_the_server_takes_them() {
        let postgres = of(Kind::Postgres, &["fsync=on", "search_path='a b'"]);
        assert_eq!(postgres.as_deref(), Ok(r"-c 'fsync=on' -c 'search_path='\''a b'\'''"));
        let rabbitmq = of(Kind::Rabbitmq, &["consumer_timeout = 500", "heartbeat = 1"]);
        assert_eq!(rabbitmq.as_deref(), Ok("consumer_timeout = 500\nheartbeat = 1"));
        assert_eq!(of(Kind::Azurite, &["--loose"]).as_deref(), Ok("'--loose'"));
        assert_eq!(of(Kind::Azurite, &[]).as_deref(), Ok(""));
    }

    #[test]
    fn what_a_container_cannot_have_is_refused_with_the_reason() {
        for (kind, setting, why) in [
            (Kind::Postgres, "port=1", "ports are fixed"),
            (Kind::Rabbitmq, "listeners.ssl.1 = 127.0.0.1:5671", "ports are fixed"),
            (Kind::Azurite, "--blobPort", "ports are fixed"),
            (Kind::Rabbitmq, "ssl_options.certfile = /tmp/certificate.pem", "files of this machine"),
            (Kind::Postgres, "ssl_cert_file='/tmp/certificate.pem'", "files of this machine"),
        ] {
            let error = of(kind, &[setting]).unwrap_err();
            assert!(error.contains(setting) && error.contains(why), "{error}");
        }
    }
}
