//! Notifications, watched: what became of each try is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{AppId, NewRun, Tags, Timestamp};
use holdfast_store::{Delivery, Error, Notification, NotificationStore, NotifierAdvance, NotifierPlace};
use opentelemetry::KeyValue;

use crate::store::WatchedStore;

#[async_trait]
impl NotificationStore for WatchedStore {
    async fn notifier(&self) -> Result<Option<NotifierPlace>, Error> {
        self.inner.notifications().notifier().await
    }

    async fn advance_notifier(&self, advance: &NotifierAdvance) -> Result<bool, Error> {
        self.inner.notifications().advance_notifier(advance).await
    }

    async fn lease_notifications(
        &self,
        channel: &str,
        most: u32,
        lasts: Duration,
    ) -> Result<Vec<Notification>, Error> {
        self.inner.notifications().lease_notifications(channel, most, lasts).await
    }

    async fn settle_notification(
        &self,
        notification: &Notification,
        delivery: &Delivery,
        record: Option<&NewRun>,
    ) -> Result<bool, Error> {
        let settled = self.inner.notifications().settle_notification(notification, delivery, record).await?;
        if settled {
            let result = match delivery {
                Delivery::Sent => "sent",
                Delivery::Failed { .. } => "failed",
                Delivery::GivenUp { .. } => "given_up",
            };
            let channel = KeyValue::new("channel", notification.channel.clone());
            self.instruments.notifications.add(1, &[channel, KeyValue::new("result", result)]);
        }
        Ok(settled)
    }

    async fn app_tags(&self, apps: &BTreeSet<AppId>) -> Result<BTreeMap<AppId, Tags>, Error> {
        self.inner.notifications().app_tags(apps).await
    }

    async fn list(&self, since: Timestamp, most: u32) -> Result<Vec<Notification>, Error> {
        self.inner.notifications().list(since, most).await
    }
}
