//! Reads the audit, and commits the notifications that follow from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use holdfast_config::NotifyOn;
use holdfast_model::{AppId, Run, RunId, Tags, Timestamp};
use holdfast_store::{AuditEvent, NewNotification, NotifierAdvance, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::conditions::conditions;
use crate::due::{TagsById, due};
use crate::error::Error;
use crate::fold::{Rules, Seen, concerns, fold, look};
use crate::health::NotifierHealth;
use crate::notice::Notice;
use crate::state::NotifierState;

/// Events read at once.
const PAGE: u32 = 1_000;

/// The pause between two passes.
const PAUSE: Duration = Duration::from_secs(2);

/// The longest pause after what another program wrote could not be read.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// The interval of looks at the store for conditions. With a pause and the longest time that a rule gathers, people hear within
/// a minute.
const LOOK_EVERY: Duration = Duration::from_secs(25);

/// Reads the audit after its place, and commits the new place with the notifications that follow.
pub struct Notifier {
    store: Arc<dyn Store>,
    rules: Rules,
    bell: Arc<Notify>,
    health: NotifierHealth,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

/// The result of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassResult {
    /// There was nothing to do.
    Idle,
    /// So many notifications were added.
    Advanced {
        /// How many.
        added: usize,
        /// Whether more events may wait.
        has_more: bool,
    },
    /// Another process was faster. The next pass reads its place.
    Overtaken,
}

impl Notifier {
    /// A notifier of these rules. `bell` wakes the delivery of added notifications, and `health` records why none can be added.
    pub fn new(store: Arc<dyn Store>, rules: Rules, bell: Arc<Notify>, health: NotifierHealth) -> Self {
        Self { store, rules, bell, health }
    }

    /// Runs passes until `stop`. A failed pass is logged; what another program wrote and this one cannot read only once.
    pub async fn run(self, stop: CancellationToken) {
        let mut pause = PAUSE;
        while !stop.is_cancelled() {
            let passed = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                passed = self.pass() => passed,
            };
            let is_unreadable = matches!(passed, Err(Error::ReadState(_)));
            pause = if is_unreadable { PAUSE_MAX.min(pause * 2) } else { PAUSE };
            match passed {
                Ok(PassResult::Advanced { has_more: true, .. }) => continue,
                Ok(_) => self.health.note(None),
                Err(error) => self.fails(&error),
            }
            let _ = tokio::time::timeout(pause, stop.cancelled()).await;
        }
    }

    fn fails(&self, error: &Error) {
        let is_unreadable = matches!(error, Error::ReadState(_));
        let why = is_unreadable.then(|| error.to_string());
        let is_known = is_unreadable && self.health.error() == why;
        self.health.note(why);
        let error = error as &dyn std::error::Error;
        if is_known {
            tracing::debug!(error, "what the notifier remembers cannot be read yet");
        } else if is_unreadable {
            tracing::warn!(
                error,
                "this process sends no notifications until it can read that; it tries again each minute"
            );
        } else {
            tracing::warn!(
                error,
                "failed to read the audit for notifications; it is tried again in two seconds"
            );
        }
    }

    /// One pass. It changes nothing but the notifier's own rows, all of them in one transaction.
    pub async fn pass(&self) -> Result<PassResult, Error> {
        let place = self.store.notifications().notifier().await?;
        let Some(place) = place else { return self.begin().await };
        let before: NotifierState = serde_json::from_str(&place.state).map_err(Error::ReadState)?;
        let events = self.store.audit(place.through, PAGE).await?;
        let now = self.store.now().await?;
        let mut state = before.clone();
        self.fold_events(&mut state, &events, now).await?;
        if self.looks_at_conditions() && before.looked_at.is_none_or(|at| at + LOOK_EVERY <= now) {
            let found = conditions(&self.store.status().await?, &self.store.subscriptions().await?, now);
            look(&mut state, &self.rules, &found, now);
        }
        let tags = self.tags_in_trouble(&state).await?;
        let notices = due(&mut state, &self.rules, &tags, now);
        let through = events.last().map_or(place.through, |event| event.link.seq);
        if through == place.through && state == before && notices.is_empty() {
            return Ok(PassResult::Idle);
        }
        let has_more = events.len() >= PAGE as usize;
        let notifications = self.to_channels(&notices);
        let advance = NotifierAdvance { from: place.version, through, state: text(&state)?, notifications };
        self.commit(advance, has_more).await
    }

    /// The first pass: what happened before anyone was to be told is not told.
    async fn begin(&self) -> Result<PassResult, Error> {
        let through = self.store.last_event().await?.map_or(0, |event| event.link.seq);
        let state = text(&NotifierState::default())?;
        self.commit(NotifierAdvance { from: 0, through, state, notifications: Vec::new() }, true).await
    }

    async fn commit(&self, advance: NotifierAdvance, has_more: bool) -> Result<PassResult, Error> {
        if !self.store.notifications().advance_notifier(&advance).await? {
            return Ok(PassResult::Overtaken);
        }
        let added = advance.notifications.len();
        if added > 0 {
            self.bell.notify_waiters();
        }
        Ok(PassResult::Advanced { added, has_more })
    }

    /// Folds events with what their runs say. A run whose row cannot be read counts as one without a policy.
    async fn fold_events(
        &self,
        state: &mut NotifierState,
        events: &[AuditEvent],
        now: Timestamp,
    ) -> Result<(), Error> {
        let events: Vec<&AuditEvent> = events.iter().filter(|event| concerns(&event.event)).collect();
        let mut ids: Vec<RunId> = events.iter().map(|event| event.run_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = self.store.run_rows(&ids).await?;
        let runs: BTreeMap<RunId, Run> = rows.into_iter().map(|row| (row.run.id, row.run)).collect();
        let (tags, none) = (self.tags_of(&events).await?, Tags::default());
        for event in events {
            let run = runs.get(&event.run_id);
            let kind = run.map_or(holdfast_model::RunKind::Backup, |run| run.task.kind());
            let policy = run.and_then(|run| run.policy.as_ref());
            let tags = tags.get(&event.app).unwrap_or(&none);
            fold(state, &self.rules, Seen { event, kind, policy, tags }, now);
        }
        Ok(())
    }

    /// The tags of the apps that the events are about, where a rule asks for tags.
    async fn tags_of(&self, events: &[&AuditEvent]) -> Result<BTreeMap<AppId, Tags>, Error> {
        if events.is_empty() || self.rules.values().all(|rule| rule.tags.is_empty()) {
            return Ok(BTreeMap::new());
        }
        let apps: BTreeSet<AppId> = events.iter().map(|event| event.app.clone()).collect();
        Ok(self.store.notifications().app_tags(&apps).await?)
    }

    /// The tags of the apps in trouble, where a silence asks for tags.
    async fn tags_in_trouble(&self, state: &NotifierState) -> Result<TagsById, Error> {
        if state.silences.iter().all(|silence| silence.tags.is_empty()) {
            return Ok(TagsById::new());
        }
        let ids = state.incidents.iter().flat_map(|incident| incident.troubles.keys());
        // What is about a policy or a subscription has another id.
        let apps: BTreeSet<AppId> = ids.filter_map(|id| id.parse().ok()).collect();
        let found = self.store.notifications().app_tags(&apps).await?;
        Ok(found.into_iter().map(|(app, tags)| (app.to_string(), tags)).collect())
    }

    fn looks_at_conditions(&self) -> bool {
        self.rules.values().any(|rule| rule.on.iter().copied().any(NotifyOn::is_condition))
    }

    fn to_channels(&self, notices: &[Notice]) -> Vec<NewNotification> {
        let of = |notice: &Notice| -> Vec<NewNotification> {
            let channels = self.rules.get(&notice.rule).map(|rule| rule.channels.as_slice());
            channels.unwrap_or_default().iter().map(|channel| notice.to(channel)).collect()
        };
        notices.iter().flat_map(of).collect()
    }
}

fn text(state: &NotifierState) -> Result<String, Error> {
    serde_json::to_string(state).map_err(Error::WriteState)
}
