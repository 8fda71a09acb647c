//! Requests to the console of a measured process.

use std::net::SocketAddr;
use std::time::Duration;

use holdfast_model::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An answer.
pub(crate) struct Answer {
    pub status: String,
    pub body_bytes: usize,
    pub time: Duration,
}

/// A port that is free now.
pub(crate) async fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// Requests a page. `None` while the address does not answer.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Option<Answer> {
    let clock = SystemClock::default();
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let time = clock.elapsed();
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let status = String::from_utf8_lossy(answer.get(9..12)?).into_owned();
    Some(Answer { status, body_bytes: answer.len() - head - 4, time })
}
