//! A TCP proxy in front of a server, whose network a test can break.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// The state of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Passes everything.
    Open,
    /// Delays everything, and passes it once the network is open again.
    Stalled,
    /// Drops everything. An affected connection never recovers, as after the loss of its route.
    Silent,
    /// Passes requests and drops replies. An affected connection never recovers.
    RepliesLost,
    /// Closes every connection, new ones too.
    Refused,
}

#[derive(Debug, Clone, Copy)]
struct State {
    network: Network,
    /// How often all connections were closed.
    cuts: u64,
}

/// A proxy in front of one server.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<State>,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy in front of the server on this port of loopback.
    ///
    /// # Panics
    ///
    /// If no port is free.
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

    /// Starts a proxy in front of the server at `url`. Returns it and the URL through it.
    ///
    /// # Panics
    ///
    /// If `url` is not a URL with a port, or no port is free.
    pub async fn before_url(url: &str) -> (Self, String) {
        let mut url: Url = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
        let proxy = Self::before(url.port().unwrap_or_else(|| panic!("{url} has no port"))).await;
        url.set_port(Some(proxy.port())).unwrap_or_else(|()| panic!("{url} takes no port"));
        (proxy, url.to_string())
    }

    /// The port of the proxy.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Changes the state of the network, for open connections too.
    pub fn set(&self, network: Network) {
        self.state.send_modify(|state| state.network = network);
    }

    /// Closes every open connection. New ones pass.
    pub fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }

    /// The number of connections accepted so far.
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

/// Forwards one connection until either side or the proxy closes it.
async fn pass(client: TcpStream, port: u16, mut seen: watch::Receiver<State>) {
    let cuts = seen.borrow().cuts;
    // Without Nagle's algorithm, so that the proxy does not delay small messages.
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
