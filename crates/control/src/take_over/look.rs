//! Looks at Azure: the apps of subscriptions, each with its native schedule.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::StreamExt as _;
use holdfast_arm::Arm;
use holdfast_model::{Site, SubscriptionId};
use holdfast_storage::ObservedSchedule;

use super::subscriptions::SeenSubscriptions;
use crate::coverage::{Unanswered, WithoutSlots};
use crate::error::{Context as _, Error};
use crate::{discovery, native_schedule};

/// Maximum number of apps that Azure is asked about concurrently. The budgets pace their calls.
const AT_ONCE: usize = 16;

/// An app with its native schedule.
#[derive(Debug)]
pub struct FoundApp {
    /// The app.
    pub site: Site,
    /// Its native schedule, or why it is not known.
    pub schedule: Result<Option<ObservedSchedule>, String>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Look {
    /// The subscriptions of a credential whose subscriptions were listed; empty where people name them.
    pub seen: SeenSubscriptions,
    /// The apps.
    pub apps: Vec<FoundApp>,
    /// Listed resources without a usable id, as Azure names them.
    pub left_out: Vec<String>,
    /// Subscriptions whose apps Azure did not list.
    pub unanswered: Vec<Unanswered>,
    /// Apps whose slots Azure did not list.
    pub without_slots: Vec<WithoutSlots>,
}

/// Asks Azure for the apps of the subscriptions, with their slots where `slots` is set, and for their native schedules.
/// Fails when no subscription answers.
pub async fn look(
    arm: &Arc<dyn Arm>,
    subscriptions: &BTreeSet<SubscriptionId>,
    slots: bool,
) -> Result<Look, Error> {
    let (mut look, mut sites) = (Look::default(), Vec::new());
    for subscription in subscriptions {
        match discovery::sites_and_slots(arm, subscription, |site| slots && site.why_unsupported().is_none())
            .await
        {
            Ok(found) => {
                sites.extend(found.list.sites);
                look.left_out.extend(found.list.left_out);
                let without =
                    |(app, error): (_, holdfast_arm::Error)| WithoutSlots { app, error: error.to_string() };
                look.without_slots.extend(found.without_slots.into_iter().map(without));
            }
            Err(error) if look.unanswered.len() + 1 == subscriptions.len() => {
                return Err(error).context("failed to list the apps");
            }
            Err(error) => {
                let error = error.to_string();
                look.unanswered.push(Unanswered { subscription: subscription.clone(), error });
            }
        }
    }
    let schedules = futures::stream::iter(sites).map(|site| with_schedule(arm, site));
    look.apps = schedules.buffered(AT_ONCE).collect().await;
    Ok(look)
}

/// Azure is not asked about an app that it cannot back up.
async fn with_schedule(arm: &Arc<dyn Arm>, site: Site) -> FoundApp {
    if site.why_unsupported().is_some() {
        return FoundApp { site, schedule: Ok(None) };
    }
    let schedule = arm.schedule(&site.id).await.map_err(|error| error.to_string());
    FoundApp { site, schedule: schedule.map(|found| found.as_ref().map(native_schedule::observed)) }
}
