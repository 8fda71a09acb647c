use holdfast_config::{Discover, EngineConfig};
use holdfast_model::schedule::Schedule;
use holdfast_model::{
    Limits, ManualClock, OperatorAction, Outcome, Policy, PolicyName, PolicySnapshot, RunEvent, RunState,
    StorageName,
};
use holdfast_scheduler::{Planner, PlanningContext};
use holdfast_store::{MemoryStore, Mode, RunFilter, SqliteStore};
use serde_json::json;
use tokio::sync::Notify;

use super::*;
use crate::pacing::{NoopWaitObserver, PacedArm, Pacer, PacerParts, Patience};
use crate::scripted_azure::ScriptedAzure;

struct World {
    azure: Arc<ScriptedAzure>,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    keeper: FleetKeeper,
    planner: Planner,
    fleet: watch::Receiver<Arc<FleetSnapshot>>,
}

fn path(app: &str) -> String {
    format!("/subscriptions/s/resourcegroups/g/providers/microsoft.web/sites/{app}")
}

fn site(app: &str) -> serde_json::Value {
    let plan = json!({ "serverFarmId": "/plans/p1" });
    json!({ "id": path(app), "location": "westeurope", "tags": { "backup": "gold" }, "properties": plan })
}

fn hourly() -> Policy {
    let schedule = Schedule {
        crontab: "0 * * * *".parse().unwrap(),
        timezone: holdfast_model::Zone::UTC,
        spread: Duration::ZERO,
    };
    let snapshot = PolicySnapshot::new(StorageName::new("weu"), "acct");
    Policy { catch_up: Duration::from_mins(30), ..Policy::new(PolicyName::new("gold"), schedule, snapshot) }
}

fn file() -> Fleet {
    let (policy, subscription) = (hourly(), SubscriptionId::new("s"));
    let rule = Discover {
        subscription,
        tags: BTreeMap::from([("backup".into(), "gold".into())]),
        policy: policy.name.clone(),
        slots: false,
        exclude: Vec::new(),
    };
    Fleet {
        clouds: Vec::new(),
        storages: BTreeMap::new(),
        policies: BTreeMap::from([(policy.name.clone(), policy)]),
        effective: BTreeMap::new(),
        tags: holdfast_config::FileTags::default(),
        apps: Vec::new(),
        discover: vec![rule],
        limits: Limits::default(),
        engine: EngineConfig::default(),
        checkpoints: None,
        four_eyes: holdfast_config::FourEyes::default(),
        settings: BTreeMap::new(),
        notifications: holdfast_config::Notifications::default(),
    }
}

impl World {
    fn new() -> Self {
        let clock =
            Arc::new(ManualClock::new(holdfast_model::parse_timestamp("2026-11-28T01:59:00Z").unwrap()));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as _));
        let azure = Arc::new(ScriptedAzure::default());
        let (keeper, planner, fleet) = process(&azure, &clock, &store);
        Self { azure, clock, store, keeper, planner, fleet }
    }

    /// Starts another process on the same store.
    fn restart(&mut self) {
        (self.keeper, self.planner, self.fleet) = process(&self.azure, &self.clock, &self.store);
    }

    fn lists(&self, apps: &[&str]) {
        let sites: Vec<_> = apps.iter().map(|app| site(app)).collect();
        self.answers(LIST, 200, &json!({ "value": sites }));
    }

    fn answers(&self, path: &str, status: u16, body: &serde_json::Value) {
        self.azure.answers.lock().unwrap().insert(path.to_owned(), (status, None, body.to_string()));
    }

    fn throttles(&self, retry_after: &'static str) {
        let body = json!({ "error": { "code": "TooManyRequests", "message": "slow" } }).to_string();
        self.azure.answers.lock().unwrap().insert(LIST.to_owned(), (429, Some(retry_after), body));
    }

    /// A refresh of the keeper and a sync and pass of the planner.
    async fn pass(&mut self) {
        self.keeper.refresh().await;
        self.planner.sync().await.unwrap();
        self.planner.plan_due().await.unwrap();
    }

    /// Waits as long as the keeper does, then makes a pass. Returns the wait in seconds.
    async fn next_pass(&mut self) -> u64 {
        let pause = self.keeper.pause();
        self.clock.advance(pause);
        self.pass().await;
        pause.as_secs()
    }

    async fn status(&self, app: &str) -> AppStatus {
        let apps = self.store.status().await.unwrap();
        apps.into_iter().find(|status| status.app.site() == app).unwrap()
    }

    /// The ticks of an app, oldest first, and whether each one became a run.
    async fn ticks(&self, app: &str) -> Vec<(String, bool)> {
        let runs = self.store.runs(&RunFilter::default()).await.unwrap();
        let of_app = runs.into_iter().filter(|run| run.app.site() == app);
        let mut ticks: Vec<_> = of_app
            .filter_map(|run| {
                let missed = matches!(run.state, RunState::Ended { outcome: Outcome::Missed, .. });
                Some((run.tick?.format("%H:%M").to_string(), !missed))
            })
            .collect();
        ticks.sort();
        ticks
    }

    async fn departures(&self) -> Vec<(String, DepartureReason)> {
        let events = self.store.audit(0, 1_000).await.unwrap();
        let departures = events.into_iter().filter_map(|event| match event.event {
            RunEvent::ActionRecorded { action: OperatorAction::LeftFleet { reason, .. }, .. } => {
                Some((event.app.site().to_owned(), reason))
            }
            _ => None,
        });
        departures.collect()
    }
}

