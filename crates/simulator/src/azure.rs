//! The simulated Azure: its state and its entry point.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::NaiveDate;
use holdfast_model::{AppId, BackupId, Call, SubscriptionId, Timestamp};

use crate::faults::Script;
use crate::{
    AcceptedDelete, AcceptedPost, AcceptedRestore, CallFault, Config, Counters, Delivery, Faults, FleetSite,
    Request, Response, ScriptedOutcome,
};

mod accept;
mod account_sas;
mod advance;
mod agenda;
mod arm;
mod backup;
mod blob_service;
mod buckets;
mod deletion;
mod envelope;
mod finish;
mod gateway;
mod operations;
mod payment;
mod people;
mod probe;
mod restore;
mod restore_operation;
mod route;
mod sas;
mod schedule;
mod schedule_execution;
mod secrets_seen;
mod seen_secrets;
mod stamp;
mod storage;
mod storage_url;
mod token_endpoint;
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

/// Azure as a pure state machine: requests and the time go in, responses come out.
///
/// The end of a backup is decided when it is accepted, so its state at any later time follows without timers. Each app
/// has its own random generator: its results do not depend on the calls for other apps.
pub struct Azure {
    config: Config,
    seed: u64,
    /// The latest time of a request. It does not go backwards when a caller's clock does.
    now: Timestamp,
    stamp: Stamp,
    sites: BTreeMap<AppId, SiteState>,
    /// The scheduled events.
    agenda: Agenda,
    restores: Restores,
    /// The apps that answer 500, set by a test.
    broken: BTreeSet<AppId>,
    /// The subscriptions whose apps answer 404.
    moved: BTreeSet<SubscriptionId>,
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
    /// The last backup that was restored into it.
    content: Option<Restored>,
    /// The day in UTC that `backups_of_day` counts.
    day: NaiveDate,
    backups_of_day: u32,
    /// The next backup's number, for a recreated app.
    next_number: Option<i64>,
    /// Lists that come short.
    short_lists: u32,
}

impl Azure {
    /// A new Azure. The same seed and the same requests in the same order give the same responses.
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
            moved: BTreeSet::new(),
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

    /// As [`handle`](Self::handle), without a check of the token: for the in-process transport.
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
            // A proxy's page has none of the headers behind it.
            response.headers.retain(|name, _| *name == "content-type");
        }
        response
    }

    /// Replaces the fault rates from now on; [`Faults::none`] lets everything succeed. The decided ends of accepted
    /// backups, deletions and restores stay.
    pub fn set_faults(&mut self, faults: Faults) {
        self.config.faults = faults;
    }

    /// Scripts an outcome for an app: an [`End`](crate::End), a [`DeleteEnd`](crate::DeleteEnd), a
    /// [`RestoreEnd`](crate::RestoreEnd) or a [`CallFault`]. It takes precedence over the rates. Outcomes of one kind queue up.
    /// An unknown app is ignored.
    pub fn next(&mut self, app: &AppId, outcome: impl Into<ScriptedOutcome>) {
        let Some(site) = self.sites.get_mut(app) else { return };
        match outcome.into() {
            ScriptedOutcome::End(end) => site.script.ends.push_back(end),
            ScriptedOutcome::Delete(end) => site.script.deletes.push_back(end),
            ScriptedOutcome::Restore(end) => site.script.restores.push_back(end),
            ScriptedOutcome::CallFault(call_fault) => site.script.call_faults.push_back(call_fault),
        }
    }

    /// Scripts the fault of the next call that reads something of an app.
    pub fn next_read(&mut self, app: &AppId, call_fault: CallFault) {
        if let Some(site) = self.sites.get_mut(app) {
            site.script.read_call_faults.push_back(call_fault);
        }
    }

    /// Removes an app and its backups. Its blobs stay.
    pub fn remove_site(&mut self, app: &AppId) {
        let under_way = self.sites.get(app).and_then(SiteState::under_way);
        if let Some((id, ends_at)) = under_way.map(|backup| (backup.id, backup.ends_at)) {
            self.agenda.strike_backup(ends_at, id, app);
            self.no_longer_under_way(app, id);
        }
        self.sites.remove(app);
    }

    /// Replaces an account's key, as in a rotation: every SAS of the old key is refused from now on. Before this and the
    /// next three methods, call [`advance`](Self::advance), so that backups that end earlier use the old state.
    pub fn set_account_key(&mut self, account: &str, key: &secrecy::SecretString) -> Result<(), InvalidKey> {
        self.storage.set_key(account, key)
    }

    /// Creates a container, if the account exists and has none of this name.
    pub fn add_container(&mut self, account: &str, container: &str) {
        self.storage.add_container(account, container);
    }

    /// Removes a container and its blobs.
    pub fn remove_container(&mut self, account: &str, container: &str) {
        self.storage.remove_container(account, container);
    }

    /// Removes a blob, as another user of the account would.
    pub fn remove_blob(&mut self, account: &str, container: &str, blob: &str) {
        self.storage.remove_blob(account, container, blob);
    }

    /// The facts of a blob at `now`, without a SAS. `container` is its URL; a query is ignored.
    pub fn blob(&mut self, now: Timestamp, container: &str, blob: &str) -> Option<BlobFacts> {
        self.advance(now);
        let url = self.storage.locate(container)?;
        self.storage.blob(&url.account, &url.container, blob).map(BlobFacts::of)
    }

    /// The counters so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Every accepted POST of a backup, in order.
    pub fn accepted_posts(&self) -> &[AcceptedPost] {
        &self.accepted
    }

    /// Every accepted DELETE of a backup, in order.
    pub fn accepted_deletes(&self) -> &[AcceptedDelete] {
        &self.accepted_deletes
    }

    /// Every accepted restore, in order.
    pub fn accepted_restores(&self) -> &[AcceptedRestore] {
        &self.accepted_restores
    }

    /// The number of backups in progress at `now`.
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
            next_number: None,
            short_lists: 0,
        }
    }

    /// The backup in progress: at most one, the last.
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
