//! Runs: one app's history, and one run with its events.

mod event_text;
mod follow;
mod progress;
mod read;
mod view;

pub use event_text::{actor, describe_backup, detail};
pub use follow::{Follower, event_line};
pub use progress::Progress;
pub use read::{HistoryRequest, RunHistory, RunWithEvents, find, history};
pub use view::RunView;
