#![doc = include_str!("../README.md")]

mod channel;
mod conditions;
mod delivery;
mod due;
mod error;
pub mod fold;
mod health;
mod heartbeat;
mod mail;
mod notice;
mod notifier;
mod preview;
pub mod render;
mod send_error;
mod signal;
mod signature;
mod silence;
mod state;
mod trial;
mod wording;

pub use channel::{ChannelSender, Sending};
pub use conditions::{ConditionFound, conditions};
pub use delivery::Deliverer;
pub use due::{TagsById, due};
pub use error::Error;
pub use health::NotifierHealth;
pub use heartbeat::{HeartbeatLoop, Progress};
pub use notice::{Digest, Notice, NoticeKind};
pub use notifier::{Notifier, PassResult};
pub use preview::{PreviewRow, preview};
pub use send_error::SendError;
pub use silence::{SilenceRequest, end_silence, silence, silences};
pub use state::{Incident, NotifierState, Silence, Trouble};
pub use trial::{channel_named, send_test};
pub use wording::{Look, Wording};
