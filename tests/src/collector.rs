//! A telemetry collector that stores everything it receives.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use tokio::net::TcpListener;

/// The received paths and bodies.
type Kept = Arc<Mutex<Vec<(String, Bytes)>>>;

/// A telemetry collector on its own port.
#[derive(Debug)]
pub struct Collector {
    address: SocketAddr,
    kept: Kept,
}

impl Collector {
    /// Starts a collector that listens while the test runs.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.unwrap_or_else(|error| panic!("no free port: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        let kept = Kept::default();
        let keep = async |State(kept): State<Kept>, path: Uri, body: Bytes| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push((path.path().to_owned(), body));
        };
        let routes = Router::new().fallback(keep).with_state(Arc::clone(&kept));
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self { address, kept }
    }

    /// The URL of the collector.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All received bodies as text, with invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        self.map(|(_, body)| String::from_utf8_lossy(body).into_owned()).concat()
    }

    /// The bodies received at this path.
    pub fn bodies(&self, path: &str) -> Vec<Bytes> {
        self.map(|(found, body)| (found == path).then(|| body.clone())).into_iter().flatten().collect()
    }

    fn map<T>(&self, of: impl FnMut(&(String, Bytes)) -> T) -> Vec<T> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().map(of).collect()
    }
}
