//! What is known of one subscription's apps: its last list, and the apps that the list leaves out. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_arm::{Error, ErrorKind, SiteList};
use holdfast_model::{AppId, Site, Timestamp};

/// How often a subscription is listed.
const REFRESH_INTERVAL: Duration = Duration::from_mins(15);
/// Pause before a list that leaves apps out is asked for again.
const PROOF_INTERVAL: Duration = Duration::from_mins(1);
/// Looks at a missing app in quick succession. After them it is looked for at each refresh.
const QUICK_LOOKS: u32 = 5;
/// Shortest and longest pause after a list that failed.
const RETRY_MIN: Duration = Duration::from_secs(5);
const RETRY_MAX: Duration = Duration::from_mins(1);
/// Times that Azure must answer 404 for an app, each in another pass, before the app counts as gone.
pub(super) const PROOFS: u32 = 2;

/// One subscription's apps as Azure listed them.
#[derive(Debug, Default)]
pub(super) struct SubscriptionList {
    /// The sites of the last list.
    pub sites: Vec<Site>,
    /// When that list was asked for; `None` before the first one of this process.
    pub observed_at: Option<Timestamp>,
    /// Apps that the list leaves out although they are enrolled.
    pub missing: BTreeMap<AppId, Missing>,
    /// Since when ticks are owed to apps that were found late.
    pub owed: BTreeMap<AppId, Timestamp>,
    /// When the list was first requested since the last answer.
    waits_since: Option<Timestamp>,
    failures: u32,
    /// When to ask again, on the process's monotonic clock.
    look_at: Duration,
}

/// An enrolled app that the list leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing {
    /// Since when.
    pub since: Timestamp,
    /// How often the app itself was asked for.
    pub looks: u32,
    /// How often Azure answered 404.
    pub not_found: u32,
}

/// Azure's answer about an app that its list leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The app exists.
    Found,
    /// 404.
    NotFound,
    /// Anything else, which proves nothing.
    Unclear,
}

impl SubscriptionList {
    /// How long until the list is to be asked for.
    pub fn pause(&self, elapsed: Duration) -> Duration {
        self.look_at.saturating_sub(elapsed)
    }

    /// Makes the list due.
    pub fn ask_now(&mut self) {
        self.look_at = Duration::ZERO;
    }

    /// Notes that the list is asked for.
    pub fn asked(&mut self, now: Timestamp) {
        self.waits_since.get_or_insert(now);
    }

    /// Takes a list that was asked for at `asked_at`. `is_enrolled` tells which apps the store has.
    pub fn listed(&mut self, list: SiteList, asked_at: Timestamp, is_enrolled: impl Fn(&AppId) -> bool) {
        let is_late = self.observed_at.is_none() || self.failures > 0;
        let since = self.waits_since.take().filter(|_| is_late).unwrap_or(asked_at);
        self.sites = list.sites;
        self.observed_at = Some(asked_at);
        self.failures = 0;
        self.owed.retain(|app, _| !is_enrolled(app));
        if is_late {
            let new = self.sites.iter().map(|site| &site.id).filter(|id| !is_enrolled(id));
            self.owed.extend(new.map(|id| (id.clone(), since)));
        }
    }

    /// Takes the apps that are enrolled and not in the list.
    pub fn leaves_out(&mut self, absent: Vec<AppId>, missing_since: impl Fn(&AppId) -> Timestamp) {
        let old = std::mem::take(&mut self.missing);
        let missing = |app: AppId| {
            let new = || Missing { since: missing_since(&app), looks: 0, not_found: 0 };
            let entry = old.get(&app).copied().unwrap_or_else(new);
            (app, entry)
        };
        self.missing = absent.into_iter().map(missing).collect();
    }

    /// The apps to look for in this pass, those with the fewest looks first.
    pub fn to_look_for(&self, most: usize) -> Vec<AppId> {
        let mut apps: Vec<(&AppId, &Missing)> = self.missing.iter().collect();
        apps.sort_by_key(|(app, missing)| (missing.looks, (*app).clone()));
        apps.into_iter().take(most).map(|(app, _)| app.clone()).collect()
    }

    /// Takes Azure's answer about a missing app.
    pub fn looked(&mut self, app: &AppId, look: Look) {
        let Some(missing) = self.missing.get_mut(app) else { return };
        missing.looks += 1;
        match look {
            Look::Found => missing.not_found = 0,
            Look::NotFound => missing.not_found += 1,
            Look::Unclear => {}
        }
    }

