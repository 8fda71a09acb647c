use std::sync::Arc;
use std::time::Duration;

use holdfast_model::schedule::Schedule;
use holdfast_model::{
    Actor, App, AppId, Attempt, BackupFacts, BackupId, BackupName, BackupStatus, Cause, Clock, ManualClock,
    NewRun, NewTask, OperatorAction, Outcome, Policy, PolicyName, PolicySnapshot, Run, RunEvent, RunId,
    RunKind, StorageName, Task, Trigger, Verification, Zone,
};
use holdfast_store::{Change, Enrolled, MemoryStore, Observation, Store};

use super::fixture::{app, now};
use crate::views::activity::ActivityQuery;
use crate::views::activity_of::activity;
use crate::views::app_of::app_view;
use crate::views::audit_of::audit_page;
use crate::views::audit_page::AuditQuery;
use crate::views::cache::FleetCache;
use crate::views::condition::Condition;
use crate::views::day_mark::DayResult;
use crate::views::reading::FleetReading;
use crate::views::run_of::run_view;
use crate::{EffectiveValue, ErrorKind, FleetPolicies};

/// Two apps of policy `gold` in a store in memory.
struct Fixture {
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    rng: fastrand::Rng,
}

impl Fixture {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(now()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        store.sync_fleet(&["shop", "blog"].map(enrolled), &[]).await.unwrap();
        Self { store, clock, rng: fastrand::Rng::with_seed(3) }
    }

    async fn reading(&self) -> Arc<FleetReading> {
        FleetCache::new(self.store.clone(), self.clock.clone()).read().await.unwrap().reading
    }

    async fn add(&mut self, name: &str, actor: &str) -> Run {
        let at = self.clock.now();
        let task = NewTask { task: Task::default(), trigger: Trigger::Manual, actor: Some(actor.into()) };
        let new = NewRun::task(RunId::new(at, &mut self.rng), &of(name), &snapshot(), task, at);
        self.store.add_run(&new).await.unwrap();
        new.run
    }

    async fn happen(&self, run: &Run, event: RunEvent) -> Run {
        let at = self.clock.now();
        let run = self.store.load(run.id).await.unwrap().unwrap().run;
        let after = run.clone().after(&event, at).unwrap();
        let change = Change { from: run.version, run: after, events: vec![event], at };
        self.store.commit(&change).await.unwrap();
        self.clock.advance(Duration::from_secs(30));
        self.store.load(run.id).await.unwrap().unwrap().run
    }

    async fn start(&mut self, run: &Run) -> Run {
        let number = run.state.next_attempt();
        let name = BackupName::of_attempt(&run.app, run.id, number, &mut self.rng);
        let begun_at = self.clock.now();
        let attempt =
            Attempt { number, name, begun_at, sas: String::new(), sas_expiry: None, restored_before: None };
        self.happen(run, RunEvent::AttemptStarted { attempt, sas: None }).await;
        let accepted = RunEvent::Accepted {
            backup: BackupId(7),
            accepted_at: begun_at,
            request_id: Some("9f-\u{202e}1".into()),
        };
        self.happen(run, accepted).await
    }

    async fn succeed(&mut self, name: &str) -> Run {
        let run = self.add(name, "ann").await;
        let run = self.start(&run).await;
        let backup = BackupFacts {
            id: BackupId(7),
            blob: format!("{name}.zip"),
            size_bytes: 5_000_000,
            accepted_at: self.clock.now() - Duration::from_mins(2),
            finished_at: Some(self.clock.now()),
            databases: Vec::new(),
        };
        self.happen(&run, RunEvent::Completed { backup: Some(backup.clone()), detail: None }).await;
        let verification = Some(Verification::Verified);
        let ended =
            RunEvent::Ended { outcome: Outcome::Succeeded, cause: None, backup: Some(backup), verification };
        self.happen(&run, ended).await
    }

    async fn fail(&mut self, name: &str, log: &str) -> Run {
        let run = self.add(name, "bob").await;
        let run = self.start(&run).await;
        let (cause, status) = (Cause::StorageRefused, Some(BackupStatus::Failed));
        let (number, detail, backup, retry_at) = (1, log.to_owned(), None, None);
        self.happen(&run, RunEvent::AttemptEnded { number, status, cause, detail, backup, retry_at }).await;
        let ended = RunEvent::Ended {
            outcome: Outcome::Exhausted,
            cause: Some(cause),
            backup: None,
            verification: None,
        };
        self.happen(&run, ended).await
    }
}

fn of(name: &str) -> App {
    App { policy: Some(PolicyName::new("gold")), ..App::new(app(name)) }
}

