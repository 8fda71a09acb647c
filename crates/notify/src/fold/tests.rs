use holdfast_config::ClockTime;
use holdfast_model::{Actor, Cause, Outcome, RunId, TagFilter, Zone};
use holdfast_store::Link;

use super::*;
use crate::due::{TagsById, due};
use crate::notice::{Notice, NoticeKind};

/// A day that begins at noon, so that no quiet time is near.
fn noon() -> Timestamp {
    holdfast_model::parse_timestamp("2027-01-10T12:00:00Z").unwrap()
}

pub fn rule() -> NotifyRule {
    NotifyRule {
        channels: vec!["ops".into()],
        policies: Vec::new(),
        tags: Vec::new(),
        on: NotifyOn::USUAL.to_vec(),
        causes: Vec::new(),
        failures: 1,
        successes: 1,
        recovery: true,
        gather: Duration::from_secs(20),
        reminder: None,
        digest: None,
        quiet: Vec::new(),
        zone: Zone::UTC,
    }
}

/// A notifier on paper: events go in, notices come out.
struct Paper {
    state: NotifierState,
    rules: Rules,
    now: Timestamp,
    seq: i64,
}

impl Paper {
    fn new(rule: NotifyRule) -> Self {
        let rules = Rules::from([("oncall".to_owned(), rule)]);
        Self { state: NotifierState::default(), rules, now: noon(), seq: 0 }
    }

    fn event(&mut self, app: &AppId, event: RunEvent, kind: RunKind) {
        self.seq += 1;
        let id = RunId::new(self.now, &mut fastrand::Rng::with_seed(self.seq.unsigned_abs()));
        let link = Link { seq: self.seq, ..Link::origin() };
        let event = AuditEvent {
            link,
            at: self.now,
            run_id: id,
            app: app.clone(),
            database_role: String::new(),
            event,
        };
        let (policy, tags) = (PolicyName::new("gold"), [("team", "web")].into_iter().collect());
        let seen = Seen { event: &event, kind, policy: Some(&policy), tags: &tags };
        fold(&mut self.state, &self.rules, seen, self.now);
        // What is remembered survives its text.
        let text = serde_json::to_string(&self.state).unwrap();
        assert_eq!(serde_json::from_str::<NotifierState>(&text).unwrap(), self.state);
    }

    fn ended(&mut self, name: &str, outcome: Outcome, cause: Option<Cause>) {
        let event = RunEvent::Ended { outcome, cause, backup: None, verification: None };
        self.event(&app(name), event, RunKind::Backup);
    }

    fn fails(&mut self, name: &str) {
        self.ended(name, Outcome::Exhausted, Some(Cause::Unreachable));
    }

    fn succeeds(&mut self, name: &str) {
        self.ended(name, Outcome::Succeeded, None);
    }

    fn after(&mut self, seconds: u64) -> Vec<Notice> {
        self.now += Duration::from_secs(seconds);
        due(&mut self.state, &self.rules, &TagsById::new(), self.now)
    }

    fn kinds_after(&mut self, seconds: u64) -> Vec<(NoticeKind, u32)> {
        self.after(seconds).iter().map(|notice| (notice.kind, notice.affected)).collect()
    }
}

fn app(name: &str) -> AppId {
    AppId::new("s", "g", name, None)
}

#[test]
fn five_hundred_apps_that_fail_for_one_cause_make_one_notice_and_one_more_when_all_have_recovered() {
    let mut paper = Paper::new(rule());
    for number in 0..500 {
        paper.fails(&format!("app-{number}"));
        assert_eq!(paper.kinds_after(0), []);
    }
    assert_eq!(paper.kinds_after(19), []);
    assert_eq!(paper.kinds_after(1), [(NoticeKind::Opened, 500)]);
    assert_eq!(paper.kinds_after(3_600), []);
    for number in 0..499 {
        paper.succeeds(&format!("app-{number}"));
        assert_eq!(paper.kinds_after(1), []);
    }
    paper.succeeds("app-499");
    assert_eq!(paper.kinds_after(1), [(NoticeKind::Resolved, 500)]);
    assert_eq!(paper.state.incidents, []);
}

