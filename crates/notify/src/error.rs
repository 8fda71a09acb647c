//! Errors of the notifier, named for what failed.

/// A pass of the notifier or of a channel failed. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] holdfast_store::Error),
    /// The place that another program wrote cannot be read.
    #[error(
        "failed to read what the notifier remembers: {0}; a newer holdfast may have written it: update this one"
    )]
    ReadState(#[source] serde_json::Error),
    /// What it remembers cannot be written.
    #[error("failed to write what the notifier remembers: {0}")]
    WriteState(#[source] serde_json::Error),
}