fn snapshot() -> PolicySnapshot {
    PolicySnapshot::new(StorageName::new("weu"), "acct")
}

fn enrolled(name: &str) -> Enrolled {
    Enrolled {
        app: of(name),
        recovery_point_objective: Some(Duration::from_hours(26)),
        retention: None,
        partial_is_good: false,
        schedule: None,
        observation: Observation::default(),
    }
}

fn policies() -> FleetPolicies {
    let timezone = Zone::bundled("Europe/Paris").unwrap();
    let schedule = Schedule { crontab: "0 2 * * *".parse().unwrap(), timezone, spread: Duration::ZERO };
    let policy = Policy::new(PolicyName::new("gold"), schedule, snapshot());
    let value = EffectiveValue {
        key: "overlap".into(),
        value: "\"skip\"".into(),
        section: Some("defaults".into()),
        file: None,
        line: Some(3),
    };
    FleetPolicies {
        effective: [(policy.name.clone(), vec![value])].into(),
        by_name: [(policy.name.clone(), policy)].into(),
    }
}

#[tokio::test]
async fn the_page_of_an_app_has_its_recovery_points_runs_ticks_and_days() {
    let mut fixture = Fixture::new().await;
    fixture.succeed("shop").await;
    fixture.fail("shop", "403").await;
    let reading = fixture.reading().await;
    let view = app_view(&*fixture.store, &reading, &policies(), "shop").await.unwrap();
    assert_eq!((view.name.as_str(), view.condition), ("shop", Condition::Failed));
    assert_eq!((view.policy_values[0].key.as_str(), view.policy_values[0].line), ("overlap", Some(3)));
    assert_eq!(
        view.sentence,
        "The last backup failed: storage refused. The latest recovery point is of 5 min ago."
    );
    assert!(view.advice.unwrap().contains("sas check"));
    assert_eq!((view.recovery_points.len(), view.runs.len(), view.older_runs), (1, 3, None));
    let ticks = view.ticks.unwrap();
    assert_eq!((ticks.ticks.len(), ticks.ticks[0].local.as_str()), (10, "2026-11-30 02:00:00 +01:00"));
    assert_eq!(
        (view.days.len(), view.days[364].result, view.days[364].counts.runs()),
        (365, DayResult::Good, 2)
    );
    assert_eq!(
        (view.measures.len(), view.measures[0].bytes, view.measures[0].took_s),
        (1, 5_000_000, Some(120))
    );
    assert!(serde_json::to_string(&view.recovery_points).unwrap().contains("shop.zip"));
}

#[tokio::test]
async fn the_page_of_an_app_goes_on_to_its_older_runs() {
    let mut fixture = Fixture::new().await;
    for _ in 0..30 {
        fixture.fail("blog", "403").await;
    }
    let reading = fixture.reading().await;
    let view = app_view(&*fixture.store, &reading, &FleetPolicies::default(), "blog").await.unwrap();
    assert_eq!((view.runs.len(), view.condition), (25, Condition::NeverBackedUp));
    assert_eq!(view.sentence, "No good backup: storage refused.");
    let query = ActivityQuery { app: Some(app("blog")), after: view.older_runs, ..ActivityQuery::default() };
    let older = activity(&*fixture.store, now(), &query, 25).await.unwrap();
    assert_eq!((older.rows.len(), older.next), (6, None));
    assert!(older.rows[0].created_at < view.runs[24].created_at);
}

