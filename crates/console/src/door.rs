//! Where a console listens, and the certificate of its TLS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use holdfast_control::{Error, ErrorKind};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;

use crate::entry::{Entry, Transport};
use crate::hosts::AllowedHosts;
use crate::listen::Listen;

/// Where the console of `holdfast run` and `holdfast demo` listens, unless told otherwise.
const USUAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9_464);

impl Transport {
    /// TLS with the certificate chain and the key of two PEM files, or a proxy, or neither.
    pub fn of(files: Option<(&Path, &Path)>, behind_proxy: bool) -> Result<Self, Error> {
        match files {
            Some((chain, key)) => Self::tls(chain, key),
            None if behind_proxy => Ok(Self::BehindProxy),
            None => Ok(Self::Plain),
        }
    }

    /// TLS with these files, which are read once.
    fn tls(chain: &Path, key: &Path) -> Result<Self, Error> {
        let unusable = |path: &Path, why: &dyn std::fmt::Display| {
            let what = format!("the TLS file {} cannot be used: {why}", path.display());
            Error::new(ErrorKind::Invalid, what)
                .help("--tls-cert is the chain and --tls-key its key, both as PEM")
        };
        let certificates: Vec<_> = CertificateDer::pem_file_iter(chain)
            .and_then(Iterator::collect)
            .map_err(|error| unusable(chain, &error))?;
        let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(certificates, key_der)
            .map_err(|error| unusable(chain, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self::Tls(Arc::new(config)))
    }
}

impl AllowedHosts {
    /// These names and the machine's own name, which a web page elsewhere cannot have.
    pub fn with_own_name(named: &[String]) -> Self {
        #[cfg(unix)]
        let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
        #[cfg(not(unix))]
        let own = std::env::var("COMPUTERNAME").unwrap_or_default();
        Self::new(named.iter().map(String::as_str).chain([own.as_str()]))
    }
}

/// Listens at an address.
///
/// An address that other machines reach needs a login over TLS. `allow_remote` serves probes and metrics there without a
/// login, and no pages.
pub async fn bind(address: SocketAddr, allow_remote: bool, entry: &Entry) -> Result<TcpListener, Error> {
    if !address.ip().to_canonical().is_loopback() {
        refuse_remote(address, allow_remote, entry)?;
        tracing::warn!(%address, "whoever reaches this address can read the names and states of the apps in /metrics");
    }
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another process uses the address".to_owned(),
            _ => error.to_string(),
        };
        let help = "choose another address with --listen; port 0 chooses a free one";
        Error::new(ErrorKind::Conflict, format!("cannot listen on {address}: {why}")).help(help)
    })
}

/// The listener of a process that runs until stopped; `None` where it listens nowhere.
///
/// Without `--listen`, a process with a console listens at the usual address, unless another process does.
pub async fn listener(
    listen: Option<Listen>,
    (allow_remote, entry): (bool, &Entry),
    has_console: bool,
) -> Result<Option<TcpListener>, Error> {
    match listen {
        Some(Listen::At(address)) => bind(address, allow_remote, entry).await.map(Some),
        None if has_console => match TcpListener::bind(USUAL).await {
            Ok(listener) => Ok(Some(listener)),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, address = %USUAL, "the console is not served; choose an address with --listen");
                Ok(None)
            }
        },
        Some(Listen::Nowhere) | None => Ok(None),
    }
}

/// The listener of a demonstration: at the usual address, or at a free port where that is taken.
pub async fn demo_listener(listen: Option<Listen>) -> Result<Option<TcpListener>, Error> {
    match listen {
        Some(Listen::Nowhere) => Ok(None),
        Some(Listen::At(address)) => bind(address, false, &Entry::default()).await.map(Some),
        None => match TcpListener::bind(USUAL).await {
            Ok(listener) => Ok(Some(listener)),
            Err(_) => bind(SocketAddr::new(USUAL.ip(), 0), false, &Entry::default()).await.map(Some),
        },
    }
}

fn refuse_remote(address: SocketAddr, allow_remote: bool, entry: &Entry) -> Result<(), Error> {
    let plain = matches!(entry.transport, Transport::Plain);
    let (why, help) = match (plain, entry.requires_login, allow_remote) {
        (false, _, _) | (true, false, true) => return Ok(()),
        (true, true, _) => (
            "and a login without TLS sends its token in the clear",
            "give --tls-cert and --tls-key, or --behind-proxy where a proxy ends TLS",
        ),
        (true, false, false) => (
            "and the port has no login",
            "listen on 127.0.0.1; give --tls-cert and --tls-key or --behind-proxy for a login; or give \
             --allow-remote where only your monitoring reaches the port",
        ),
    };
    let what = format!("{address} is not an address of this machine alone, {why}");
    Err(Error::new(ErrorKind::Invalid, what).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_other_machines_reach_needs_tls_a_proxy_or_leave() {
        let remote: SocketAddr = "0.0.0.0:0".parse().unwrap();
        let plain = Entry::default();
        let login = Entry { requires_login: true, ..Entry::default() };
        let proxy = Entry { transport: Transport::BehindProxy, ..Entry::default() };
        for (allow_remote, entry, is_bound) in [
            (false, &plain, false),
            (true, &plain, true),
            (false, &login, false),
            (true, &login, false),
            (false, &proxy, true),
        ] {
            assert_eq!(bind(remote, allow_remote, entry).await.is_ok(), is_bound, "{allow_remote} {entry:?}");
        }
        bind("127.0.0.1:0".parse().unwrap(), false, &login).await.unwrap();
    }

    #[test]
    fn a_certificate_that_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cert.pem");
        std::fs::write(&file, "no PEM").unwrap();
        for path in [file.as_path(), Path::new("/nowhere/cert.pem")] {
            let error = Transport::tls(path, path).unwrap_err();
            assert!(error.to_string().contains("cert.pem cannot be used"), "{error}");
        }
    }
}
