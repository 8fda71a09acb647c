//! Keeps the planners' fleet up to date with the fleet file, Azure and the store.

mod snapshot;
mod subscription_list;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use holdfast_arm::{Arm, ErrorKind, SiteList};
use holdfast_config::Fleet;
use holdfast_model::{AppId, Clock, DepartureReason, SubscriptionId, Timestamp};
use holdfast_scheduler::{FleetSnapshot, Proof};
use holdfast_store::{AppStatus, Listing, ListingResult, Store};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::discovery::{self, Listed};
use subscription_list::{Look, SubscriptionList};

/// Maximum number of concurrent requests: lists of subscriptions, or apps that a list leaves out.
const AT_ONCE: usize = 8;
/// Maximum number of missing apps of a subscription that are looked for in one pass.
const LOOKS_MAX: usize = 100;
/// Pause after the store failed.
const STORE_RETRY: Duration = Duration::from_secs(5);

/// Asks Azure for its apps, and publishes the fleet to the planners.
///
/// An app stays in the fleet until it is proved gone: a list that leaves it out proves nothing.
pub struct FleetKeeper {
    file: Arc<Fleet>,
    arm: Arc<dyn Arm>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    lists: BTreeMap<SubscriptionId, SubscriptionList>,
    departed: BTreeMap<AppId, Proof>,
    sender: watch::Sender<Arc<FleetSnapshot>>,
    store_failed: bool,
    /// Whether the fleet file was replaced since the fleet was published.
    is_replaced: bool,
}

/// The enrolled apps of the store.
type Enrolled = BTreeMap<AppId, AppStatus>;

/// Azure's answer to a request for a list.
type Answer = (SubscriptionId, Result<Listed, holdfast_arm::Error>);

