//! From a reading to the overview. Pure.

use std::collections::BTreeMap;

use holdfast_model::{AppId, Cause, PolicyName, RunId, RunKind, StateCode, Timestamp};
use holdfast_store::{AppStatus, DayCounts, Running, Store};

use crate::Error;
use crate::approvals::ApprovalView;
use crate::status::notes_of;
use crate::status_waits::{wait_cause, waits_too_long};
use crate::times::{age, until};
use crate::views::app_facts::AppFacts;
use crate::views::cause_advice::{advice, is_worth_retrying, label};
use crate::views::condition::{Condition, Severity};
use crate::views::day_mark::{DayMark, first_day};
use crate::views::end_forecast::end_forecasts;
use crate::views::fleet::FleetQuery;
use crate::views::numbers::grouped;
use crate::views::overview::{
    APPROVALS_MAX, CauseRow, Overview, PolicyDays, Tile, UNDER_WAY_MAX, UnderWayRow,
};
use crate::views::reading::{DAYS, FleetReading};
use crate::views::sas_state::SasState;
use crate::views::sentence::{Counts, sentence};

/// Acts that the overview shows, at most.
const ACTS_MAX: usize = 8;

/// The overview of a reading. `store_away` says that the store cannot be reached, so that the reading is old.
pub fn overview(reading: &FleetReading, store_away: bool) -> Overview {
    let facts = AppFacts::of_all(reading);
    let counts = Counts::of(&facts);
    let (sentence, severity) = sentence(&facts, &counts);
    let mut under_way: Vec<UnderWayRow> =
        facts.iter().filter_map(|app| under_way_row(app.status, reading.at)).collect();
    under_way.sort_by(|a, b| (a.since, &a.app).cmp(&(b.since, &b.app)));
    let under_way_count = under_way.len() as u64;
    let stuck = under_way.iter().filter(|row| row.is_stuck).count() as u64;
    under_way.truncate(UNDER_WAY_MAX);
    let apps: Vec<&AppStatus> = reading.apps.iter().collect();
    let mut notes =
        notes_of(&apps, &reading.subscriptions, &reading.breakers, &reading.checkpoints, reading.at);
    notes.extend(reading.process_notes.iter().cloned());
    Overview {
        as_of: reading.at,
        sentence,
        severity,
        subtitle: subtitle(&facts, &counts, stuck, reading.at),
        enrolled: counts.enrolled(),
        tiles: tiles(&counts).into_iter().chain([sas_tile(&facts)]).collect(),
        causes: causes(&facts, reading.at),
        matrix: matrix(reading),
        under_way,
        under_way_count,
        acts: reading.acts.iter().take(ACTS_MAX).cloned().collect(),
        approvals: reading
            .approvals
            .iter()
            .take(APPROVALS_MAX)
            .map(|approval| ApprovalView::of(approval, reading.at))
            .collect(),
        approval_count: reading.approvals.len() as u64,
        notes,
        store_away,
    }
}

/// Adds when what is under way will probably end. Asks the store with one statement.
pub async fn with_ends(store: &dyn Store, overview: Overview) -> Result<Overview, Error> {
    let works = |row: &&UnderWayRow| row.kind == RunKind::Backup && row.state == StateCode::Polling;
    let ids: Vec<RunId> = overview.under_way.iter().filter(works).map(|row| row.run_id).collect();
    let ends = end_forecasts(store, &ids).await?;
    let add = |row: UnderWayRow| UnderWayRow { ends: ends.get(&row.run_id).copied(), ..row };
    let under_way = overview.under_way.into_iter().map(add).collect();
    Ok(Overview { under_way, ..overview })
}

/// The tiles: what is counted, in the singular and the plural, and the conditions.
const TILES: [(&str, &str, &[Condition]); 5] = [
    ("past its objective", "past their objective", &[Condition::PastObjective]),
    ("never backed up", "never backed up", &[Condition::NeverBackedUp]),
    (
        "lost, failed or missed",
        "lost, failed or missed",
        &[Condition::Lost, Condition::Failed, Condition::Missed],
    ),
    (
        "partial, shrinking or unverified",
        "partial, shrinking or unverified",
        &[Condition::Partial, Condition::Shrinking, Condition::Unverified],
    ),
    (
        "protected by nobody",
        "protected by nobody",
        &[Condition::NoPolicy, Condition::NoObjective, Condition::Paused],
    ),
];

fn tiles(counts: &Counts) -> Vec<Tile> {
    let tile = |(one, several, conditions): &(&str, &str, &[Condition])| {
        let count = counts.sum(conditions);
        let worst = conditions.first().map_or(Severity::Ok, |condition| condition.severity());
        Tile {
            count,
            label: (*if count == 1 { one } else { several }).to_owned(),
            severity: if count == 0 { Severity::Ok } else { worst },
            query: FleetQuery { conditions: conditions.iter().copied().collect(), ..FleetQuery::default() },
        }
    };
    TILES.iter().map(tile).collect()
}

