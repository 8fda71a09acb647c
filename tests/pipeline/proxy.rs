//! A line to a server that can be cut, and that can fall silent without anybody being told.

use std::time::Duration;

use tokio::io::copy;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// It carries.
    Open,
    /// Nothing passes, and neither end hears of it. A connection that met this stays so for ever, as one does whose
    /// route forgot it.
    Silent,
    /// As silent, but what the client says still arrives: it is done, and the answer is lost.
    Mute,
}

#[derive(Debug, Clone, Copy)]
struct State {
    line: Line,
    /// How often all connections were cut.
    cuts: u64,
}

/// A line of many connections to one server.
pub(crate) struct Proxy {
    url: Url,
    tell: watch::Sender<State>,
}

impl Proxy {
    /// Listens, and carries to the server at `url`.
    pub(crate) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut url: Url = url.parse().unwrap();
        let port = url.port().unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (tell, told) = watch::channel(State { line: Line::Open, cuts: 0 });
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, port, told.clone()));
            }
        });
        Self { url, tell }
    }

    /// The server's URL, through here.
    pub(crate) fn url(&self) -> String {
        self.url.to_string()
    }

    /// From now on the line is so.
    pub(crate) fn be(&self, line: Line) {
        self.tell.send_modify(|state| state.line = line);
    }

    /// Ends every connection, as a router does that starts anew. New ones are carried.
    pub(crate) fn cut(&self) {
        self.tell.send_modify(|state| state.cuts += 1);
    }

    /// Is like that for a while, for old connections and new.
    pub(crate) async fn be_for(&self, line: Line, span: Duration) {
        self.be(line);
        crate::wait::last(span).await;
        self.be(Line::Open);
    }
}

async fn carry(client: TcpStream, port: u16, mut told: watch::Receiver<State>) {
    let State { line: mut fate, cuts } = *told.borrow_and_update();
    // Small messages go at once: a proxy must not make a system slow that is quick.
    let _ = client.set_nodelay(true);
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let _ = server.set_nodelay(true);
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = copy(&mut from_client, &mut to_server);
    let down = copy(&mut from_server, &mut to_client);
    tokio::pin!(up, down);
    loop {
        tokio::select! {
            _ = &mut up, if fate != Line::Silent => return,
            _ = &mut down, if fate == Line::Open => return,
            changed = told.changed() => {
                let state = *told.borrow_and_update();
                if changed.is_err() || state.cuts != cuts {
                    return;
                }
                if fate == Line::Open {
                    fate = state.line;
                }
            }
        }
    }
}