#[test]
fn another_cause_another_policy_and_another_subscription_are_other_incidents() {
    let mut paper = Paper::new(rule());
    paper.fails("shop");
    paper.ended("shop", Outcome::Failed, Some(Cause::TooLarge));
    let elsewhere = AppId::new("t", "g", "shop", None);
    let failed = RunEvent::Ended {
        outcome: Outcome::Failed,
        cause: Some(Cause::TooLarge),
        backup: None,
        verification: None,
    };
    paper.event(&elsewhere, failed, RunKind::Backup);
    let notices = paper.after(20);
    let ids: std::collections::BTreeSet<_> = notices.iter().map(|notice| &notice.incident).collect();
    assert_eq!((notices.len(), ids.len()), (3, 3));
    paper.succeeds("shop");
    assert_eq!(paper.kinds_after(1).len(), 2, "a good backup ends both of its incidents");
}

#[test]
fn what_recovers_while_it_gathers_is_not_told_and_a_later_failure_has_another_id() {
    let mut paper = Paper::new(rule());
    paper.fails("shop");
    let first = paper.state.incidents[0].id.clone();
    paper.succeeds("shop");
    assert_eq!(paper.kinds_after(60), []);
    paper.fails("shop");
    assert_eq!(paper.kinds_after(20), [(NoticeKind::Opened, 1)]);
    assert_ne!(paper.state.incidents[0].id, first);
}

#[test]
fn failures_and_successes_in_a_row_have_thresholds() {
    let mut paper = Paper::new(NotifyRule { failures: 3, successes: 2, ..rule() });
    paper.fails("shop");
    paper.fails("shop");
    paper.succeeds("shop");
    paper.fails("shop");
    paper.fails("shop");
    assert_eq!(paper.kinds_after(60), []);
    paper.fails("shop");
    assert_eq!(paper.kinds_after(20), [(NoticeKind::Opened, 1)]);
    paper.succeeds("shop");
    paper.fails("shop");
    paper.succeeds("shop");
    assert_eq!(paper.kinds_after(60), [], "one success is not two in a row");
    paper.succeeds("shop");
    assert_eq!(paper.kinds_after(1), [(NoticeKind::Resolved, 1)]);
}

#[test]
fn only_what_the_rule_names_is_told() {
    let only = |on: NotifyOn, cause: Option<Cause>, policy: &str| NotifyRule {
        on: vec![on],
        causes: cause.into_iter().collect(),
        policies: vec![PolicyName::new(policy)],
        ..rule()
    };
    for (rule, count) in [
        (only(NotifyOn::Failure, None, "gold"), 1),
        (only(NotifyOn::Failure, Some(Cause::Unreachable), "gold"), 1),
        (only(NotifyOn::Failure, Some(Cause::TooLarge), "gold"), 0),
        (only(NotifyOn::Failure, None, "silver"), 0),
        (only(NotifyOn::Partial, None, "gold"), 0),
        (NotifyRule { tags: vec![TagFilter::new("Team", "web")], ..rule() }, 1),
        (NotifyRule { tags: vec![TagFilter::new("team", "shop")], ..rule() }, 0),
    ] {
        let mut paper = Paper::new(rule);
        paper.fails("shop");
        assert_eq!(paper.after(20).len(), count);
    }
}

#[test]
fn an_open_incident_is_told_again_with_what_joined_it() {
    let mut paper = Paper::new(NotifyRule { reminder: Some(Duration::from_hours(4)), ..rule() });
    paper.fails("shop");
    assert_eq!(paper.kinds_after(20), [(NoticeKind::Opened, 1)]);
    paper.fails("wiki");
    assert_eq!(paper.kinds_after(4 * 3_600 - 1), []);
    let notices = paper.after(1);
    assert_eq!((notices[0].kind, notices[0].affected, notices[0].number), (NoticeKind::Reminder, 2, 2));
    assert_eq!(notices[0].names, ["shop", "wiki"]);
}

#[test]
fn a_silence_holds_notices_back_and_what_lasts_is_told_at_its_end() {
    let mut paper = Paper::new(rule());
    let silenced = |until| RunEvent::ActionRecorded {
        action: OperatorAction::NotificationsSilenced {
            rule: None,
            policy: Some(PolicyName::new("gold")),
            tags: Vec::new(),
            until,
            reason: "release".into(),
        },
        actor: Actor::from("ann"),
    };
    let until = paper.now + Duration::from_hours(1);
    paper.event(&AppId::unknown(), silenced(until), RunKind::OperatorAction);
    paper.fails("shop");
    paper.fails("wiki");
    assert_eq!(paper.kinds_after(600), []);
    paper.succeeds("wiki");
    assert_eq!(paper.kinds_after(3_000 - 1), []);
    assert_eq!(paper.kinds_after(1), [(NoticeKind::Opened, 2)]);
    let until = paper.now + Duration::from_hours(1);
    paper.event(&AppId::unknown(), silenced(until), RunKind::OperatorAction);
    let id = paper.state.silences[0].id;
    paper.succeeds("shop");
    assert_eq!(paper.kinds_after(60), [], "the end is held back too");
    let ended = OperatorAction::SilenceEnded { silence: id, reason: "done".into() };
    let ended = RunEvent::ActionRecorded { action: ended, actor: Actor::from("ann") };
    paper.event(&AppId::unknown(), ended, RunKind::OperatorAction);
    assert_eq!(paper.kinds_after(1), [(NoticeKind::Resolved, 2)]);
}

