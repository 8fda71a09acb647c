//! What the pages and the API are served from.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use holdfast_control::FleetPolicies;
use holdfast_control::audit::AuditCheck;
use holdfast_control::coverage::Coverage;
use holdfast_control::dead_letters::{DeadLetterBox, no_broker};
use holdfast_control::forecast::FleetForecast;
use holdfast_control::operator_requests::OperatorRequests;
use holdfast_control::verify::VerifyReport;
use holdfast_control::views::activity::{ActivityPage, ActivityQuery};
use holdfast_control::views::app::AppView;
use holdfast_control::views::audit_page::{AuditPage, AuditQuery};
use holdfast_control::views::fleet::{FleetPage, FleetQuery};
use holdfast_control::views::overview::Overview;
use holdfast_control::views::run::RunView;
use holdfast_control::views::{self, CachedReading, FleetCache};
use holdfast_entra::Entra;
use holdfast_model::{Actor, AppId, Clock, PolicyName, RunId, fold_case};
use holdfast_store::Store;
use ring::rand::SecureRandom;
use tokio::sync::{Semaphore, watch};

use crate::Check;
use crate::background::BackgroundCache;
use crate::backups::BackupActions;
use crate::done::Done;
use crate::entra_logins::EntraLogins;
use crate::failure::Failure;
use crate::forms::{Forms, hex};
use crate::logins::Logins;
use crate::operations::Operations;
use crate::plans::Plans;

/// Runs and acts of a page.
const ROWS: u32 = 50;
/// Time for which Azure's lists are used. They cost a call for each subscription, and one for each app whose slots are enrolled.
const COVERAGE_USED_FOR: Duration = Duration::from_mins(15);
/// Time for which a forecast is used. It costs a query over every app and the arithmetic of a day.
const FORECAST_USED_FOR: Duration = Duration::from_mins(5);

/// Verifications of the audit at once. Each reads all of it.
const AUDITS_AT_ONCE: usize = 1;
/// Verifications of backups at once. Each reads eight apps at a time.
const VERIFICATIONS_AT_ONCE: usize = 4;
/// Exports of the audit that are made at once.
const EXPORTS_AT_ONCE: usize = 2;

/// What a site serves of one fleet.
pub struct SiteFleet {
    /// The policies of the fleet file, for the next ticks of an app.
    pub policies: FleetPolicies,
    /// Backs up apps for people.
    pub backups: Arc<dyn BackupActions>,
    /// Asks Azure for people.
    pub azure: Arc<dyn OperatorRequests>,
}

/// What a site is made from.
pub struct SiteParts {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock of the process.
    pub clock: Arc<dyn Clock>,
    /// What follows from the fleet, which may change while the process runs.
    pub fleet: watch::Receiver<Arc<SiteFleet>>,
    /// The user who runs the process: who acts through the console without a login.
    pub person: Actor,
    /// Randomness for the tokens of forms.
    pub random: Arc<dyn SecureRandom + Send + Sync>,
    /// Logs people and workloads in by Entra ID, where that is configured.
    pub entra: Option<Entra>,
    /// The dead letters of the broker, where there is one.
    pub letters: Option<Arc<dyn DeadLetterBox>>,
}

/// What the pages and the API are served from.
pub struct Site {
    /// The checks of the process.
    pub(crate) checks: Vec<Arc<dyn Check>>,
    /// The forms that act.
    pub(crate) forms: Forms<Done>,
    /// Plans for many apps.
    pub(crate) plans: Plans,
    /// What Azure lists.
    pub(crate) coverage: BackgroundCache<Coverage>,
    /// What the next 24 hours will bring.
    pub(crate) forecast: BackgroundCache<FleetForecast>,
    /// Proves who asks.
    pub(crate) logins: Logins,
    /// The same by Entra ID, where that is configured.
    pub(crate) entra: Option<EntraLogins>,
    /// Verifications of the audit.
    pub(crate) audits: Operations<AuditCheck>,
    /// Verifications of backups.
    pub(crate) verifications: Operations<VerifyReport>,
    /// Exports of the audit that may be made at once.
    pub(crate) exports: Arc<Semaphore>,
    letters: Option<Arc<dyn DeadLetterBox>>,
    store: Arc<dyn Store>,
    cache: FleetCache,
    fleet: watch::Receiver<Arc<SiteFleet>>,
    person: Actor,
    random: Arc<dyn SecureRandom + Send + Sync>,
    signals: watch::Sender<u64>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}

