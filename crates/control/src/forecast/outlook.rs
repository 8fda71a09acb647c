//! From the apps of the fleet to due backups, and from their slots to what people ask. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use holdfast_config::Fleet;
use holdfast_model::{AppId, DurationForecast, Overlap, Policy, PolicyName, Timestamp};
use holdfast_store::{AppStatus, PastDurations};

use super::fleet_forecast::{
    BeyondDailyLimit, DAILY, DAILY_IN_PREMIUM, FleetForecast, ForecastBackup, ForecastRequest,
    MissedObjective, PolicyWindow,
};
use super::timetable::{DueBackup, Lane, Millis, Slot, WaitsFor};

/// The duration of a backup in a fleet that has never made one.
const UNKNOWN_DURATION: Duration = Duration::from_mins(5);

/// An app with its policy.
pub(super) struct Scheduled<'a> {
    pub status: AppStatus,
    pub policy: &'a Policy,
    pub lane: Lane,
    /// Which app of the fleet it repeats; itself where the fleet is not taken to be larger.
    original: AppId,
}

/// Numbers for what backups share.
#[derive(Default)]
struct Numbers(BTreeMap<String, usize>);

impl Numbers {
    fn of(&mut self, name: String) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }
}

/// The apps that a policy schedules, repeated or cut until there are `wanted`.
pub(super) fn scheduled<'a>(
    fleet: &'a Fleet,
    apps: Vec<AppStatus>,
    wanted: Option<usize>,
) -> Vec<Scheduled<'a>> {
    let policy = |status: &AppStatus| fleet.policies.get(status.policy.as_ref()?);
    let present: Vec<(AppStatus, &Policy)> = apps
        .into_iter()
        .filter(|status| !status.removed && !status.paused)
        .filter_map(|status| policy(&status).map(|policy| (status, policy)))
        .collect();
    let (mut subscriptions, mut plans, mut accounts) =
        (Numbers::default(), Numbers::default(), Numbers::default());
    let mut repeated = |(number, (status, policy)): (usize, &(AppStatus, &'a Policy))| {
        let copy = number / present.len();
        let (original, mut status) = (status.app.clone(), status.clone());
        if copy > 0 {
            status.app = copy_of(&original, copy);
            status.running = None;
        }
        let plan = status.plan.clone().unwrap_or_else(|| format!("plan of {original}"));
        let lane = Lane {
            subscription: subscriptions.of(original.subscription().to_string()),
            plan: plans.of(format!("{copy} {}", plan.to_lowercase())),
            account: accounts.of(policy.policy_snapshot.account.clone()),
        };
        Scheduled { status, policy, lane, original }
    };
    let wanted = wanted.unwrap_or(present.len());
    present.iter().cycle().take(wanted).enumerate().map(&mut repeated).collect()
}

/// An app that the fleet does not have, so that its ticks are elsewhere in the spread.
fn copy_of(app: &AppId, copy: usize) -> AppId {
    let site = format!("{}-{copy}", app.site());
    AppId::new(app.subscription().as_str(), app.resource_group(), &site, app.slot())
}