const LIST: &str = "/subscriptions/s/providers/microsoft.web/sites";

fn process(
    azure: &Arc<ScriptedAzure>,
    clock: &Arc<ManualClock>,
    store: &Arc<MemoryStore>,
) -> (FleetKeeper, Planner, watch::Receiver<Arc<FleetSnapshot>>) {
    let rng = fastrand::Rng::with_seed(clock.now().timestamp().unsigned_abs());
    let arm = azure.client(Arc::clone(clock) as _, rng.clone());
    let (keeper, fleet) = FleetKeeper::new(file(), arm, Arc::clone(store) as _, Arc::clone(clock) as _);
    let planning = PlanningContext {
        store: Arc::clone(store) as _,
        fleet: fleet.clone(),
        rng,
        due_signal: Arc::new(Notify::new()),
        interval: None,
    };
    (keeper, Planner::new(planning), fleet)
}

#[tokio::test]
async fn an_empty_list_removes_nothing_until_each_app_answers_404_twice() {
    let mut world = World::new();
    world.lists(&["shop", "wiki"]);
    world.pass().await;
    world.lists(&[]);
    // The wiki's rights were lost; the shop is gone.
    world.answers(
        &path("wiki"),
        403,
        &json!({ "error": { "code": "AuthorizationFailed", "message": "no" } }),
    );
    assert_eq!(world.next_pass().await, 900);
    let missing = world.status("shop").await;
    assert!(!missing.removed && missing.missing_since.is_some());
    assert_eq!(world.departures().await, []);
    assert_eq!(world.next_pass().await, 60);
    let gone = world.status("shop").await;
    assert_eq!(gone.departed.unwrap().reason, DepartureReason::NotFound);
    assert_eq!(world.departures().await, [("shop".to_owned(), DepartureReason::NotFound)]);
    // The wiki stays for ever, and its ticks run.
    for _ in 0..20 {
        world.next_pass().await;
    }
    let wiki = world.status("wiki").await;
    assert!(!wiki.removed && wiki.missing_since.is_some() && wiki.policy.is_some());
    assert!(world.ticks("wiki").await.iter().any(|(_, runs)| *runs));
    assert_eq!(world.departures().await.len(), 1);
    // Both come back.
    world.lists(&["shop", "wiki"]);
    world.clock.advance(Duration::from_hours(1));
    world.pass().await;
    assert_eq!(world.status("wiki").await.missing_since, None);
    assert!(!world.status("shop").await.removed);
}

#[tokio::test]
async fn an_app_that_only_the_list_leaves_out_stays() {
    let mut world = World::new();
    world.lists(&["shop"]);
    world.pass().await;
    world.lists(&[]);
    world.answers(&path("shop"), 200, &site("shop"));
    for _ in 0..5 {
        world.next_pass().await;
    }
    let shop = world.status("shop").await;
    assert!(!shop.removed && shop.missing_since.is_some());
    assert_eq!(shop.policy, Some(PolicyName::new("gold")));
}

