//! Plans of many apps over a scripted Azure, an in-memory store and a storage that has every blob but some.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use holdfast_config::{Fleet, FourEyes, Secrets};
use holdfast_model::{
    Actor, App, AppId, BackupFacts, BackupId, ManualClock, PolicyName, PolicySnapshot, RunKind, SasFacts,
    SasWindow, StorageName, Timestamp, parse_timestamp,
};
use holdfast_storage::{BlobFacts, Container, Grant, Need, SasHealth, Storage};
use holdfast_store::{ApprovalState, MemoryStore, RequestAnswer, RequestKey, RunFilter, Store};
use serde_json::json;

mod statements;

use super::*;
use crate::adoption::adopting_run;
use crate::approvals::{Started, StartedOnce, replan};
use crate::restore::{ConfirmedPlans, execute, execute_once};
use crate::scripted_azure::ScriptedAzure;
use crate::selector::Selector;
use crate::{ControlContext, ErrorKind};

const CONTAINER: &str = "https://acct.blob.core.windows.net/backups";

/// A storage that lacks some blobs, and counts how often its SAS is tried.
#[derive(Default)]
struct Blobs {
    missing: Mutex<BTreeSet<String>>,
    tried: AtomicUsize,
}

#[async_trait]
impl Storage for Blobs {
    fn container(&self, _: &StorageName) -> Result<Container, holdfast_storage::Error> {
        Ok(CONTAINER.parse().unwrap())
    }

    async fn grant(&self, _: &StorageName, _: &Need) -> Result<Grant, holdfast_storage::Error> {
        unreachable!("a plan by number needs no grant")
    }

    async fn sas_health(
        &self,
        storage: &StorageName,
        need: &Need,
    ) -> Result<SasHealth, holdfast_storage::Error> {
        self.tried.fetch_add(1, Ordering::Relaxed);
        let window = SasWindow { start: None, expiry: Some(need.until) };
        Ok(SasHealth {
            container: self.container(storage)?,
            origin: "env:SAS".into(),
            facts: SasFacts { fingerprint: "0123456789ab".into(), window },
            faults: Vec::new(),
            warnings: Vec::new(),
            probe: Ok(()),
            allows_key: Some(true),
            server_time: Some(need.now),
        })
    }

    async fn blob(
        &self,
        _: &StorageName,
        name: &str,
        _: Timestamp,
    ) -> Result<Option<BlobFacts>, holdfast_storage::Error> {
        let is_missing = self.missing.lock().unwrap().contains(name);
        Ok((!is_missing).then_some(BlobFacts { size_bytes: 7 }))
    }
}

struct World {
    fleet: Fleet,
    clock: Arc<ManualClock>,
    store: Arc<dyn Store>,
    azure: Arc<ScriptedAzure>,
    storage: Arc<Blobs>,
}

fn app(name: &str) -> AppId {
    AppId::new("s", "g", name, None)
}

fn at(text: &str) -> Timestamp {
    parse_timestamp(text).unwrap()
}

