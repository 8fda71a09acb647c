//! Sends a test to one channel at once, without the store.

use holdfast_config::{Channel, Notifications, nearest};
use holdfast_control::{Error, ErrorKind};
use holdfast_model::Timestamp;

use crate::channel::Sending;
use crate::notice::{Notice, NoticeKind};

/// The channel of a name.
pub fn channel_named<'f>(notifications: &'f Notifications, name: &str) -> Result<&'f Channel, Error> {
    notifications.channels.get(name).ok_or_else(|| {
        let near = nearest(name, notifications.channels.keys().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the fleet file names channels as [channel.NAME]".to_owned(),
        };
        Error::new(ErrorKind::NotFound, format!("there is no channel `{name}`")).help(help)
    })
}

/// Sends a test to a channel. The error says what it answered.
pub async fn send_test(sender: &dyn Sending, name: &str, now: Timestamp) -> Result<(), Error> {
    let notice = Notice::empty(&format!("test of {name}"), NoticeKind::Test, now);
    sender.send(&notice.id_on(name), &notice).await.map_err(|error| {
        let what = format!("the channel {name} did not take the test: {error}");
        Error::new(ErrorKind::Refused, what)
            .help("correct [channel] in the fleet file or what it refers to, and try again")
    })
}