#[tokio::test]
async fn a_list_throttled_at_the_start_is_asked_again_as_azure_says_and_its_ticks_are_run() {
    let mut world = World::new();
    world.throttles("90");
    world.pass().await;
    let recorded = world.store.subscriptions().await.unwrap().remove(0);
    assert!(recorded.unanswered_since.is_some() && recorded.error.unwrap().contains("429"));
    assert_eq!(recorded.next_list_at, Some(world.clock.now() + Duration::from_secs(90)));
    world.lists(&["shop"]);
    // It is 02:00:30 then, half a minute after the tick.
    assert_eq!(world.next_pass().await, 90);
    assert_eq!(world.ticks("shop").await, [("02:00".to_owned(), true)]);
    assert_eq!(world.store.subscriptions().await.unwrap()[0].unanswered_since, None);
}

#[tokio::test]
async fn apps_found_after_hours_run_the_tick_within_catch_up_and_record_the_others() {
    let mut world = World::new();
    world.throttles("1");
    world.pass().await;
    world.clock.advance(Duration::from_mins(130));
    world.lists(&["shop"]);
    world.pass().await;
    let expected = [("02:00", false), ("03:00", false), ("04:00", true)];
    assert_eq!(world.ticks("shop").await, expected.map(|(at, runs)| (at.to_owned(), runs)));
}

#[tokio::test]
async fn all_that_is_remembered_survives_a_restart_while_the_list_fails() {
    let mut world = World::new();
    world.lists(&["shop"]);
    world.pass().await;
    let before = world.status("shop").await;
    assert_eq!(before.plan.as_deref(), Some("/plans/p1"));
    world.throttles("3600");
    world.restart();
    world.pass().await;
    assert_eq!(world.status("shop").await, before);
    let snapshot = Arc::clone(&world.fleet.borrow());
    let shop = snapshot.apps.values().next().unwrap();
    assert_eq!((shop.plan.clone(), shop.policy.clone()), (before.plan, before.policy));
    world.clock.advance(Duration::from_mins(1));
    world.pass().await;
    assert_eq!(world.ticks("shop").await, [("02:00".to_owned(), true)]);
}

#[tokio::test]
async fn an_older_list_of_another_scheduler_undoes_nothing() {
    let mut world = World::new();
    world.lists(&["shop"]);
    world.pass().await;
    // Another scheduler still has the list with the shop when this one proves that the shop is gone.
    let (mut other, mut planner, _fleet) = process(&world.azure, &world.clock, &world.store);
    other.refresh().await;
    world.lists(&[]);
    world.next_pass().await;
    world.next_pass().await;
    assert!(world.status("shop").await.removed);
    planner.sync().await.unwrap();
    assert!(world.status("shop").await.removed);
}

#[tokio::test]
async fn the_apps_of_a_subscription_that_the_file_no_longer_names_leave_at_once() {
    let mut world = World::new();
    world.lists(&["shop"]);
    world.pass().await;
    world.restart();
    world.keeper.lists.clear();
    world.pass().await;
    assert_eq!(world.departures().await, [("shop".to_owned(), DepartureReason::NotInFleetFile)]);
}

#[tokio::test]
async fn a_mass_disappearance_is_looked_into_in_bounded_steps() {
    let mut world = World::new();
    let names: Vec<String> = (0..250).map(|n| format!("app{n}")).collect();
    world.lists(&names.iter().map(String::as_str).collect::<Vec<_>>());
    world.pass().await;
    world.lists(&[]);
    world.azure.calls.lock().unwrap().clear();
    world.next_pass().await;
    assert_eq!(world.azure.calls.lock().unwrap().len(), 1 + LOOKS_MAX);
    for _ in 0..6 {
        world.next_pass().await;
    }
    assert_eq!(world.departures().await.len(), 250);
}