fn fleet(names: &[&str]) -> Fleet {
    let mut text = format!(
        "[azure]\ncredential = {{ kind = \"azure_cli\" }}\n[storage.weu]\ncontainer = \"{CONTAINER}\"\n\
         sas = {{ mint = \"account_key\", key = \"env:NOBODY_SETS_THIS\" }}\n\
         [policy.gold]\nschedule = \"0 2 * * *\"\nstorage = \"weu\"\n\
         drill = {{ every = \"30d\", into = \"{}\" }}\n",
        app("scratch")
    );
    for name in names {
        writeln!(text, "[[app]]\nid = \"{}\"\npolicy = \"gold\"", app(name)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.toml");
    std::fs::write(&path, text).unwrap();
    let checked = holdfast_config::check(&path, Secrets::Leave, at("2026-11-30T00:00:00Z")).unwrap();
    checked.fleet.unwrap_or_else(|| panic!("{:?}", checked.problems))
}

impl World {
    /// Apps of the fleet that Azure has, each with a backup of 01:00 and one of 03:00, and the scratch app.
    async fn new(names: &[&str]) -> Self {
        let clock = Arc::new(ManualClock::new(at("2026-11-30T09:00:00Z")));
        Self::over(names, Arc::new(MemoryStore::new(Arc::clone(&clock) as _)), clock).await
    }

    /// The same in this store.
    async fn over(names: &[&str], store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        let (azure, storage) = (Arc::new(ScriptedAzure::default()), Arc::new(Blobs::default()));
        let world = Self { fleet: fleet(names), clock, store, azure, storage };
        world.site("scratch", "Standard");
        for (place, name) in names.iter().enumerate() {
            world.site(name, "Standard");
            let first = i64::try_from(place).unwrap() * 10;
            world
                .backups(name, &[(first + 1, "2026-11-30T01:00:00Z"), (first + 2, "2026-11-30T03:00:00Z")])
                .await;
        }
        world
    }

    fn answers(&self, path: &str, body: &serde_json::Value) {
        self.azure.answers.lock().unwrap().insert(path.to_lowercase(), (200, None, body.to_string()));
    }

    fn site(&self, name: &str, tier: &str) {
        let properties = json!({ "state": "Running", "sku": tier, "serverFarmId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/serverfarms/p" });
        let id = app(name).to_string();
        self.answers(&id, &json!({ "id": id, "location": "westeurope", "properties": properties }));
    }

    /// Lists backups of an app, and adopts them.
    async fn backups(&self, name: &str, all: &[(i64, &str)]) {
        let blob = |id: i64| format!("{name}-{id}.zip");
        let listed = all.iter().map(|(id, time)| {
            json!({ "properties": { "id": id, "blobName": blob(*id), "status": "Succeeded", "created": time, "sizeInBytes": 7 } })
        });
        self.answers(&format!("{}/backups", app(name)), &json!({ "value": listed.collect::<Vec<_>>() }));
        let (snapshot, rng) = (
            PolicySnapshot::new(StorageName::new("weu"), "acct"),
            &mut fastrand::Rng::with_seed(all.first().map_or(0, |first| first.0.unsigned_abs())),
        );
        for (id, time) in all {
            let facts = BackupFacts {
                id: BackupId(*id),
                blob: blob(*id),
                size_bytes: 7,
                accepted_at: at(time),
                finished_at: None,
                databases: Vec::new(),
            };
            let by = (&Actor::from("ann"), self.store.now().await.unwrap());
            let adopted = adopting_run(&facts, (&App::new(app(name)), &snapshot), by, rng);
            self.store.add_run(&adopted).await.unwrap();
        }
    }

    async fn context(&self) -> ControlContext<'_> {
        let clock: Arc<dyn holdfast_model::Clock> = Arc::clone(&self.clock) as _;
        ControlContext {
            fleet: &self.fleet,
            store: &*self.store,
            arm: self.azure.client(clock, fastrand::Rng::with_seed(3)),
            storage: Arc::clone(&self.storage) as _,
            now: self.store.now().await.unwrap(),
            actor: Actor::from("ann"),
            notify: Arc::new(|_: &str| ()),
        }
    }

    async fn runs(&self, kind: RunKind) -> usize {
        let filter = RunFilter { kind: Some(kind), ..RunFilter::default() };
        self.store.runs(&filter).await.unwrap().len()
    }
}

fn request(to: ManyTargets) -> ManyRestores {
    ManyRestores { overwrite: true, ..ManyRestores::new(Selector::default(), to) }
}

/// Names, each with what is said of it.
type Named<T> = Vec<(String, T)>;

/// The sources of a plan with the numbers of their backups, and why the others are left out.
fn shown(plan: &ManyPlan) -> (Named<i64>, Named<String>) {
    let starts = plan.starts.iter().map(|one| (one.source.short_name(), one.backup.id.unwrap().0));
    let left_out = plan.left_out.iter().map(|left| (left.app.short_name(), left.why.clone()));
    (starts.collect(), left_out.collect())
}

#[tokio::test]
async fn each_app_gets_its_newest_good_backup_of_then_and_what_cannot_be_restored_is_left_out() {
    let world = World::new(&["api", "blog", "free", "gone", "shop"]).await;
    world.site("free", "Free");
    world.azure.answers.lock().unwrap().retain(|path, _| !path.contains("/gone"));
    world.storage.missing.lock().unwrap().insert("blog-11.xml".to_owned());
    let context = world.context().await;
    let wanted = ManyRestores { at: Some(at("2026-11-30T02:00:00Z")), ..request(ManyTargets::InPlace) };
    let plan = plan_many(&context, &wanted).await.unwrap();
    let (starts, left_out) = shown(&plan);
    assert_eq!(starts, [("api".to_owned(), 1), ("shop".to_owned(), 41)]);
    assert_eq!(plan.question(), "Everything in 2 apps will be replaced.");
    let why = |name: &str| left_out.iter().find(|(app, _)| app == name).map(|(_, why)| why.as_str()).unwrap();
    assert!(why("blog").contains("holds no blob blog-11.xml"), "{left_out:?}");
    assert!(why("free").contains("does not restore into that tier"), "{left_out:?}");
    assert!(why("gone").contains("Azure has no app gone; restore from the blob"), "{left_out:?}");
    assert_eq!((plan.selected, left_out.len()), (5, 3));
    assert_eq!(world.storage.tried.load(Ordering::Relaxed), 1, "one SAS of one storage");

    let early = ManyRestores { at: Some(at("2026-11-01T00:00:00Z")), ..wanted };
    let (starts, left_out) = shown(&plan_many(&context, &early).await.unwrap());
    assert!(
        starts.is_empty() && left_out[0].1.contains("no good backup of api is from before"),
        "{left_out:?}"
    );
    assert_eq!(world.runs(RunKind::Restore).await, 0, "a plan changes nothing");
}

#[tokio::test]
async fn the_runs_of_a_plan_are_added_together_once_for_each_key_and_not_again_while_they_are_under_way() {
    let world = World::new(&["api", "shop"]).await;
    let context = world.context().await;
    let wanted = request(ManyTargets::New("{app}-restored".into()));
    let plan = plan_many(&context, &wanted).await.unwrap();
    assert_eq!(plan.question(), "2 apps will be created.");
    let rng = &mut fastrand::Rng::with_seed(9);
    let runs: Vec<_> = plan.starts.iter().map(|_| holdfast_model::RunId::new(context.now, rng)).collect();
    let key = RequestKey { principal: "ann".into(), key: "1".into(), fingerprint: "f".into() };
    let confirmed =
        ConfirmedPlans { plans: &plan.starts, runs: &runs, reason: "", request: Some((&key, "done")) };
    let StartedOnce::Runs(first) = execute_once(&context, confirmed).await.unwrap() else { panic!("asked") };
    let StartedOnce::Runs(second) = execute_once(&context, confirmed).await.unwrap() else { panic!("asked") };
    assert_eq!((first, second), (RequestAnswer::New, RequestAnswer::Answered("done".into())));
    assert_eq!(world.runs(RunKind::Restore).await, 2);
    let again = plan_many(&context, &wanted).await.unwrap();
    assert!(again.starts.is_empty(), "{:?}", shown(&again));
    assert_eq!(again.left_out[0].why, "the same restore into api-restored is under way");
    let nothing = execute(&context, &again.starts, rng).await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn drills_share_the_scratch_app_of_the_policy_and_a_drill_under_way_is_left_out() {
    let world = World::new(&["api", "shop"]).await;
    let context = world.context().await;
    let plan = plan_many(&context, &request(ManyTargets::Scratch)).await.unwrap();
    assert_eq!(shown(&plan).0, [("api".to_owned(), 2), ("shop".to_owned(), 12)]);
    assert_eq!(plan.question(), "2 drills will replace everything in 1 app.");
    assert_eq!(plan.warnings, ["2 drills into 1 scratch app: those into the same one run one after another"]);
    let started = execute(&context, &plan.starts[..1], &mut fastrand::Rng::with_seed(77)).await.unwrap();
    assert!(matches!(started, Started::Runs(_)));
    let next = plan_many(&context, &request(ManyTargets::Scratch)).await.unwrap();
    let (starts, left_out) = shown(&next);
    assert_eq!((starts.len(), left_out[0].0.as_str()), (1, "api"), "{left_out:?}");
}

#[tokio::test]
async fn a_named_scratch_app_a_probe_and_a_plan_are_for_all_and_refused_where_they_have_no_meaning() {
    let world = World::new(&["api", "shop"]).await;
    world.site("spare", "Standard");
    let context = world.context().await;
    let probe = "https://spare.example/healthz";
    let drills = ManyRestores {
        into: Some(app("spare").to_string()),
        probe: Some(probe.into()),
        ..request(ManyTargets::Scratch)
    };
    let plan = plan_many(&context, &drills).await.unwrap();
    assert!(
        plan.starts
            .iter()
            .all(|plan| plan.target.app == app("spare") && plan.probe.as_deref() == Some(probe))
    );
    let farm = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/serverfarms/q";
    let new = ManyTargets::New("{app}-x".into());
    let created = ManyRestores { plan: Some(farm.into()), ..request(new.clone()) };
    let plan = plan_many(&context, &created).await.unwrap();
    assert!(plan.starts.iter().all(|plan| plan.target.plan.as_deref() == Some(farm)), "{:?}", shown(&plan));
    let named = ManyRestores { databases: vec!["orders".into()], ..request(new.clone()) };
    let (starts, left_out) = shown(&plan_many(&context, &named).await.unwrap());
    assert!(starts.is_empty() && left_out[0].1.contains("orders"), "{left_out:?}");
    let elsewhere = ManyRestores { storage: Some(StorageName::new("neu")), ..request(new.clone()) };
    let (starts, left_out) = shown(&plan_many(&context, &elsewhere).await.unwrap());
    assert!(starts.is_empty() && left_out[0].1.contains("neu"), "{left_out:?}");
    for (wrong, why) in [
        (ManyRestores { to: ManyTargets::InPlace, ..created }, "no app is created"),
        (ManyRestores { to: new.clone(), ..drills.clone() }, "are for drills"),
        (ManyRestores { to: ManyTargets::Scratch, ..named.clone() }, "take no databases"),
        (ManyRestores { ignore_databases: true, ..named }, "named and left"),
        (ManyRestores { probe: Some("ftp://x".into()), ..drills }, "the URL of the probe"),
    ] {
        let refused = plan_many(&context, &wrong).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[tokio::test]
async fn a_second_person_confirms_all_of_it_by_one_request() {
    let mut world = World::new(&["api", "shop"]).await;
    world.fleet.four_eyes = FourEyes { restore: true, ..FourEyes::default() };
    let context = world.context().await;
    let rng = &mut fastrand::Rng::with_seed(2);
    let plan = plan_many(&context, &request(ManyTargets::InPlace)).await.unwrap();
    let Started::Asked(asked) = execute(&context, &plan.starts, rng).await.unwrap() else {
        panic!("started")
    };
    let Started::Asked(again) = execute(&context, &plan.starts, rng).await.unwrap() else {
        panic!("started")
    };
    assert_eq!((asked.id, asked.effect.len()), (again.id, 2), "the same waits once");
    assert_eq!((asked.state(context.now), world.runs(RunKind::Restore).await), (ApprovalState::Pending, 0));
    let about: Vec<AppId> = crate::approvals::apps(&asked);
    assert_eq!(about, [app("api"), app("shop")]);
    let view = crate::approvals::ApprovalView::of(&asked, context.now);
    assert_eq!(view.what, "restore over 2 apps");
    let replanned = replan(&context, &asked, rng).await.unwrap();
    assert_eq!((replanned.effect, replanned.runs.len()), (asked.effect.clone(), 2));
    // If one app can no longer be restored, none is.
    world.storage.missing.lock().unwrap().insert("shop-12.zip".to_owned());
    assert_eq!(replan(&context, &asked, rng).await.unwrap_err().kind(), ErrorKind::Refused);
    let new = plan_many(&context, &request(ManyTargets::New("{app}-x".into()))).await.unwrap();
    assert!(
        matches!(execute(&context, &new.starts, rng).await.unwrap(), Started::Runs(_)),
        "a new app needs none"
    );
}

#[tokio::test]
async fn what_is_wrong_for_all_is_refused_and_a_selection_has_an_end() {
    let world = World::new(&["api", "shop"]).await;
    let context = world.context().await;
    let refused = async |wanted: &ManyRestores| plan_many(&context, wanted).await.unwrap_err().to_string();
    let kept = ManyRestores { overwrite: false, ..request(ManyTargets::InPlace) };
    assert!(refused(&kept).await.contains("replace everything in apps that exist"));
    assert!(refused(&request(ManyTargets::New("{name}-x".into()))).await.contains("means nothing"));
    assert_eq!(
        refused(&request(ManyTargets::New("same".into()))).await,
        "api and shop would both be restored into same"
    );
    let ids = (0..=APPS_MAX).map(|number| app(&format!("app-{number}")).to_string());
    let select = Selector { names: ids.collect(), ..Selector::default() };
    let many = ManyRestores { select, ..request(ManyTargets::InPlace) };
    assert_eq!(refused(&many).await, "501 apps are selected, and one request takes 500");
    let gold = Selector { policies: [PolicyName::new("gold")].into(), ..Selector::default() };
    let none = ManyRestores { select: gold, ..request(ManyTargets::InPlace) };
    assert_eq!(refused(&none).await, "no app of the fleet is selected", "nothing is enrolled");
}