    /// Missing apps that are proved gone.
    pub fn gone(&self) -> impl Iterator<Item = (&AppId, &Missing)> {
        self.missing.iter().filter(|(_, missing)| missing.not_found >= PROOFS)
    }

    /// Schedules the next request after a list, and returns the pause.
    pub fn after_list(&mut self, elapsed: Duration) -> Duration {
        let is_urgent =
            |missing: &Missing| missing.looks < QUICK_LOOKS && (missing.looks == 0 || missing.not_found > 0);
        let pause = if self.missing.values().any(is_urgent) { PROOF_INTERVAL } else { REFRESH_INTERVAL };
        self.look_at = elapsed + pause;
        pause
    }

    /// Schedules the next request after a failed one, and returns the pause.
    ///
    /// Azure's own wait is kept up to the interval of refreshes: a longer one is not believed.
    pub fn failed(&mut self, error: &Error, elapsed: Duration) -> Duration {
        let requested = match error.kind() {
            ErrorKind::Throttled { retry_after, .. } | ErrorKind::Conflict { retry_after } => *retry_after,
            _ => error.retry_after(),
        };
        let growing = RETRY_MIN.saturating_mul(1 << self.failures.min(8)).min(RETRY_MAX);
        let pause = requested.map_or(growing, |wait| wait.clamp(RETRY_MIN, REFRESH_INTERVAL));
        self.failures += 1;
        self.look_at = elapsed + pause;
        pause
    }
}

#[cfg(test)]
mod tests {
    use holdfast_arm::{Operation, ThrottleScope};

    use super::*;

    fn throttled(retry_after: Option<u64>) -> Error {
        let retry_after = retry_after.map(Duration::from_secs);
        let kind = ErrorKind::Throttled { retry_after, scope: ThrottleScope::Arm };
        Error::new(Operation::ListSites, "s", kind, "azure answered 429")
    }

    #[test]
    fn a_list_that_fails_is_asked_for_again_as_azure_says_or_with_growing_pauses() {
        let mut list = SubscriptionList::default();
        let pauses = [Some(17), Some(0), None, None, Some(86_400), None].map(|wait| {
            let pause = list.failed(&throttled(wait), Duration::from_secs(100)).as_secs();
            assert_eq!(list.pause(Duration::from_secs(100)).as_secs(), pause);
            pause
        });
        assert_eq!(pauses, [17, 5, 20, 40, 900, 60]);
    }

    #[test]
    fn only_a_second_404_in_another_pass_proves_that_an_app_is_gone() {
        let at = Timestamp::UNIX_EPOCH;
        let app = AppId::new("s", "g", "shop", None);
        let mut list = SubscriptionList::default();
        let look = |list: &mut SubscriptionList, look| {
            list.leaves_out(vec![app.clone()], |_| at);
            list.looked(&app, look);
            list.gone().count()
        };
        let looks = [Look::NotFound, Look::Found, Look::NotFound, Look::Unclear, Look::NotFound];
        assert_eq!(looks.map(|answer| look(&mut list, answer)), [0, 0, 0, 0, 1]);
        list.leaves_out(Vec::new(), |_| at);
        assert_eq!(list.gone().count(), 0);
    }

    #[test]
    fn an_app_found_after_a_failed_list_is_owed_the_ticks_since_the_list_was_first_asked_for() {
        let at = |second| Timestamp::from_timestamp(second, 0).unwrap();
        let mut list = SubscriptionList::default();
        list.asked(at(10));
        list.failed(&throttled(None), Duration::ZERO);
        list.asked(at(20));
        let site = |name: &str| Site::new(AppId::new("s", "g", name, None));
        let sites = SiteList { sites: vec![site("new"), site("old")], left_out: Vec::new() };
        list.listed(sites.clone(), at(20), |app| app.site() == "old");
        assert_eq!(list.owed.values().collect::<Vec<_>>(), [&at(10)]);
        // Later lists owe nothing to what they find.
        list.asked(at(30));
        list.listed(sites, at(30), |_| true);
        list.asked(at(40));
        list.listed(SiteList { sites: vec![site("newer")], left_out: Vec::new() }, at(40), |_| false);
        assert!(list.owed.is_empty());
    }
}