/// The tile of the SAS that people should renew.
fn sas_tile(facts: &[AppFacts<'_>]) -> Tile {
    let lapsing: Vec<SasState> =
        facts.iter().filter_map(|app| app.sas).filter(|sas| sas.needs_attention()).collect();
    let worst = if lapsing.contains(&SasState::Lapsed) { SasState::Lapsed } else { SasState::Lapsing };
    Tile {
        count: lapsing.len() as u64,
        label: "SAS lapsing or lapsed".to_owned(),
        severity: if lapsing.is_empty() { Severity::Ok } else { worst.severity() },
        query: FleetQuery { sas_lapsing: true, ..FleetQuery::default() },
    }
}

fn causes(facts: &[AppFacts<'_>], now: Timestamp) -> Vec<CauseRow> {
    let mut found: BTreeMap<Cause, (u64, u64)> = BTreeMap::new();
    for app in facts.iter().filter(|app| !app.status.removed && app.is_recent(now)) {
        let Some(cause) = app.cause() else { continue };
        let (apps, retryable) = found.entry(cause).or_default();
        *apps += 1;
        *retryable += u64::from(is_worth_retrying(cause) && app.can_be_backed_up());
    }
    let row = |(cause, (apps, retryable))| CauseRow {
        cause,
        label: label(cause).to_owned(),
        apps,
        advice: advice(cause).to_owned(),
        retryable,
        query: FleetQuery { causes: [cause].into(), recent: true, ..FleetQuery::default() },
    };
    let mut rows: Vec<CauseRow> = found.into_iter().map(row).collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.apps), row.cause));
    rows
}

fn matrix(reading: &FleetReading) -> Vec<PolicyDays> {
    let first = first_day(reading.at, DAYS);
    let mut policies: BTreeMap<&PolicyName, (u64, Vec<DayCounts>)> = BTreeMap::new();
    for status in reading.apps.iter().filter(|status| !status.removed) {
        let Some(policy) = &status.policy else { continue };
        let (apps, days) =
            policies.entry(policy).or_insert_with(|| (0, vec![DayCounts::default(); usize::from(DAYS)]));
        *apps += 1;
        for mark in reading.days_of(&status.app) {
            let place = usize::try_from((mark.day - first).num_days()).ok();
            if let Some(day) = place.and_then(|place| days.get_mut(place)) {
                day.add(mark.counts);
            }
        }
    }
    let row = |(policy, (apps, days)): (&PolicyName, (u64, Vec<DayCounts>))| PolicyDays {
        policy: policy.clone(),
        apps,
        days: first.iter_days().zip(days).map(|(day, counts)| DayMark::new(day, counts, None)).collect(),
        query: FleetQuery { policies: [policy.as_str().to_owned()].into(), ..FleetQuery::default() },
    };
    policies.into_iter().map(row).collect()
}

fn under_way_row(status: &AppStatus, now: Timestamp) -> Option<UnderWayRow> {
    let running = status.running.filter(|_| !status.removed)?;
    Some(UnderWayRow {
        app: status.app.clone(),
        name: AppId::short_name(&status.app),
        policy: status.policy.clone(),
        kind: running.kind,
        state: running.state,
        what: doing(&running, now),
        since: running.since,
        next_try: running.next_try,
        is_stuck: waits_too_long(&running, now),
        run_id: running.run_id,
        ends: None,
    })
}

/// What a run does or waits for, in words.
pub fn doing(running: &Running, now: Timestamp) -> String {
    let why = wait_cause(running).map(label);
    match running.state {
        StateCode::Planned | StateCode::Waiting => match why {
            Some(why) => format!("waits: {why}; the next try is {}", until(running.next_try, now)),
            None if running.next_try > now => format!("begins {}", until(running.next_try, now)),
            None => "waits for its turn".to_owned(),
        },
        StateCode::Starting => "asks Azure".to_owned(),
        StateCode::Reconciling => "answer lost: looks for what Azure made".to_owned(),
        StateCode::Polling | StateCode::PollingOperation => "Azure works".to_owned(),
        StateCode::Verifying => "checks the result".to_owned(),
        StateCode::Comparing => "compares with Azure once more".to_owned(),
        StateCode::Ended => "done".to_owned(),
    }
}

/// The numbers beside the sentence.
fn subtitle(facts: &[AppFacts<'_>], counts: &Counts, stuck: u64, now: Timestamp) -> String {
    let enrolled = facts.iter().filter(|app| !app.status.removed);
    let with_objective = enrolled
        .clone()
        .filter(|app| app.status.policy.is_some() && app.status.recovery_point_objective.is_some());
    let is_inside = |app: &&AppFacts<'_>| {
        !matches!(
            app.condition,
            Condition::PastObjective | Condition::NeverBackedUp | Condition::FirstUnderWay
        )
    };
    let (inside, all) = (with_objective.clone().filter(is_inside).count(), with_objective.count());
    let mut parts = Vec::new();
    if all > 0 {
        parts.push(format!(
            "{} of {} are inside their objective.",
            grouped(inside as u64),
            grouped(all as u64)
        ));
    }
    let ended = enrolled.clone().filter_map(|app| app.status.last.as_ref()).map(|last| last.ended_at).max();
    let next = enrolled.filter_map(|app| app.status.next_tick).min();
    let ended = ended.map(|at| format!("the last backup ended {}", age(at, now)));
    let next = next.map(|at| format!("the next is due {}", until(at, now)));
    let times: Vec<String> = ended.into_iter().chain(next).collect();
    if !times.is_empty() {
        let mut text = times.join(", ");
        text.replace_range(..1, "T");
        parts.push(text + ".");
    }
    parts.push(match stuck {
        _ if counts.enrolled() == 0 => "Name apps or a [[discover]] rule in the fleet file.".to_owned(),
        0 => "Nothing is stuck.".to_owned(),
        1 => "One run waits longer than it should.".to_owned(),
        stuck => format!("{} runs wait longer than they should.", grouped(stuck)),
    });
    parts.join(" ")
}
