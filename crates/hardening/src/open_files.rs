//! The limit of open files.

/// Raises the soft limit of open files to the hard limit. A failure leaves it as it is.
///
/// The usual soft limit of 1,024 is for programs that call `select`. A worker needs a descriptor for each connection.
pub fn raise_open_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        if limit.current == limit.maximum {
            return;
        }
        match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
            Ok(()) => {
                tracing::debug!(from = limit.current, to = limit.maximum, "raised the limit of open files");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, limit = limit.current, "the limit of open files stays as it is");
            }
        }
    }
}