impl fmt::Debug for SiteParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteParts").finish_non_exhaustive()
    }
}

/// The apps that a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NamedApp {
    /// One.
    One(AppId),
    /// Several have the name.
    Several(Vec<AppId>),
}

impl Site {
    /// A site of a process with these checks.
    pub fn new(parts: SiteParts, checks: Vec<Arc<dyn Check>>) -> Self {
        let SiteParts { store, clock, fleet, person, random, entra, letters } = parts;
        let current = fleet.clone();
        let coverage = BackgroundCache::new(Arc::clone(&clock), COVERAGE_USED_FOR, move || {
            let requests = azure_of(&current);
            async move { requests.coverage().await }
        });
        let current = fleet.clone();
        let forecast = BackgroundCache::new(Arc::clone(&clock), FORECAST_USED_FOR, move || {
            let requests = azure_of(&current);
            async move { requests.forecast().await }
        });
        let minted = azure_of(&fleet).minted();
        let cache = FleetCache::with_minted(Arc::clone(&store), Arc::clone(&clock), minted);
        let logins = Logins::new(Arc::clone(&store), Arc::clone(&clock), Arc::clone(&random));
        let entra = entra.map(|entra| EntraLogins::new(entra, Arc::clone(&clock)));
        let forms = Forms::new(Arc::clone(&random), Arc::clone(&clock));
        let plans = Plans::new(Arc::clone(&store));
        Self {
            checks,
            forms,
            plans,
            coverage,
            forecast,
            logins,
            entra,
            audits: Operations::new(Arc::clone(&store), AUDITS_AT_ONCE),
            verifications: Operations::new(Arc::clone(&store), VERIFICATIONS_AT_ONCE),
            exports: Arc::new(Semaphore::new(EXPORTS_AT_ONCE)),
            letters,
            store,
            cache,
            fleet,
            person,
            random,
            signals: watch::Sender::new(0),
        }
    }

    /// Makes pages follow the fleet, until no other one can come.
    pub async fn follow_fleet(&self) {
        let mut fleet = self.fleet.clone();
        while fleet.changed().await.is_ok() {
            self.coverage.expire();
            self.forecast.expire();
            self.cache.set_minted(self.azure().minted());
            self.expire();
        }
    }

    /// What Azure is asked through for people.
    pub(crate) fn azure(&self) -> Arc<dyn OperatorRequests> {
        azure_of(&self.fleet)
    }

    /// What backs up apps for people.
    pub(crate) fn backups(&self) -> Arc<dyn BackupActions> {
        Arc::clone(&self.fleet.borrow().backups)
    }

    /// The user who runs the process.
    pub(crate) fn person(&self) -> &Actor {
        &self.person
    }

    /// The store.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The store, for work that outlasts a request.
    pub(crate) fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// The dead letters of the broker.
    pub(crate) fn letters(&self) -> Result<&dyn DeadLetterBox, Failure> {
        Ok(self.letters.as_deref().ok_or_else(no_broker)?)
    }

    /// A new random id of 128 bits, in hexadecimal.
    pub(crate) fn new_id(&self) -> Result<String, Failure> {
        let mut bits = [0_u8; 16];
        self.random.fill(&mut bits).map_err(|_| Failure::no_randomness())?;
        Ok(hex(&bits))
    }

    /// The names of the policies of the fleet file.
    pub(crate) fn policy_names(&self) -> Vec<PolicyName> {
        self.fleet.borrow().policies.by_name.keys().cloned().collect()
    }

    /// Randomness for the ids of runs.
    pub(crate) fn rng(&self) -> Result<fastrand::Rng, Failure> {
        let mut seed = [0_u8; 8];
        self.random.fill(&mut seed).map_err(|_| Failure::no_randomness())?;
        Ok(fastrand::Rng::with_seed(u64::from_le_bytes(seed)))
    }