#[test]
fn a_quiet_time_ends_with_what_lasts() {
    let mut paper = Paper::new(NotifyRule { quiet: vec!["11:00-13:00".parse().unwrap()], ..rule() });
    paper.fails("shop");
    paper.fails("wiki");
    paper.succeeds("wiki");
    assert_eq!(paper.kinds_after(3_599), []);
    let notices = paper.after(1);
    assert_eq!((notices[0].affected, notices[0].in_trouble), (2, 1));
}

#[test]
fn a_digest_comes_once_a_day_at_its_time() {
    let at: ClockTime = "08:00".parse().unwrap();
    let mut paper = Paper::new(NotifyRule { digest: Some(at), on: Vec::new(), ..rule() });
    assert_eq!(paper.after(0).len(), 0);
    paper.succeeds("shop");
    paper.fails("wiki");
    assert_eq!(paper.after(20 * 3_600 - 1).len(), 0);
    let notices = paper.after(1);
    let day = &notices[0].digest.as_ref().unwrap().day;
    assert_eq!((day.succeeded, day.failed), (1, 1));
    assert_eq!(paper.after(60).len(), 0);
    assert_eq!(paper.after(24 * 3_600).len(), 1);
}

#[test]
fn what_left_the_fleet_is_told_once_and_leaves_every_incident() {
    let mut paper = Paper::new(rule());
    paper.fails("shop");
    assert_eq!(paper.kinds_after(20).len(), 1);
    let left =
        OperatorAction::LeftFleet { reason: holdfast_model::DepartureReason::NotFound, detail: "404".into() };
    let left = RunEvent::ActionRecorded { action: left, actor: Actor::from("holdfast") };
    paper.event(&app("shop"), left, RunKind::OperatorAction);
    let notices = paper.after(20);
    let told: Vec<_> = notices.iter().map(|notice| (notice.on, notice.kind)).collect();
    assert_eq!(
        told,
        [(Some(NotifyOn::Failure), NoticeKind::Resolved), (Some(NotifyOn::Departure), NoticeKind::Opened)]
    );
    assert_eq!(paper.state.incidents, []);
}

#[test]
fn a_condition_lasts_while_it_is_found() {
    let mut paper = Paper::new(rule());
    let past = |name: &str| ConditionFound {
        on: NotifyOn::Objective,
        id: app(name).to_string(),
        name: name.into(),
        tags: [("team", "web")].into_iter().collect(),
        policy: Some(PolicyName::new("gold")),
        subscription: Some(app(name).subscription().clone()),
    };
    let now = paper.now;
    look(&mut paper.state, &paper.rules, &[past("shop"), past("wiki")], now);
    assert_eq!(paper.kinds_after(20), [(NoticeKind::Opened, 2)]);
    look(&mut paper.state, &paper.rules, &[past("wiki")], now);
    assert_eq!(paper.kinds_after(20), []);
    look(&mut paper.state, &paper.rules, &[], now);
    assert_eq!(paper.kinds_after(20), [(NoticeKind::Resolved, 2)]);
}

#[test]
fn trouble_of_days_ago_is_not_told_when_it_is_read() {
    let mut paper = Paper::new(rule());
    let now = paper.now;
    paper.now = now - Duration::from_hours(25);
    let (rules, mut state) = (paper.rules.clone(), NotifierState::default());
    let link = Link { seq: 1, ..Link::origin() };
    let event = RunEvent::Ended {
        outcome: Outcome::Failed,
        cause: Some(Cause::TooLarge),
        backup: None,
        verification: None,
    };
    let run_id = RunId::new(paper.now, &mut fastrand::Rng::with_seed(1));
    let old =
        AuditEvent { link, at: paper.now, run_id, app: app("shop"), database_role: String::new(), event };
    fold(
        &mut state,
        &rules,
        Seen { event: &old, kind: RunKind::Backup, policy: None, tags: &Tags::default() },
        now,
    );
    assert_eq!(state, NotifierState::default());
}