impl FleetKeeper {
    /// A keeper, and the receiver of its fleet, which is empty until the first [`refresh`](Self::refresh).
    pub fn new(
        file: Fleet,
        arm: Arc<dyn Arm>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> (Self, watch::Receiver<Arc<FleetSnapshot>>) {
        let (sender, receiver) = watch::channel(Arc::default());
        let lists = file.subscriptions().into_iter().map(|id| (id, SubscriptionList::default())).collect();
        let (file, departed) = (Arc::new(file), BTreeMap::new());
        let keeper = Self {
            file,
            arm,
            store,
            clock,
            lists,
            departed,
            sender,
            store_failed: false,
            is_replaced: false,
        };
        (keeper, receiver)
    }

    /// Keeps another fleet from now on. What Azure listed stays known, and each list is asked for again at the next
    /// [`refresh`](Self::refresh), which publishes the fleet first.
    pub fn replace(&mut self, file: Fleet, arm: Arc<dyn Arm>) {
        let subscriptions = file.subscriptions();
        self.lists.retain(|subscription, _| subscriptions.contains(subscription));
        self.lists.values_mut().for_each(SubscriptionList::ask_now);
        for subscription in subscriptions {
            self.lists.entry(subscription).or_default();
        }
        // Whom the old file left out, the new one may name.
        let is_named = |app: &AppId| file.apps.iter().any(|entry| entry.id == *app);
        self.departed.retain(|app, proof| proof.reason == DepartureReason::NotFound && !is_named(app));
        (self.file, self.arm, self.is_replaced) = (Arc::new(file), arm, true);
    }

    /// How long until the next [`refresh`](Self::refresh).
    pub fn pause(&self) -> Duration {
        if self.store_failed {
            return STORE_RETRY;
        }
        let elapsed = self.clock.elapsed();
        let next = self.lists.values().map(|list| list.pause(elapsed)).min();
        next.unwrap_or(Duration::from_mins(15))
    }

    /// Lists the subscriptions that are due, and publishes the fleet after each answer.
    ///
    /// A failure is logged and recorded, and asked again after its pause. Without the store nothing is asked: what is
    /// enrolled there decides what may be missing.
    pub async fn refresh(&mut self) {
        let (now, enrolled) = match self.read_store().await {
            Ok(read) => read,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the enrolled apps cannot be read; trying again in a few seconds");
                self.store_failed = true;
                return;
            }
        };
        self.store_failed = false;
        self.departed.retain(|app, _| enrolled.contains_key(app));
        self.leave_out_foreign_subscriptions(&enrolled, now);
        if std::mem::take(&mut self.is_replaced) {
            self.publish(&enrolled);
        }
        let elapsed = self.clock.elapsed();
        let due = self.lists.iter_mut().filter(|(_, list)| list.pause(elapsed).is_zero());
        let due: Vec<_> = due
            .map(|(subscription, list)| {
                list.asked(now);
                subscription.clone()
            })
            .collect();
        let (arm, file) = (Arc::clone(&self.arm), Arc::clone(&self.file));
        let ask = |subscription: SubscriptionId| {
            let (arm, file) = (Arc::clone(&arm), Arc::clone(&file));
            async move {
                let answer = discovery::sites(&arm, &file, &subscription).await;
                (subscription, answer)
            }
        };
        // Tasks of their own: a request that draws on a budget holds the store, and must go on while an answer is recorded.
        let mut waiting = due.into_iter();
        let mut asking: JoinSet<Answer> = waiting.by_ref().take(AT_ONCE).map(&ask).collect();
        while let Some(ended) = asking.join_next().await {
            if let Some(subscription) = waiting.next() {
                asking.spawn(ask(subscription));
            }
            let answer = match ended.map_err(JoinError::try_into_panic) {
                Ok(answer) => answer,
                Err(Ok(panic)) => std::panic::resume_unwind(panic),
                // The runtime is shutting down.
                Err(Err(_)) => continue,
            };
            let listing = self.take(answer, &enrolled, now).await;
            self.publish(&enrolled);
            if let Err(error) = self.store.record_listings(&[listing]).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "failed to record the list of a subscription");
            }
        }
        self.publish(&enrolled);
    }

    async fn read_store(&self) -> Result<(Timestamp, Enrolled), holdfast_store::Error> {
        let now = self.store.now().await?;
        let apps = self.store.status().await?.into_iter().filter(|app| !app.removed);
        Ok((now, apps.map(|app| (app.app.clone(), app)).collect()))
    }

    /// Takes an answer, looks for the apps that it leaves out, and schedules the next request.
    async fn take(&mut self, (subscription, answer): Answer, enrolled: &Enrolled, now: Timestamp) -> Listing {
        let result = match answer {
            Ok(found) => {
                let SiteList { sites, left_out } = &found.list;
                let result = ListingResult::Listed { apps: sites.len() as u64, left_out: left_out.clone() };
                self.listed(&subscription, found, enrolled, now).await;
                Ok(result)
            }
            Err(error) => Err(error),
        };
        let (elapsed, list) = (self.clock.elapsed(), self.lists.entry(subscription.clone()).or_default());
        let (pause, result) = match result {
            Ok(result) => (list.after_list(elapsed), result),
            Err(error) => {
                let pause = list.failed(&error, elapsed);
                let cause = &error as &dyn std::error::Error;
                tracing::warn!(
                    error = cause,
                    "the apps of subscription {subscription} cannot be listed; those known stay, and the list is asked \
                     for again in {} s",
                    pause.as_secs()
                );
                (pause, ListingResult::Failed { error: error.to_string() })
            }
        };
        Listing { subscription, asked_at: now, next_at: now + pause, result }
    }

    async fn listed(
        &mut self,
        subscription: &SubscriptionId,
        Listed { list: sites, without_slots }: Listed,
        enrolled: &Enrolled,
        now: Timestamp,
    ) {
        for (app, error) in &without_slots {
            let error = error as &dyn std::error::Error;
            tracing::warn!(
                app = app.short_name(),
                error,
                "the slots of an app cannot be listed; those known stay"
            );
        }
        let is_unlisted = |app: &AppId| {
            app.slot().is_some()
                && without_slots.iter().any(|(parent, _)| *parent == snapshot::parent_of(app))
        };
        if !sites.left_out.is_empty() {
            tracing::warn!(
                %subscription,
                left_out = sites.left_out.join(", "),
                "listed resources have no usable id and cannot be backed up"
            );
        }
        let Some(list) = self.lists.get_mut(subscription) else { return };
        list.listed(sites, now, |app| enrolled.contains_key(app));
        let present: BTreeSet<&AppId> = list.sites.iter().map(|site| &site.id).collect();
        let named: BTreeSet<&AppId> = self.file.apps.iter().map(|app| &app.id).collect();
        self.departed.retain(|app, _| !present.contains(app));
        let absent = enrolled.keys().filter(|app| {
            app.subscription() == subscription
                && !present.contains(app)
                && !named.contains(app)
                && !is_unlisted(app)
        });
        let (unwanted, absent): (Vec<AppId>, Vec<AppId>) =
            absent.cloned().partition(|app| snapshot::is_unwanted_slot(&self.file, &list.sites, app));
        let known = list.missing.len();
        list.leaves_out(absent, |app| enrolled.get(app).and_then(|app| app.missing_since).unwrap_or(now));
        if list.missing.len() > known {
            tracing::warn!(
                %subscription,
                missing = list.missing.len(),
                first = list.missing.keys().next().map(AppId::short_name),
                "azure's list leaves out enrolled apps; they stay enrolled until azure answers 404 for each of them twice"
            );
        }
        for app in unwanted {
            let detail = "no rule with `slots = true` takes its app any more".to_owned();
            self.depart(app, DepartureReason::NotInFleetFile, detail, now);
        }
        self.look_for_missing(subscription, now).await;
    }

    /// Asks Azure for each missing app, up to a limit or the first throttle.
    async fn look_for_missing(&mut self, subscription: &SubscriptionId, now: Timestamp) {
        let Some(list) = self.lists.get_mut(subscription) else { return };
        let apps = list.to_look_for(LOOKS_MAX);
        let arm = Arc::clone(&self.arm);
        let ask = |app: AppId| {
            let arm = Arc::clone(&arm);
            async move {
                let site = arm.site(&app).await;
                (app, site.map(|_| ()).map_err(|error| error.kind().clone()))
            }
        };
        let mut answers = futures::stream::iter(apps).map(ask).buffer_unordered(AT_ONCE);
        while let Some((app, answer)) = answers.next().await {
            let look = match answer {
                Ok(()) => Look::Found,
                Err(ErrorKind::NotFound) => Look::NotFound,
                Err(
                    ErrorKind::Throttled { .. }
                    | ErrorKind::NotSent
                    | ErrorKind::Unauthorized
                    | ErrorKind::CredentialRefused,
                ) => break,
                Err(_) => Look::Unclear,
            };
            list.looked(&app, look);
        }
        let gone: Vec<(AppId, String)> = list
            .gone()
            .map(|(app, missing)| {
                let since = holdfast_model::format_timestamp(missing.since);
                let times = missing.not_found;
                (
                    app.clone(),
                    format!("not in azure's list since {since}, and azure answered 404 {times} times"),
                )
            })
            .collect();
        for (app, detail) in gone {
            self.depart(app, DepartureReason::NotFound, detail, now);
        }
    }

    /// Apps of subscriptions that the fleet file no longer names leave the fleet.
    fn leave_out_foreign_subscriptions(&mut self, enrolled: &Enrolled, now: Timestamp) {
        let foreign = enrolled.keys().filter(|app| !self.lists.contains_key(app.subscription()));
        for app in foreign.cloned().collect::<Vec<_>>() {
            let detail = format!("the fleet file does not name subscription {}", app.subscription());
            self.depart(app, DepartureReason::NotInFleetFile, detail, now);
        }
    }

    fn depart(&mut self, app: AppId, reason: DepartureReason, detail: String, observed_at: Timestamp) {
        if !self.departed.contains_key(&app) {
            tracing::warn!(
                app = app.short_name(),
                reason = reason.as_str(),
                detail,
                "an app leaves the fleet"
            );
        }
        self.departed.insert(app, Proof { reason, observed_at, detail });
    }

    fn publish(&self, enrolled: &Enrolled) {
        let fleet = snapshot::of(&self.file, &self.lists, &self.departed, enrolled);
        let (apps, unanswered) = (fleet.apps.len(), fleet.unanswered.len());
        let is_changed = self.sender.send_if_modified(|current| {
            let is_changed = **current != fleet;
            *current = Arc::new(fleet);
            is_changed
        });
        if is_changed {
            tracing::info!(apps, unanswered, "the fleet is known");
        }
    }
}

#[cfg(test)]
mod tests;
