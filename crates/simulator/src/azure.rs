//! Azure: everything it holds, and the one door to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDate;
use holdfast_model::{AppId, BackupId, Call, SubscriptionId, Timestamp};

use crate::faults::Script;
use crate::{
    AcceptedDelete, AcceptedPost, AcceptedRestore, Config, Counters, Delivery, Faults, FleetSite, Hitch,
    Request, Response, ScriptedOutcome,
};

mod accept;
mod agenda;
mod arm;
mod backup;
mod blob_service;
mod buckets;
mod deletion;
mod envelope;
mod finish;
mod operations;
mod probe;
mod restore;
mod route;
mod sas;
mod schedule;
mod seen_secrets;
mod stamp;
mod storage;
mod storage_url;
mod tokens;

pub use restore::Restored;
pub use storage::{BlobFacts, InvalidKey};

use agenda::Agenda;
use backup::Backup;
use buckets::Bucket;
use restore::Restores;
use schedule::Schedule;
use seen_secrets::SeenSecrets;
use stamp::Stamp;
use storage::Storage;
use tokens::Tokens;

/// Azure as a state machine: requests and the time go in, answers come out, and nothing else happens.
///
/// What becomes of a backup is decided when it is accepted, so its state at any later time follows without timers.
/// Each app has its own randomness: what befalls one app does not depend on the calls for the others.
pub struct Azure {
    config: Config,
    seed: u64,
    /// The latest time told. Azure's own clock does not go backwards when a caller's does.
    now: Timestamp,
    stamp: Stamp,
    sites: BTreeMap<AppId, SiteState>,
    /// What is to happen by itself.
    agenda: Agenda,
    restores: Restores,
    /// Apps that a test has broken.
    broken: BTreeSet<AppId>,
    at_once_per_plan: BTreeMap<String, u64>,
    at_once_per_account: BTreeMap<String, u64>,
    storage: Storage,
    tokens: Tokens,
    buckets: BTreeMap<(SubscriptionId, Call), Bucket>,
    counters: Counters,
    accepted: Vec<AcceptedPost>,
    accepted_deletes: Vec<AcceptedDelete>,
    accepted_restores: Vec<AcceptedRestore>,
    seen: SeenSecrets,
}

/// A site or slot and its backups.
struct SiteState {
    facts: FleetSite,
    rng: fastrand::Rng,
    script: Script,
    backups: BTreeMap<BackupId, Backup>,
    names: BTreeSet<String>,
    schedule: Option<Schedule>,
    /// What was last restored into it.
    content: Option<Restored>,
    /// The day in UTC that `backups_of_day` counts.
    day: NaiveDate,
    backups_of_day: u32,
}

impl Azure {
    /// Azure at its start. The same seed and the same requests in the same order give the same answers.
    pub fn new(mut config: Config, seed: u64) -> Result<Self, InvalidKey> {
        let storage = Storage::new(std::mem::take(&mut config.fleet.accounts))?;
        let state = |facts: FleetSite| (facts.site.id.clone(), SiteState::new(facts, seed));
        let sites = std::mem::take(&mut config.fleet.sites).into_iter().map(state).collect();
        Ok(Self {
            config,
            seed,
            now: Timestamp::UNIX_EPOCH,
            stamp: Stamp::new(seed),
            sites,
            agenda: Agenda::default(),
            restores: Restores::default(),
            broken: BTreeSet::new(),
            at_once_per_plan: BTreeMap::new(),
            at_once_per_account: BTreeMap::new(),
            storage,
            tokens: Tokens::default(),
            buckets: BTreeMap::new(),
            counters: Counters::default(),
            accepted: Vec::new(),
            accepted_deletes: Vec::new(),
            accepted_restores: Vec::new(),
            seen: SeenSecrets::default(),
        })
    }

    /// Answers a request at `now`: ARM under `/subscriptions/`, tokens under `/TENANT/oauth2/v2.0/token`, the sites
    /// themselves under `/_site/NAME`, blobs under `/ACCOUNT/CONTAINER/`.
    pub fn handle(&mut self, now: Timestamp, request: &Request) -> Response {
        self.answer(now, request, false)
    }

    /// As [`handle`](Self::handle), for a caller who need not show a token: the in-process skin.
    pub(crate) fn handle_trusted(&mut self, now: Timestamp, request: &Request) -> Response {
        self.answer(now, request, true)
    }

    fn answer(&mut self, now: Timestamp, request: &Request, trusted: bool) -> Response {
        self.advance(now);
        let request_id = self.stamp.guid();
        let mut response = match request.path.split('/').nth(1).unwrap_or_default() {
            first if first.eq_ignore_ascii_case("subscriptions") => self.arm(request, &request_id, trusted),
            "_site" => self.probe(request),
            _ if tokens::is_token_path(&request.path) => self.token_endpoint(request),
            _ => self.blob_service(request, &request_id),
        };
        response.headers.insert("x-ms-request-id", request_id);
        if self.config.remembers_secrets {
            self.remember_secrets(request, &response);
        }
        if response.delivery == Delivery::Garbage {
            // A proxy's page knows nothing of the headers behind it.
            response.headers.retain(|name, _| *name == "content-type");
        }
        response
    }

