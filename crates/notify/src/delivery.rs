//! Sends the notifications of one channel.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_control::operator_actions::about_app;
use holdfast_model::{Actor, AppId, NewRun, OperatorAction, Retry, Timestamp, retry_delay};
use holdfast_store::{Delivery, Notification, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::channel::Sending;
use crate::error::Error;
use crate::notice::Notice;
use crate::send_error::SendError;

/// How long a lease lasts: longer than a try.
const LEASE: Duration = Duration::from_mins(1);

/// The longest pause between two looks for due notifications, which other processes add too.
const PAUSE: Duration = Duration::from_secs(5);

/// For how long a notification is tried.
pub const TRIED_FOR: Duration = Duration::from_hours(48);

/// The pauses between two tries.
const RETRY: Retry =
    Retry { attempts: u32::MAX, first: Duration::from_secs(10), max: Duration::from_hours(1) };

/// Who records that a notification is given up.
const ACTOR: &str = "holdfast";

/// Sends the notifications of one channel, one after another, so that a channel that is slow or down holds up no other.
pub struct Deliverer {
    store: Arc<dyn Store>,
    channel: String,
    sender: Box<dyn Sending>,
    bell: Arc<Notify>,
    rng: Mutex<fastrand::Rng>,
}

impl fmt::Debug for Deliverer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliverer").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Deliverer {
    /// A deliverer of a channel. `bell` rings when this process has added notifications.
    pub fn new(
        store: Arc<dyn Store>,
        channel: String,
        sender: Box<dyn Sending>,
        bell: Arc<Notify>,
        rng: fastrand::Rng,
    ) -> Self {
        Self { store, channel, sender, bell, rng: Mutex::new(rng) }
    }

    /// Sends what is due until `stop`. A failed pass is logged.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let rung = self.bell.notified();
            let sent = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                sent = self.deliver() => sent,
            };
            match sent {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(channel = self.channel, error, "failed to read or settle notifications");
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                _ = tokio::time::timeout(PAUSE, rung) => {}
            }
        }
    }

    /// Leases one notification, sends it and writes what became of it. Returns false where none is due.
    ///
    /// A process that ends in between leaves a lease: the notification is sent again, under the same id.
    pub async fn deliver(&self) -> Result<bool, Error> {
        let store = self.store.notifications();
        let leased = store.lease_notifications(&self.channel, 1, LEASE).await?;
        let Some(notification) = leased.into_iter().next() else { return Ok(false) };
        let sent = match serde_json::from_str::<Notice>(&notification.content) {
            Ok(notice) => self.sender.send(&notification.id, &notice).await,
            // A process of that version may send it.
            Err(_) => Err(SendError::later("it was written by another version of Holdfast")),
        };
        let now = self.store.now().await?;
        let delivery = {
            let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
            after(sent, &notification, now, &mut rng)
        };
        let record = self.record(&notification, &delivery, now);
        log(&notification, &delivery);
        store.settle_notification(&notification, &delivery, record.as_ref()).await?;
        Ok(true)
    }

    fn record(&self, notification: &Notification, delivery: &Delivery, now: Timestamp) -> Option<NewRun> {
        let Delivery::GivenUp { error } = delivery else { return None };
        let action = OperatorAction::NotificationGivenUp {
            notification: notification.id.clone(),
            channel: notification.channel.clone(),
            error: error.clone(),
        };
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        Some(about_app(&AppId::unknown(), (action, Actor::from(ACTOR)), now, &mut rng))
    }
}

fn log(notification: &Notification, delivery: &Delivery) {
    let Notification { id, channel, attempts, .. } = notification;
    match delivery {
        Delivery::Sent => tracing::info!(channel, id, attempts, "notification sent"),
        Delivery::Failed { error, .. } => {
            tracing::warn!(channel, id, attempts, error, "notification not sent");
        }
        Delivery::GivenUp { error } => tracing::error!(channel, id, attempts, error, "notification given up"),
    }
}

/// What becomes of a notification after a try.
fn after(
    sent: Result<(), SendError>,
    notification: &Notification,
    now: Timestamp,
    rng: &mut fastrand::Rng,
) -> Delivery {
    match sent {
        Ok(()) => Delivery::Sent,
        Err(SendError::Never(error)) => Delivery::GivenUp { error },
        Err(SendError::Later { why, pause }) => {
            let asked = pause.unwrap_or_default().min(RETRY.max);
            let retry_at = now + retry_delay(&RETRY, notification.attempts, rng).max(asked);
            if retry_at > notification.created_at + TRIED_FOR {
                let error = format!("{why}; it was tried for {} hours", TRIED_FOR.as_secs() / 3_600);
                return Delivery::GivenUp { error };
            }
            Delivery::Failed { retry_at, error: why }
        }
    }
}

#[cfg(test)]
mod tests {
    use holdfast_store::NotificationState;

    use super::*;

    #[test]
    fn a_receiver_that_is_down_is_tried_for_two_days_and_not_longer() {
        let (mut rng, begin) = (fastrand::Rng::with_seed(1), Timestamp::UNIX_EPOCH);
        let mut one = Notification {
            id: "a-1-ops".into(),
            channel: "ops".into(),
            incident: "a".into(),
            number: 1,
            content: String::new(),
            state: NotificationState::Pending,
            attempts: 1,
            created_at: begin,
            due_at: begin,
            ended_at: None,
            error: None,
        };
        let mut now = begin;
        loop {
            match after(Err(SendError::later("answered 503")), &one, now, &mut rng) {
                Delivery::Failed { retry_at, .. } => {
                    assert!(retry_at > now && retry_at <= now + RETRY.max);
                    now = retry_at;
                }
                Delivery::GivenUp { error } => {
                    assert_eq!(error, "answered 503; it was tried for 48 hours");
                    break;
                }
                Delivery::Sent => unreachable!(),
            }
            one.attempts += 1;
        }
        assert!(now > begin + Duration::from_hours(46) && one.attempts < 80, "{}", one.attempts);
    }

    #[test]
    fn the_pause_that_a_receiver_asks_for_is_kept_within_bounds() {
        let one = |seconds| SendError::Later {
            why: "answered 429".into(),
            pause: Some(Duration::from_secs(seconds)),
        };
        let mut rng = fastrand::Rng::with_seed(1);
        let notification = Notification {
            id: String::new(),
            channel: String::new(),
            incident: String::new(),
            number: 1,
            content: String::new(),
            state: NotificationState::Pending,
            attempts: 1,
            created_at: Timestamp::UNIX_EPOCH,
            due_at: Timestamp::UNIX_EPOCH,
            ended_at: None,
            error: None,
        };
        let mut pause =
            |seconds| match after(Err(one(seconds)), &notification, Timestamp::UNIX_EPOCH, &mut rng) {
                Delivery::Failed { retry_at, .. } => (retry_at - Timestamp::UNIX_EPOCH).num_seconds(),
                other => panic!("{other:?}"),
            };
        assert_eq!((pause(300), pause(1_000_000)), (300, 3_600));
    }
}
