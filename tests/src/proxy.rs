//! A TCP proxy before a server, whose network a test can break.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// What the network does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// It passes everything.
    Open,
    /// It holds everything back, and passes it once it is open again.
    Stalled,
    /// It drops everything. A connection that met this never recovers, like one whose route is forgotten.
    Silent,
    /// It passes requests and drops replies. A connection that met this never recovers.
    RepliesLost,
    /// It ends every connection, new ones too.
    Refused,
}

#[derive(Debug, Clone, Copy)]
struct State {
    network: Network,
    /// Times that all connections were ended.
    cuts: u64,
}

/// A proxy before one server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the server on this port of loopback.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub async fn before(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.unwrap_or_else(|error| panic!("no free port: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
        let (state, seen) = watch::channel(State { network: Network::Open, cuts: 0 });
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(pass(client, port, seen.clone()));
            }
        });
        Self { address, state, accepted, task }
    }

    /// A proxy before the server at `url`, and the URL that leads through it.
    ///
    /// # Panics
    ///
    /// When `url` is not a URL with a port, or no port is free.
    pub async fn before_url(url: &str) -> (Self, String) {
        let mut url: Url = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
        let proxy = Self::before(url.port().unwrap_or_else(|| panic!("{url} has no port"))).await;
        url.set_port(Some(proxy.port())).unwrap_or_else(|()| panic!("{url} takes no port"));
        (proxy, url.to_string())
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Changes the network, for open connections too.
    pub fn set(&self, network: Network) {
        self.state.send_modify(|state| state.network = network);
    }

    /// Ends every open connection. New ones pass.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// Connections accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Network::Refused);
        self.task.abort();
    }
}

/// Carries one connection until it ends or is ended.
async fn pass(client: TcpStream, port: u16, mut seen: watch::Receiver<State>) {
    let cuts = seen.borrow().cuts;
    // Small messages pass at once: the proxy must not slow the system under test.
    let _ = client.set_nodelay(true);
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
    let _ = server.set_nodelay(true);
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut requests = pin!(copy(&mut from_client, &mut to_server));
    let mut replies = pin!(copy(&mut from_server, &mut to_client));
    let mut lost = None;
    loop {
        let state = *seen.borrow_and_update();
        if state.cuts != cuts || state.network == Network::Refused {
            return;
        }
        let network = lost.unwrap_or(state.network);
        if matches!(network, Network::Silent | Network::RepliesLost) {
            lost = Some(network);
        }
        tokio::select! {
            _ = &mut requests, if matches!(network, Network::Open | Network::RepliesLost) => return,
            _ = &mut replies, if network == Network::Open => return,
            changed = seen.changed() => if changed.is_err() { return },
        }
    }
}