/// How long a backup of each app will probably take; `None` for an app without a past backup.
pub(super) fn expected_durations(
    apps: &[Scheduled<'_>],
    past: &BTreeMap<AppId, PastDurations>,
) -> Vec<Option<Duration>> {
    let of =
        |app: &Scheduled<'_>| DurationForecast::of(past.get(&app.original)?).map(|forecast| forecast.usual());
    apps.iter().map(of).collect()
}

/// The backups that are due or under way, and how many ticks of each app are not run because a run of it has not ended.
pub(super) fn due(
    apps: &[Scheduled<'_>],
    expected: &[Option<Duration>],
    request: ForecastRequest,
) -> (Vec<DueBackup>, Vec<usize>) {
    let usual = usual(expected);
    let (mut backups, mut overlapping) = (Vec::new(), vec![0; apps.len()]);
    for (number, (app, expected)) in apps.iter().zip(expected).enumerate() {
        let takes = millis(expected.unwrap_or(usual));
        let new =
            |due_at, is_under_way| DueBackup { app: number, lane: app.lane, due_at, takes, is_under_way };
        let mut free_at = request.from;
        if app.status.running.is_some() {
            backups.push(new(0, true));
            free_at += Duration::from_millis(takes.unsigned_abs());
        }
        // Ticks of a pause are not run.
        let pause = app.status.pause.as_ref();
        let mut after = pause.map_or(request.from, |pause| pause.until.max(request.from));
        while let Some(tick) = app.policy.schedule.next_tick(&app.status.app, after) {
            if tick > request.until {
                break;
            }
            after = tick;
            // Without queueing, a tick during the app's backup is not run. Waits for places are not known yet here.
            if app.policy.overlap == Overlap::Skip && tick < free_at {
                overlapping[number] += 1;
                continue;
            }
            free_at = free_at.max(tick) + Duration::from_millis(takes.unsigned_abs());
            backups.push(new(since(request.from, tick), false));
        }
    }
    (backups, overlapping)
}

/// The median over the apps with a past.
fn usual(expected: &[Option<Duration>]) -> Duration {
    let mut known: Vec<Duration> = expected.iter().flatten().copied().collect();
    known.sort();
    known.get(known.len() / 2).copied().unwrap_or(UNKNOWN_DURATION)
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}

fn since(from: Timestamp, at: Timestamp) -> Millis {
    (at - from).num_milliseconds()
}

/// Everything that a forecast is made of.
pub(super) struct Outlook<'a> {
    pub request: ForecastRequest,
    pub apps: Vec<Scheduled<'a>>,
    pub expected: Vec<Option<Duration>>,
    pub backups: Vec<DueBackup>,
    pub overlapping: Vec<usize>,
    pub slots: Vec<Slot>,
}

impl Outlook<'_> {
    pub(super) fn forecast(self) -> FleetForecast {
        let mut backups: Vec<ForecastBackup> =
            self.backups.iter().zip(&self.slots).map(|(due, slot)| self.backup(due, slot)).collect();
        backups.sort_by(|one, other| (one.begins_at, &one.app).cmp(&(other.begins_at, &other.app)));
        FleetForecast {
            from: self.request.from,
            until: self.request.until,
            apps: self.apps.len(),
            apps_without_history: self.expected.iter().filter(|expected| expected.is_none()).count(),
            policies: self.policies(),
            missed_objectives: self.missed_objectives(),
            beyond_daily_limit: self.beyond_daily_limit(),
            backups,
        }
    }

    fn at(&self, millis: Millis) -> Timestamp {
        self.request.from + Duration::from_millis(millis.max(0).unsigned_abs())
    }

    fn backup(&self, due: &DueBackup, slot: &Slot) -> ForecastBackup {
        ForecastBackup {
            app: self.apps[due.app].status.app.clone(),
            due_at: self.at(due.due_at),
            begins_at: self.at(slot.begins_at),
            ends_at: self.at(slot.ends_at),
            waits_for: slot.waits_for,
        }
    }

    /// The backups of each app that begin in the forecast, in their order.
    fn by_app(&self) -> Vec<Vec<(&DueBackup, &Slot)>> {
        let mut by_app = vec![Vec::new(); self.apps.len()];
        for (due, slot) in self.backups.iter().zip(&self.slots) {
            by_app[due.app].push((due, slot));
        }
        for backups in &mut by_app {
            backups.sort_by_key(|(_, slot)| slot.begins_at);
        }
        by_app
    }

    fn policies(&self) -> Vec<PolicyWindow> {
        let mut windows: BTreeMap<&PolicyName, Vec<(&DueBackup, &Slot)>> = BTreeMap::new();
        for (due, slot) in self.backups.iter().zip(&self.slots).filter(|(due, _)| !due.is_under_way) {
            windows.entry(&self.apps[due.app].policy.name).or_default().push((due, slot));
        }
        windows.into_iter().filter_map(|(policy, backups)| self.window(policy, &backups)).collect()
    }

    fn window(&self, policy: &PolicyName, backups: &[(&DueBackup, &Slot)]) -> Option<PolicyWindow> {
        let wait = |(due, slot): &(&DueBackup, &Slot)| slot.begins_at - due.due_at;
        let mut reasons: BTreeMap<WaitsFor, usize> = BTreeMap::new();
        for (_, slot) in backups {
            slot.waits_for.into_iter().for_each(|reason| *reasons.entry(reason).or_default() += 1);
        }
        let of_policy = self.apps.iter().zip(&self.overlapping).filter(|(app, _)| app.policy.name == *policy);
        Some(PolicyWindow {
            policy: policy.clone(),
            apps: of_policy.clone().count(),
            backups: backups.len(),
            overlapping: of_policy.map(|(_, overlapping)| overlapping).sum(),
            first_due: self.at(backups.iter().map(|(due, _)| due.due_at).min()?),
            last_begins: self.at(backups.iter().map(|(_, slot)| slot.begins_at).max()?),
            last_ends: self.at(backups.iter().map(|(_, slot)| slot.ends_at).max()?),
            longest_wait_s: backups.iter().map(wait).max()?.max(0).unsigned_abs() / 1_000,
            waits_for: reasons.into_iter().max_by_key(|(_, count)| *count).map(|(reason, _)| reason),
        })
    }

    /// The first time in the forecast at which an app is past its objective. A recovery point is as old as the begin of its backup, and
    /// is there from the end of it.
    fn missed_objectives(&self) -> Vec<MissedObjective> {
        let missed = |(app, backups): (&Scheduled<'_>, Vec<(&DueBackup, &Slot)>)| {
            let objective = app.status.recovery_point_objective?;
            let mut point = app.status.last_good_at?;
            let ends = backups.iter().map(|(_, slot)| (self.at(slot.begins_at), self.at(slot.ends_at)));
            for (begins_at, ends_at) in ends.chain([(self.request.until, self.request.until)]) {
                let since = (point + objective).max(self.request.from);
                if since < ends_at.min(self.request.until) {
                    return Some(MissedObjective { app: app.status.app.clone(), since });
                }
                point = point.max(begins_at);
            }
            None
        };
        self.apps.iter().zip(self.by_app()).filter_map(missed).collect()
    }

    fn beyond_daily_limit(&self) -> Vec<BeyondDailyLimit> {
        let beyond = |(app, backups): (&Scheduled<'_>, Vec<(&DueBackup, &Slot)>)| {
            let mut days: BTreeMap<_, usize> = BTreeMap::new();
            for (_, slot) in backups {
                *days.entry(self.at(slot.begins_at).date_naive()).or_default() += 1;
            }
            let backups = days.into_values().max()?;
            let limit = if backups > DAILY_IN_PREMIUM { DAILY_IN_PREMIUM } else { DAILY };
            (backups > limit).then(|| BeyondDailyLimit { app: app.status.app.clone(), backups, limit })
        };
        self.apps.iter().zip(self.by_app()).filter_map(beyond).collect()
    }
}
