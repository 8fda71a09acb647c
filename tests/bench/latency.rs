//! A network on the way to a server: what the server answers arrives later.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// A TCP proxy that delays each answer, and never the next request.
#[derive(Debug)]
pub(crate) struct Latency {
    port: u16,
    task: JoinHandle<()>,
}

impl Latency {
    /// Starts a proxy before the server on this port of loopback.
    pub(crate) async fn before(port: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, port, delay));
            }
        });
        Self { port: own, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Latency {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, port: u16, delay: Duration) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut from_client, to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = later(from_server, to_client, delay) => {}
    }
}

/// Copies what arrives, each piece `delay` after its arrival.
async fn later(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let mut under_way: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut buffer = vec![0; 64 * 1_024];
    loop {
        let due = under_way.front().map(|(due, _)| *due);
        let read = from.read(&mut buffer);
        let read = match due {
            None => Ok(read.await),
            Some(due) => timeout_at(due, read).await,
        };
        match read {
            Ok(Ok(count @ 1..)) => {
                under_way.push_back((Instant::now() + delay, buffer[..count].to_vec()));
            }
            Ok(_) => return,
            Err(_) => {
                let piece = under_way.pop_front().map(|(_, piece)| piece).unwrap_or_default();
                if to.write_all(&piece).await.is_err() {
                    return;
                }
            }
        }
    }
}
