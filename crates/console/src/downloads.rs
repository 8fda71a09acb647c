//! Answers that last as long as their client takes them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;

/// In the extensions of an answer: its connection stays open while the client takes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Download;

/// What a connection has sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sent {
    is_download: Arc<AtomicBool>,
    bytes: Arc<AtomicU64>,
}

impl Sent {
    /// Marks the connection: its answer is a download.
    pub(crate) fn begin_download(&self) {
        self.is_download.store(true, Ordering::Relaxed);
    }

    /// Whether its answer is a download.
    pub(crate) fn is_download(&self) -> bool {
        self.is_download.load(Ordering::Relaxed)
    }

    /// Waits until `serving` ends, the client takes nothing for a time, or `longest` has passed.
    pub(crate) async fn while_it_moves<F: Future + Unpin>(
        &self,
        mut serving: F,
        idle: Duration,
        longest: Duration,
    ) {
        let moving = async {
            let mut before = self.bytes.load(Ordering::Relaxed);
            while timeout(idle, &mut serving).await.is_err() {
                let now = self.bytes.load(Ordering::Relaxed);
                if now == before {
                    return;
                }
                before = now;
            }
        };
        let _ = timeout(longest, moving).await;
    }
}

/// A stream that counts what it sends.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    sent: Sent,
}

impl<S> Counted<S> {
    /// Counts what `stream` sends.
    pub(crate) fn new(stream: S, sent: Sent) -> Self {
        Self { stream, sent }
    }

    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.sent.bytes.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::{Instant, interval};

    use super::*;

    const IDLE: Duration = Duration::from_secs(10);
    const LONGEST: Duration = Duration::from_hours(1);

    /// Sends a byte every nine seconds, and stops after some.
    async fn slow(sent: Sent, most: u32) {
        let mut beat = interval(Duration::from_secs(9));
        for _ in 0..most {
            beat.tick().await;
            sent.bytes.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_download_lasts_while_its_client_takes_it_and_not_longer_than_the_longest() {
        let (sent, begun) = (Sent::default(), Instant::now());
        let all = pin!(slow(sent.clone(), 101));
        sent.while_it_moves(all, IDLE, LONGEST).await;
        assert_eq!(begun.elapsed(), Duration::from_mins(15), "it ended by itself");

        let begun = Instant::now();
        let stalls = pin!(async {
            slow(sent.clone(), 11).await;
            std::future::pending::<()>().await;
        });
        sent.while_it_moves(stalls, IDLE, LONGEST).await;
        assert!((90..=110).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());

        let begun = Instant::now();
        let endless = pin!(slow(sent.clone(), u32::MAX));
        sent.while_it_moves(endless, IDLE, LONGEST).await;
        assert_eq!(begun.elapsed(), LONGEST);
    }
}
