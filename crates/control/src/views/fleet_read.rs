//! Reads the fleet from the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_model::{AppId, Timestamp};
use holdfast_store::{ActFilter, AppDay, Approval, Day, Store};

use crate::approvals::LONGEST;
use crate::status_notes;
use crate::views::acts::PersonAct;
use crate::views::day_mark::{DayMark, first_day};
use crate::views::reading::{DAYS, FleetReading};

/// Days that are read again each time: runs that end around midnight may belong to either.
const READ_AGAIN: u16 = 2;
/// Acts of people that are read.
const ACTS: u32 = 20;
/// Requests to a second person that are read.
const APPROVALS: u32 = 200;

/// Reads the fleet. Days before the last few are taken from `before`.
pub async fn read_fleet(
    store: &dyn Store,
    before: Option<&FleetReading>,
) -> Result<FleetReading, holdfast_store::Error> {
    let at = store.now().await?;
    let first = first_day(at, DAYS);
    // The days from that of the last reading on may have changed.
    let since = before.map_or(first, |before| first_day(before.at.min(at), READ_AGAIN).max(first));
    let days = store.app_days(since, None).await?;
    Ok(FleetReading {
        at,
        apps: store.status().await?,
        days: merged(before.map(|before| &before.days), &days, DayRange { first, since }),
        subscriptions: store.subscriptions().await?,
        breakers: store.open_breakers().await?,
        checkpoints: store.checkpoints().await?,
        acts: acts(store).await?,
        approvals: approvals(store, at).await?,
        process_notes: store.processes().await?.iter().filter_map(status_notes::behind).collect(),
        minted: Arc::default(),
    })
}

/// The first day that is shown, and the first that was read again.
struct DayRange {
    first: Day,
    since: Day,
}

/// The days of the reading before, with those that were read again in their place.
fn merged(
    before: Option<&BTreeMap<AppId, Vec<DayMark>>>,
    days: &[AppDay],
    DayRange { first, since }: DayRange,
) -> BTreeMap<AppId, Vec<DayMark>> {
    let mut merged = before.cloned().unwrap_or_default();
    for marks in merged.values_mut() {
        marks.retain(|mark| (first..since).contains(&mark.day));
    }
    for day in days {
        match merged.get_mut(&day.app) {
            Some(marks) => marks.push(DayMark::from(day)),
            None => drop(merged.insert(day.app.clone(), vec![DayMark::from(day)])),
        }
    }
    merged.retain(|_, marks| !marks.is_empty());
    merged
}

/// The requests that wait for a second person.
async fn approvals(store: &dyn Store, at: Timestamp) -> Result<Vec<Approval>, holdfast_store::Error> {
    let mut found = store.approvals(at - LONGEST, APPROVALS).await?;
    found.retain(|approval| approval.is_pending(at));
    Ok(found)
}

/// What people did lately.
async fn acts(store: &dyn Store) -> Result<Vec<PersonAct>, holdfast_store::Error> {
    let events = store.acts(&ActFilter { before: None, most: ACTS }).await?;
    Ok(events.iter().filter_map(PersonAct::of).collect())
}
