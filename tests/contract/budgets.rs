//! Each subscription's budgets.

use holdfast_model::{
    App, AppId, Budget, Call, Limits, NewRun, OperatorAction, Run, RunEvent, SubscriptionId,
};
use holdfast_store::{BreakerRecord, BudgetDraw, Drawn, LaneQuota, OpenBreaker};

use crate::fixture::{StoreFixture, accepted, app_in, no_limits, poll_lane, secs, started};

on_every_store!(
    a_budget_starts_full_and_refills_by_the_second,
    lanes_of_one_subscription_share_one_budget_and_reads_have_their_own,
    an_empty_budget_does_not_stop_another_subscription,
    what_is_not_handed_out_costs_nothing,
    a_closed_budget_opens_at_its_time,
    a_budget_closed_for_longer_stays_so,
    a_clock_that_goes_back_refills_nothing_and_breaks_nothing,
    concurrent_acquirers_use_no_token_twice,
    commands_and_runs_share_a_budget_and_half_of_it_is_for_runs,
    what_does_not_answer_is_told_until_it_answers_or_its_worker_is_gone,
    budgets_that_a_person_opens_are_in_the_audit_and_open_ones_are_not,
);

fn writes(capacity: f64, per_second: f64) -> Limits {
    Limits { writes: Budget { capacity, per_second }, ..no_limits() }
}

async fn ten(fixture: &StoreFixture, subscription: &str, plan: &str) -> Run {
    let mut last = None;
    for n in 0..10 {
        let app: App = app_in(subscription, plan, &format!("{}app{n}", plan.len()));
        last = Some(fixture.add_manual(&app).await);
    }
    last.unwrap()
}

async fn a_budget_starts_full_and_refills_by_the_second(fixture: &StoreFixture) {
    let limits = writes(3.0, 0.5);
    let run = ten(fixture, "s1", "/p").await;
    assert_eq!(fixture.acquire_beside(&run, 9, &limits).await.len(), 3);
    assert_eq!(fixture.acquire_beside(&run, 9, &limits).await.len(), 0);
    fixture.advance(1);
    assert_eq!(fixture.acquire_beside(&run, 9, &limits).await.len(), 0, "half a token permits no call");
    fixture.advance(1);
    assert_eq!(fixture.acquire_beside(&run, 9, &limits).await.len(), 1);
    fixture.advance(1_000);
    assert_eq!(
        fixture.acquire_beside(&run, 9, &limits).await.len(),
        3,
        "a bucket holds at most its capacity"
    );
}

async fn lanes_of_one_subscription_share_one_budget_and_reads_have_their_own(fixture: &StoreFixture) {
    let limits = writes(4.0, 0.0);
    let (one, two) = (ten(fixture, "s1", "/p").await, ten(fixture, "s1", "/p/2").await);
    let quotas = [&one, &two].map(|run| LaneQuota { lane: run.lane().unwrap(), most: 3 });
    let taken = fixture.acquire(&quotas, &limits).await;
    assert_eq!(taken.len(), 4);
    let running = fixture.read(taken[0].wakeup.run_id).await;
    fixture.commit_events(running.id, vec![started(&running, fixture.now())]).await;
    fixture.commit_events(running.id, vec![accepted(fixture.now())]).await;
    assert_eq!(fixture.acquire(&[LaneQuota { lane: poll_lane("s1"), most: 9 }], &limits).await.len(), 1);
}

async fn an_empty_budget_does_not_stop_another_subscription(fixture: &StoreFixture) {
    let limits = writes(2.0, 0.0);
    let (one, two) = (ten(fixture, "s1", "/p").await, ten(fixture, "s2", "/p").await);
    assert_eq!(fixture.acquire_beside(&one, 9, &limits).await.len(), 2);
    assert_eq!(fixture.acquire_beside(&one, 9, &limits).await.len(), 0);
    assert_eq!(fixture.acquire_beside(&two, 9, &limits).await.len(), 2);
}

async fn what_is_not_handed_out_costs_nothing(fixture: &StoreFixture) {
    let limits = Limits { per_plan: 1, ..writes(2.0, 0.0) };
    let (one, two) = (ten(fixture, "s1", "/p").await, ten(fixture, "s1", "/p/2").await);
    assert_eq!(fixture.acquire_beside(&one, 9, &limits).await.len(), 1);
    assert_eq!(fixture.acquire_beside(&one, 9, &limits).await.len(), 0);
    assert_eq!(fixture.acquire_beside(&two, 9, &limits).await.len(), 1);
}

async fn a_closed_budget_opens_at_its_time(fixture: &StoreFixture) {
    let run = ten(fixture, "s1", "/p").await;
    let subscription = SubscriptionId::new("s1");
    fixture.store.close_budget(&subscription, Call::Write, fixture.now() + secs(30)).await.unwrap();
    fixture.store.close_budget(&subscription, Call::Read, fixture.now() + secs(90)).await.unwrap();
    fixture.advance(29);
    assert_eq!(fixture.acquire_beside(&run, 9, &writes(2.0, 0.0)).await.len(), 0);
    fixture.advance(1);
    assert_eq!(fixture.acquire_beside(&run, 9, &writes(2.0, 0.0)).await.len(), 2);
}

