//! Notifications in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{AppId, NewRun, Tags, Timestamp};

use crate::columns::{later, stamp};
use crate::error::Result;
use crate::memory::MemoryStore;
use crate::memory::state::State;
use crate::notifications::{
    Delivery, KEPT_FOR, Notification, NotificationState, NotificationStore, NotifierAdvance, NotifierPlace,
};

#[async_trait]
impl NotificationStore for MemoryStore {
    async fn notifier(&self) -> Result<Option<NotifierPlace>> {
        Ok(self.state().notifier.clone())
    }

    async fn advance_notifier(&self, advance: &NotifierAdvance) -> Result<bool> {
        Ok(self.state().advance_notifier(advance, self.time()))
    }

    async fn lease_notifications(
        &self,
        channel: &str,
        most: u32,
        lasts: Duration,
    ) -> Result<Vec<Notification>> {
        Ok(self.state().lease_notifications((channel, most), lasts, self.time()))
    }

    async fn settle_notification(
        &self,
        notification: &Notification,
        delivery: &Delivery,
        record: Option<&NewRun>,
    ) -> Result<bool> {
        self.state().settle_notification((&notification.id, delivery), record, self.time())
    }

    async fn app_tags(&self, apps: &BTreeSet<AppId>) -> Result<BTreeMap<AppId, Tags>> {
        let state = self.state();
        let of = |app: &AppId| Some((app.clone(), state.apps.get(app)?.enrolled.app.tags.clone()));
        Ok(apps.iter().filter_map(of).collect())
    }

    async fn list(&self, since: Timestamp, most: u32) -> Result<Vec<Notification>> {
        let state = self.state();
        let after = state.notifications.values().filter(|one| one.created_at > stamp(since));
        let mut found: Vec<Notification> = after.cloned().collect();
        found.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        found.truncate(most as usize);
        Ok(found)
    }
}

impl State {
    fn advance_notifier(&mut self, advance: &NotifierAdvance, now: Timestamp) -> bool {
        if self.notifier.as_ref().map_or(0, |place| place.version) != advance.from {
            return false;
        }
        let NotifierAdvance { from, through, state, notifications } = advance.clone();
        self.notifier = Some(NotifierPlace { version: from + 1, through, state });
        self.notifications.retain(|_, one| one.ended_at.is_none_or(|at| at > now - KEPT_FOR));
        for new in notifications {
            self.notifications.entry(new.id.clone()).or_insert_with(|| Notification::created(&new, now));
        }
        true
    }

    fn lease_notifications(
        &mut self,
        (channel, most): (&str, u32),
        lasts: Duration,
        now: Timestamp,
    ) -> Vec<Notification> {
        let is_waiting =
            |one: &&Notification| one.channel == channel && one.state == NotificationState::Pending;
        let waiting: Vec<&Notification> = self.notifications.values().filter(is_waiting).collect();
        let is_first = |one: &&&Notification| {
            !waiting.iter().any(|other| other.incident == one.incident && other.number < one.number)
        };
        let first = waiting.iter().filter(is_first).filter(|one| one.due_at <= now);
        let mut due: Vec<(Timestamp, String)> = first.map(|one| (one.due_at, one.id.clone())).collect();
        due.sort();
        due.truncate(most as usize);
        let mut leased = Vec::new();
        for (_, id) in due {
            if let Some(one) = self.notifications.get_mut(&id) {
                (one.due_at, one.attempts) = (later(now, lasts), one.attempts + 1);
                leased.push(one.clone());
            }
        }
        leased
    }

    fn settle_notification(
        &mut self,
        (id, delivery): (&str, &Delivery),
        record: Option<&NewRun>,
        now: Timestamp,
    ) -> Result<bool> {
        let is_pending = |one: &&Notification| one.state == NotificationState::Pending;
        let Some(one) = self.notifications.get(id).filter(is_pending).cloned() else { return Ok(false) };
        if let Some(record) = record {
            self.add_run(record, now)?;
        }
        self.notifications.insert(id.to_owned(), one.settled(delivery, now));
        Ok(true)
    }
}