#[tokio::test]
async fn lists_that_draw_on_the_shared_budgets_do_not_wait_for_each_other() {
    let clock: Arc<dyn Clock> =
        Arc::new(ManualClock::new(holdfast_model::parse_timestamp("2026-11-28T01:59:00Z").unwrap()));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("holdfast.sqlite");
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&path, Arc::clone(&clock), Mode::Own).await.unwrap());
    let (azure, mut file) = (Arc::new(ScriptedAzure::default()), file());
    let names: Vec<String> = (0..12).map(|number| format!("s{number}")).collect();
    let rule = file.discover.remove(0);
    for name in &names {
        file.discover.push(Discover { subscription: SubscriptionId::new(name), ..rule.clone() });
        let path = format!("/subscriptions/{name}/providers/microsoft.web/sites");
        let body = json!({ "value": [] }).to_string();
        azure.answers.lock().unwrap().insert(path, (200, None, body));
    }
    let pacer = Arc::new(Pacer::new(PacerParts {
        shared: Some(Arc::clone(&store)),
        local: Arc::new(MemoryStore::new(Arc::clone(&clock))),
        limits: Limits::default(),
        observer: Arc::new(NoopWaitObserver),
    }));
    let client = azure.client(Arc::clone(&clock), fastrand::Rng::with_seed(1));
    let arm = Arc::new(PacedArm::new(client, pacer, Patience::Loop));
    let (mut keeper, fleet) = FleetKeeper::new(file, arm, Arc::clone(&store), clock);
    // A connection of the store that is waited for is given up only after ten seconds.
    tokio::time::timeout(Duration::from_secs(5), keeper.refresh()).await.unwrap();
    assert!(fleet.borrow().unanswered.is_empty());
    assert_eq!(store.subscriptions().await.unwrap().len(), names.len());
}

#[tokio::test]
async fn another_fleet_keeps_what_azure_listed_and_is_published_before_azure_answers() {
    let mut world = World::new();
    world.lists(&["shop"]);
    world.pass().await;
    let next_tick = world.status("shop").await.next_tick;
    world.throttles("900");
    let mut other = file();
    let silver = holdfast_model::PolicyName::new("silver");
    let mut policy = other.policies.values().next().unwrap().clone();
    policy.name = silver.clone();
    other.policies.insert(silver.clone(), policy);
    other.discover[0].policy = silver.clone();
    let arm = world.azure.client(Arc::clone(&world.clock) as _, fastrand::Rng::with_seed(1));
    world.keeper.replace(other, arm);
    world.pass().await;
    let shop = world.status("shop").await;
    assert_eq!((shop.policy, shop.removed, shop.missing_since), (Some(silver), false, None));
    assert_eq!((shop.next_tick, world.ticks("shop").await.len()), (next_tick, 0), "nothing is due at once");
}

#[tokio::test]
async fn the_tags_of_a_policy_are_those_of_its_apps_that_have_none_of_the_name() {
    let (mut world, mut file) = (World::new(), file());
    let given = [("team", "ops"), ("env", "prod")].into_iter().collect();
    file.tags.of_policies.insert(file.discover[0].policy.clone(), given);
    let arm = world.azure.client(Arc::clone(&world.clock) as _, fastrand::Rng::with_seed(1));
    world.keeper.replace(file, arm);
    let shop = json!({ "id": path("shop"), "tags": { "Team": "shop", "backup": "gold" } });
    world.answers(LIST, 200, &json!({ "value": [shop] }));
    world.pass().await;
    world.throttles("900");
    world.next_pass().await;
    assert_eq!(world.status("shop").await.tags.to_string(), "backup=gold, env=prod, team=shop");
}

#[tokio::test]
async fn the_tags_of_an_app_follow_azure_beside_those_of_its_entry() {
    let mut world = World::new();
    let mut file = file();
    let own = [("team", "shop"), ("tier", "2")].into_iter().collect();
    file.apps =
        vec![holdfast_model::App { tags: own, ..holdfast_model::App::new(path("shop").parse().unwrap()) }];
    let arm = world.azure.client(Arc::clone(&world.clock) as _, fastrand::Rng::with_seed(1));
    world.keeper.replace(file, arm);
    let tagged = |app: &str, tags: serde_json::Value| json!({ "id": path(app), "tags": tags });
    let lists = |world: &World, tags: serde_json::Value| {
        let sites = [tagged("shop", tags.clone()), tagged("wiki", tags)];
        world.answers(LIST, 200, &json!({ "value": sites }));
    };
    lists(&world, json!({ "Team": "web", "Backup": "gold" }));
    world.pass().await;
    assert_eq!(world.status("shop").await.tags.to_string(), "backup=gold, team=shop, tier=2");
    assert_eq!(world.status("wiki").await.tags.to_string(), "backup=gold, team=web");
    world.throttles("900");
    world.restart();
    world.pass().await;
    assert_eq!(world.status("wiki").await.tags.to_string(), "backup=gold, team=web", "no list, no change");
    lists(&world, json!({ "backup": "gold" }));
    world.next_pass().await;
    assert_eq!(world.status("wiki").await.tags.to_string(), "backup=gold");
}