async fn a_budget_closed_for_longer_stays_so(fixture: &StoreFixture) {
    let run = ten(fixture, "s1", "/p").await;
    let subscription = SubscriptionId::new("s1");
    for seconds in [60, 10] {
        fixture.store.close_budget(&subscription, Call::Write, fixture.now() + secs(seconds)).await.unwrap();
    }
    fixture.advance(59);
    assert_eq!(fixture.acquire_beside(&run, 9, &no_limits()).await.len(), 0);
    fixture.advance(1);
    assert_eq!(fixture.acquire_beside(&run, 9, &no_limits()).await.len(), 9);
}

async fn a_clock_that_goes_back_refills_nothing_and_breaks_nothing(fixture: &StoreFixture) {
    let limits = writes(2.0, 1.0);
    let start = fixture.now();
    let run = ten(fixture, "s1", "/p").await;
    fixture.advance(1_000);
    assert_eq!(fixture.acquire_beside(&run, 9, &limits).await.len(), 2);
    fixture.clock.set(start);
    assert_eq!(fixture.acquire_beside(&run, 9, &limits).await.len(), 0);
    fixture.advance(1);
    assert_eq!(fixture.acquire_beside(&run, 9, &limits).await.len(), 1);
}

async fn concurrent_acquirers_use_no_token_twice(fixture: &StoreFixture) {
    let limits = writes(7.0, 0.0);
    let quotas = [LaneQuota { lane: ten(fixture, "s1", "/p").await.lane().unwrap(), most: 3 }];
    let mut acquirers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, limits, quotas) = (fixture.store.clone(), limits.clone(), quotas.clone());
        acquirers.spawn(async move {
            store.acquire(&quotas, &limits, crate::fixture::terms(secs(60))).await.unwrap().len()
        });
    }
    assert_eq!(acquirers.join_all().await.iter().sum::<usize>(), 7);
}

async fn commands_and_runs_share_a_budget_and_half_of_it_is_for_runs(fixture: &StoreFixture) {
    let limits = writes(8.0, 0.5);
    let run = ten(fixture, "s1", "/p").await;
    let draw = async |most| {
        let (subscription, call, budget) = (run.app.subscription().clone(), Call::Write, limits.writes);
        fixture.store.draw_budget(&BudgetDraw { subscription, call, most, budget }).await.unwrap()
    };
    assert_eq!(draw(3).await, Drawn { tokens: 3, wait: secs(0) });
    assert_eq!(draw(9).await.tokens, 1);
    assert_eq!(draw(1).await, Drawn { tokens: 0, wait: secs(2) });
    assert_eq!(fixture.acquire_beside(&run, 9, &limits).await.len(), 4, "the rest is for runs");
    fixture.advance(2);
    assert_eq!(draw(1).await.tokens, 0, "what runs have used comes back to them first");
    let until = fixture.now() + secs(100);
    fixture.store.close_budget(run.app.subscription(), Call::Write, until).await.unwrap();
    assert_eq!(draw(1).await.wait, secs(100));
}

async fn what_does_not_answer_is_told_until_it_answers_or_its_worker_is_gone(fixture: &StoreFixture) {
    let record = async |kind: &str, name: &str, until: Option<u64>| {
        let (at, kind, name) = (fixture.now(), kind.to_owned(), name.to_owned());
        let until = until.map(|seconds| at + secs(seconds));
        fixture.store.record_breaker(&BreakerRecord { kind, name, at, until }).await.unwrap();
    };
    let open = async || fixture.store.open_breakers().await.unwrap();
    let (began, name) = (fixture.now(), "acct".to_owned());
    record("subscription", "s", Some(30)).await;
    record("storage_account", "acct", Some(30)).await;
    fixture.advance(40);
    record("storage_account", "acct", Some(60)).await;
    record("subscription", "s", None).await;
    let account =
        OpenBreaker { kind: "storage_account".into(), name, since: began, until: began + secs(100) };
    assert_eq!(open().await, [account]);
    fixture.advance(60 + 15 * 60);
    assert_eq!(open().await.len(), 1);
    fixture.advance(1);
    assert_eq!(open().await, [], "no worker tries any more");
    record("storage_account", "acct", Some(30)).await;
    assert_eq!(open().await[0].since, fixture.now(), "it opened anew");
}

async fn budgets_that_a_person_opens_are_in_the_audit_and_open_ones_are_not(fixture: &StoreFixture) {
    let subscription = SubscriptionId::new("s1");
    let action = OperatorAction::BudgetsReopened { subscription: subscription.clone() };
    let mut opened = Vec::new();
    for call in [None, Some(Call::Read), Some(Call::Write), None] {
        if let Some(call) = call {
            fixture.store.close_budget(&subscription, call, fixture.now() + secs(99)).await.unwrap();
        }
        let (app, id) = (App::new(AppId::unknown()), fixture.id());
        let snapshot = crate::fixture::policy_snapshot();
        let record =
            NewRun::operator_action(id, &app, &snapshot, action.clone(), "bob".into(), fixture.now());
        opened.push(fixture.store.open_budgets(&subscription, &record).await.unwrap());
    }
    assert_eq!(opened, [0, 1, 1, 0]);
    let audit = fixture.store.audit(0, 99).await.unwrap();
    let recorded = RunEvent::ActionRecorded { action, actor: "bob".into() };
    assert_eq!(audit.iter().map(|event| &event.event).collect::<Vec<_>>(), [&recorded, &recorded]);
}
