//! Stops a process on Ctrl-C or SIGTERM.

use tokio_util::sync::CancellationToken;

use crate::exit::Exit;

/// Cancels `stop` at the first Ctrl-C or SIGTERM; the second one ends the process at once.
///
/// Neither loses anything: the next start continues where this one stopped.
pub async fn stop_on_signal(stop: CancellationToken) {
    let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
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
