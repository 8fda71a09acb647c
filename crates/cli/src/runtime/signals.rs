//! The signals of a process: Ctrl-C and SIGTERM stop it, SIGHUP makes it read its fleet file again.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;

/// Cancels `stop` at the first Ctrl-C or SIGTERM; the second one ends the process at once.
///
/// Neither loses anything: the next start continues where this one stopped.
pub async fn stop_on_signal(stop: CancellationToken) {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return;
    };
    for is_first in [true, false] {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
        }
        if is_first {
            tracing::info!("stopping: finishing the steps in progress; a second signal stops at once");
            stop.cancel();
        } else {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    }
}

/// A message for each SIGHUP. From now on it does not end the process.
pub fn hangups() -> anyhow::Result<mpsc::Receiver<()>> {
    let (sender, receiver) = mpsc::channel(1);
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // A message that was not read yet makes the process read the file anyway.
            let _ = sender.try_send(());
        }
    });
    Ok(receiver)
}
