//! An SMTP server for one test.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::service;

/// aiosmtpd in a process of its own, which ends with the test.
#[derive(Debug)]
pub struct SmtpServer {
    /// Its port on loopback.
    pub port: u16,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

/// A certificate that no authority signed, and its key, as files.
#[derive(Debug)]
pub struct Certificate {
    /// The certificate.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Certificate {
    /// Writes a certificate for a name or an address into a folder.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn of(name: &str, folder: &Path) -> Self {
        let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key.pem")));
        let made = KeyPair::generate().and_then(|key| {
            let mut params = CertificateParams::new([name.to_owned()])?;
            // Two of one subject would be taken for each other.
            params.distinguished_name.push(DnType::CommonName, name);
            Ok((params.self_signed(&key)?.pem(), key.serialize_pem()))
        });
        let made = made.unwrap_or_else(|error| panic!("no certificate for {name}: {error}"));
        let texts = [(&certificate, made.0), (&key, made.1)];
        for (path, text) in texts {
            std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        Self { certificate, key }
    }
}

impl SmtpServer {
    /// A server that is started with these arguments of its script. `None` when tests run without servers.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub async fn start(arguments: &[&str]) -> Option<Self> {
        let python = service("HOLDFAST_TEST_SMTP_SERVER")?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/smtp_server.py");
        let mut command = Command::new(python);
        command.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap_or_else(|error| panic!("the SMTP server: {error}"));
        let stdout = process.stdout.take().unwrap_or_else(|| panic!("its output is piped"));
        let mut server = Self { port: 0, lines: BufReader::new(stdout).lines(), _process: process };
        let port = server.line().await;
        server.port = port.parse().unwrap_or_else(|error| panic!("`{port}` is no port: {error}"));
        Some(server)
    }

    /// A server that offers STARTTLS with a certificate. `None` when tests run without servers.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub async fn start_tls(certificate: &Certificate) -> Option<Self> {
        let [certificate, key] =
            [&certificate.certificate, &certificate.key].map(|path| path.to_string_lossy());
        Self::start(&["starttls", &certificate, &key]).await
    }

    /// The next mail that it has received, as its script prints it.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub async fn mail(&mut self) -> Value {
        let line = self.line().await;
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("`{line}` is no mail: {error}"))
    }

    async fn line(&mut self) -> String {
        let line = self.lines.next_line().await;
        line.ok().flatten().unwrap_or_else(|| panic!("the SMTP server has ended"))
    }
}