    /// The fleet, a few seconds old at most while the store answers.
    pub(crate) async fn reading(&self) -> Result<CachedReading, Failure> {
        Ok(self.cache.read().await?)
    }

    /// The latest reading, however old; `None` before the first one.
    pub(crate) fn latest(&self) -> Option<CachedReading> {
        self.cache.latest()
    }

    /// The fleet as it is now.
    pub(crate) async fn reading_now(&self) -> Result<CachedReading, Failure> {
        self.cache.expire();
        self.reading().await
    }

    /// Makes the next page ask the store, because a request has changed it.
    pub(crate) fn expire(&self) {
        self.cache.expire();
        self.signal();
    }

    /// Makes the streams of the pages look at once: something changed, or a login ended.
    pub(crate) fn signal(&self) {
        self.signals.send_modify(|count| *count += 1);
    }

    /// What [`Self::signal`] sends.
    pub(crate) fn signals(&self) -> watch::Receiver<u64> {
        self.signals.subscribe()
    }

    pub(crate) async fn overview(&self) -> Result<Overview, Failure> {
        let cached = self.reading().await?;
        let overview = views::overview(&cached.reading, cached.store_away);
        if cached.store_away {
            return Ok(overview);
        }
        Ok(views::with_ends(&*self.store, overview).await?)
    }

    /// A page of the fleet with at most `most` rows.
    pub(crate) async fn fleet(&self, query: &FleetQuery, most: usize) -> Result<FleetPage, Failure> {
        let CachedReading { reading, store_away, .. } = self.reading().await?;
        let page = views::fleet_page(&reading, query, most)?;
        Ok(FleetPage { store_away, ..page })
    }

    pub(crate) async fn app(&self, id: &AppId) -> Result<AppView, Failure> {
        let cached = self.reading().await?;
        let fleet = Arc::clone(&self.fleet.borrow());
        Ok(views::app_view(&*self.store, &cached.reading, &fleet.policies, &id.to_string()).await?)
    }

    pub(crate) async fn run(&self, id: RunId) -> Result<RunView, Failure> {
        let mut view = views::run_view(&*self.store, id).await?;
        let reading = self.reading().await?.reading;
        let acknowledged = reading.status_of(&view.run.app).and_then(|status| status.acknowledged.clone());
        view.acknowledged = acknowledged.filter(|acknowledged| acknowledged.run_id == id);
        Ok(view)
    }

    pub(crate) async fn activity(&self, query: &ActivityQuery) -> Result<ActivityPage, Failure> {
        let now = self.now().await?;
        Ok(views::activity(&*self.store, now, query, ROWS).await?)
    }

    pub(crate) async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, Failure> {
        let now = self.now().await?;
        Ok(views::audit_page(&*self.store, now, query, usize::try_from(ROWS).unwrap_or(1)).await?)
    }

    pub(crate) async fn now(&self) -> Result<holdfast_model::Timestamp, Failure> {
        Ok(self.store.now().await.map_err(holdfast_control::Error::from)?)
    }

    /// The apps with this short name, or the one with this ARM id, with or without its first slash.
    pub(crate) async fn named(&self, name: &str) -> Result<NamedApp, Failure> {
        let reading = self.reading().await?.reading;
        let by_id = format!("/{}", name.trim_start_matches('/')).parse::<AppId>().ok();
        if let Some(id) = by_id.filter(|id| reading.status_of(id).is_some()) {
            return Ok(NamedApp::One(id));
        }
        let known = || reading.apps.iter().map(|status| status.app.clone());
        let folded = fold_case(name);
        let mut found: Vec<AppId> = known().filter(|app| app.short_name() == folded).collect();
        match found.len() {
            0 => Err(Failure::of_name(&known().collect::<Vec<_>>(), name)),
            1 => Ok(NamedApp::One(found.remove(0))),
            _ => Ok(NamedApp::Several(found)),
        }
    }
}

fn azure_of(fleet: &watch::Receiver<Arc<SiteFleet>>) -> Arc<dyn OperatorRequests> {
    Arc::clone(&fleet.borrow().azure)
}
