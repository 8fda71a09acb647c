//! What happens behind Holdfast's back: deletions in the portal, wiped containers, recreated apps, moved subscriptions.

use std::collections::BTreeSet;

use holdfast_model::{AppId, SubscriptionId, Timestamp};
use holdfast_simulator::Azure;

/// What people did so far.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// When backups of which apps vanished.
    pub vanished: Vec<(Timestamp, AppId)>,
    pub taken_away: u64,
    pub wiped: u64,
    pub recreated: u64,
    pub moved: u64,
    pub short_lists: u64,
    moved_now: BTreeSet<SubscriptionId>,
    /// Apps of which a list came short or answered 404.
    pub hidden: BTreeSet<AppId>,
    /// Apps whose numbers began again.
    pub recreated_apps: BTreeSet<AppId>,
}

/// The container of the simulated storage.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub account: String,
    pub container: String,
}

impl People {
    /// Does something to a random app, or nothing.
    pub(crate) fn act(
        &mut self,
        azure: &mut Azure,
        (apps, place): (&[AppId], &Place),
        now: Timestamp,
        rng: &mut fastrand::Rng,
    ) {
        for subscription in std::mem::take(&mut self.moved_now) {
            azure.set_moved(&subscription, false);
        }
        let app = &apps[rng.usize(..apps.len())];
        match rng.u8(..24) {
            0..6 => {
                let whole = azure.whole_backups(app);
                // Mostly the newest, on which the others depend.
                let chosen = if rng.u8(..4) == 0 { whole.first() } else { whole.last() };
                if chosen.is_some_and(|id| azure.take_away(app, *id)) {
                    self.taken_away += 1;
                    self.vanished.push((now, app.clone()));
                }
            }
            6 => {
                let wiped = azure.wipe_container(&place.account, &place.container);
                if wiped > 0 {
                    self.wiped += 1;
                    self.vanished.extend(apps.iter().map(|app| (now, app.clone())));
                }
            }
            7 => {
                azure.recreate_site(app);
                self.recreated += 1;
                self.recreated_apps.insert(app.clone());
                self.vanished.push((now, app.clone()));
            }
            8 => {
                azure.set_moved(app.subscription(), true);
                let of_subscription = apps.iter().filter(|other| other.subscription() == app.subscription());
                self.hidden.extend(of_subscription.cloned());
                self.moved_now.insert(app.subscription().clone());
                self.moved += 1;
            }
            9..12 => {
                azure.shorten_lists(app, rng.u32(1..4));
                self.hidden.insert(app.clone());
                self.short_lists += 1;
            }
            _ => {}
        }
    }

    /// Ends what lasts.
    pub(crate) fn stop(&mut self, azure: &mut Azure, apps: &[AppId]) {
        for subscription in std::mem::take(&mut self.moved_now) {
            azure.set_moved(&subscription, false);
        }
        for app in apps {
            azure.shorten_lists(app, 0);
        }
    }

    /// Whether backups of the app vanished.
    pub(crate) fn touched(&self, app: &AppId) -> bool {
        self.vanished.iter().any(|(_, of)| of == app)
    }
}