    /// Replaces what goes wrong from here on; [`Faults::none`] lets everything end well. What was decided about
    /// backups, deletions and restores already accepted stays.
    pub fn set_faults(&mut self, faults: Faults) {
        self.config.faults = faults;
    }

    /// Sets what befalls an app next, an [`End`](crate::End), a [`DeleteEnd`](crate::DeleteEnd), a
    /// [`RestoreEnd`](crate::RestoreEnd) or a [`Hitch`], before any rate is asked. Several of one kind are met in turn.
    /// Nothing happens for an app that is not there.
    pub fn next(&mut self, app: &AppId, outcome: impl Into<ScriptedOutcome>) {
        let Some(site) = self.sites.get_mut(app) else { return };
        match outcome.into() {
            ScriptedOutcome::End(end) => site.script.ends.push_back(end),
            ScriptedOutcome::Delete(end) => site.script.deletes.push_back(end),
            ScriptedOutcome::Restore(end) => site.script.restores.push_back(end),
            ScriptedOutcome::Hitch(hitch) => site.script.hitches.push_back(hitch),
        }
    }

    /// Sets what goes wrong with the next call that reads something of an app.
    pub fn next_read(&mut self, app: &AppId, hitch: Hitch) {
        if let Some(site) = self.sites.get_mut(app) {
            site.script.read_hitches.push_back(hitch);
        }
    }

    /// Takes an app away, with its backups. Its blobs stay.
    pub fn remove_site(&mut self, app: &AppId) {
        let under_way = self.sites.get(app).and_then(SiteState::under_way);
        if let Some((id, ends_at)) = under_way.map(|backup| (backup.id, backup.ends_at)) {
            self.agenda.strike_backup(ends_at, id, app);
            self.no_longer_under_way(app, id);
        }
        self.sites.remove(app);
    }

    /// Replaces an account's key, as when it is rotated: what was signed with the old one is refused from here on.
    /// Here as with the next three, backups that have ended by now must have been told so by
    /// [`advance`](Self::advance).
    pub fn set_account_key(&mut self, account: &str, key: &secrecy::SecretString) -> Result<(), InvalidKey> {
        self.storage.set_key(account, key)
    }

    /// Makes a container, if the account is there and has none of this name.
    pub fn add_container(&mut self, account: &str, container: &str) {
        self.storage.add_container(account, container);
    }

    /// Takes a container away, with its blobs.
    pub fn remove_container(&mut self, account: &str, container: &str) {
        self.storage.remove_container(account, container);
    }

    /// Takes a blob away, behind everybody's back.
    pub fn remove_blob(&mut self, account: &str, container: &str, blob: &str) {
        self.storage.remove_blob(account, container, blob);
    }

    /// What is in a container under this name at `now`, without a SAS. `container` is its URL; a query is ignored.
    pub fn blob(&mut self, now: Timestamp, container: &str, blob: &str) -> Option<BlobFacts> {
        self.advance(now);
        let url = self.storage.locate(container)?;
        self.storage.blob(&url.account, &url.container, blob).map(BlobFacts::of)
    }

    /// The sums so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Every POST that was taken on, in order.
    pub fn accepted_posts(&self) -> &[AcceptedPost] {
        &self.accepted
    }

    /// Every DELETE of a backup that was taken on, in order.
    pub fn accepted_deletes(&self) -> &[AcceptedDelete] {
        &self.accepted_deletes
    }

    /// Every restore that was taken on, in order.
    pub fn accepted_restores(&self) -> &[AcceptedRestore] {
        &self.accepted_restores
    }

    /// How many backups are under way at `now`.
    pub fn under_way(&mut self, now: Timestamp) -> usize {
        self.advance(now);
        self.agenda.backups()
    }
}

impl SiteState {
    fn new(facts: FleetSite, seed: u64) -> Self {
        let rng = stamp::rng_of(seed, &facts.site.id.to_string());
        Self {
            facts,
            rng,
            script: Script::default(),
            backups: BTreeMap::new(),
            names: BTreeSet::new(),
            schedule: None,
            content: None,
            day: NaiveDate::default(),
            backups_of_day: 0,
        }
    }

    /// The backup that is under way: at most one, the last.
    fn under_way(&self) -> Option<&Backup> {
        self.backups.values().next_back().filter(|last| last.is_under_way())
    }
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Azure")
            .field("now", &self.now)
            .field("sites", &self.sites.len())
            .field("under_way", &self.agenda.backups())
            .finish_non_exhaustive()
    }
}