#[tokio::test]
async fn an_app_that_nobody_knows_is_not_found_and_one_that_was_never_enrolled_is_shown_by_its_id() {
    let mut fixture = Fixture::new().await;
    fixture.add("stray", "ann").await;
    let reading = fixture.reading().await;
    let view = async |name: &str| app_view(&*fixture.store, &reading, &policies(), name).await;
    let error = view("shup").await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::NotFound, Some("did you mean `shop`?")));
    let stray = view(&app("stray").to_string()).await.unwrap();
    assert_eq!((stray.condition, stray.runs.len(), stray.ticks.is_none()), (Condition::NoPolicy, 1, true));
    let nobody = AppId::new("s1", "shops", "nobody", None).to_string();
    assert_eq!(view(&nobody).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn the_page_of_a_run_tells_it_in_order_with_azures_words_inert() {
    let mut fixture = Fixture::new().await;
    let run = fixture.fail("shop", "403 <b>Forbidden</b>\n\u{1b}[31mred\u{202e}").await;
    let view = run_view(&*fixture.store, run.id).await.unwrap();
    assert!(view.sentence.starts_with("Backup failed"), "{}", view.sentence);
    assert!(view.sentence.ends_with("after all attempts: storage refused."), "{}", view.sentence);
    assert_eq!(view.person.as_deref(), Some("claimed \"bob\""));
    let titles: Vec<&str> = view.timeline.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["Planned", "Attempt 1 begins", "Accepted by Azure", "Attempt 1 failed", "Ended"]);
    let failed = &view.timeline[3];
    assert_eq!(failed.azure_says.as_deref(), Some("403 <b>Forbidden</b>\n\\u{1b}[31mred\\u{202e}"));
    assert_eq!((failed.after_s, failed.attempt, failed.is_failure), (30, Some(1), true));
    assert!(!failed.detail.contains('\u{1b}'));
    assert_eq!(view.request_ids, ["9f-\\u{202e}1"]);
    let chain = view.chain.unwrap();
    assert_eq!((chain.last_seq - chain.first_seq, &chain.last_hash), (4, &view.timeline[4].hash));
    assert_eq!((view.trace_id.len(), view.run.outcome), (32, Some(Outcome::Exhausted)));
    let none = RunId::new(now(), &mut fastrand::Rng::with_seed(99));
    assert_eq!(run_view(&*fixture.store, none).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn activity_is_filtered_and_paged_and_has_the_causes_of_its_page() {
    let mut fixture = Fixture::new().await;
    for _ in 0..3 {
        fixture.succeed("shop").await;
        fixture.fail("blog", "403").await;
    }
    fixture.add("shop", "ann").await;
    let page =
        async |query: ActivityQuery, most| activity(&*fixture.store, now(), &query, most).await.unwrap();
    let failed =
        ActivityQuery { outcomes: [Outcome::Failed, Outcome::Exhausted].into(), ..Default::default() };
    let first = page(failed.clone(), 2).await;
    assert_eq!((first.rows.len(), first.causes.len(), first.causes[0].runs), (2, 1, 2));
    let second = page(ActivityQuery { after: first.next, ..failed }, 2).await;
    assert_eq!((second.rows.len(), second.next), (1, None));
    let unfinished = ActivityQuery { unfinished: true, ..Default::default() };
    assert_eq!(page(unfinished, 5).await.rows.len(), 1);
    let checks = ActivityQuery { kind: Some(RunKind::CheckCatalog), ..Default::default() };
    assert_eq!(page(checks, 5).await.rows.len(), 0);
    let broken = ActivityQuery { after: Some("AAAA".into()), ..Default::default() };
    assert_eq!(activity(&*fixture.store, now(), &broken, 5).await.unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn the_audit_is_listed_by_person_app_and_kind_and_pages_hold_each_act_once() {
    let mut fixture = Fixture::new().await;
    fixture.succeed("shop").await;
    fixture.fail("blog", "403").await;
    let action = OperatorAction::Held { backup: BackupId(7), blob: None, reason: "audit".into() };
    let at = fixture.clock.now();
    let id = RunId::new(at, &mut fixture.rng);
    let held = NewRun::operator_action(id, &of("shop"), &snapshot(), action, Actor::from("cho"), at);
    fixture.store.add_run(&held).await.unwrap();
    let page =
        async |query: &AuditQuery, most| audit_page(&*fixture.store, now(), query, most).await.unwrap();
    let people = |page: &crate::views::audit_page::AuditPage| -> Vec<String> {
        page.rows
            .iter()
            .map(|row| format!("{} {} {}", row.person, row.kind, row.name.as_deref().unwrap_or("-")))
            .collect()
    };
    let all = page(&AuditQuery::default(), 10).await;
    assert_eq!(people(&all), ["cho held shop", "bob backup blog", "ann backup shop"]);
    assert_eq!((all.next, all.rows[0].claim.as_str()), (None, "claimed \"cho\""));
    assert_eq!(all.rows[0].what, "backup 7 held by claimed \"cho\": audit");
    let last = fixture.store.last_event().await.unwrap().unwrap();
    assert_eq!((all.last_seq, all.last_hash), (last.link.seq, last.link.hash));
    let mut query = AuditQuery::default();
    let mut seen = Vec::new();
    loop {
        let one = page(&query, 1).await;
        seen.extend(people(&one));
        match one.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, ["cho held shop", "bob backup blog", "ann backup shop"]);
    for (query, expected) in [
        (AuditQuery { person: Some("bob".into()), ..AuditQuery::default() }, "bob backup blog"),
        (AuditQuery { kind: Some("held".into()), ..AuditQuery::default() }, "cho held shop"),
        (AuditQuery { app: Some(app("blog")), ..AuditQuery::default() }, "bob backup blog"),
    ] {
        assert_eq!(people(&page(&query, 10).await), [expected]);
    }
}
