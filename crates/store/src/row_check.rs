//! Compares the rows of a store with what the audit's events say that they hold.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{AppId, CatalogEntry, Run, RunId, Timestamp};

use crate::columns::json;
use crate::error::Result;
use crate::filter::CatalogFilter;
use crate::replay::{Enrolment, Replay};
use crate::rules::instructions::Instructions;
use crate::run_rows::RunRow;
use crate::status::{AppStatus, Pause};
use crate::store::Store;

/// Events, or rows, that are read at once.
const PAGE: u32 = 2_000;

/// Times that a difference is looked at again while the store is written to.
const TRIES: usize = 10;

/// Each difference between the rows and the events, as a sentence. A store in use is read in order: a difference counts only
/// while no event follows.
pub async fn row_differences(store: &dyn Store) -> Result<Vec<String>> {
    let mut walk = Walk { store, replay: Replay::default(), seq: 0 };
    walk.catch_up().await?;
    let mut differences = walk.replay.illegal().to_vec();
    differences.extend(walk.runs().await?);
    differences.extend(walk.catalog().await?);
    differences.extend(walk.enrolments().await?);
    Ok(differences)
}

struct Walk<'a> {
    store: &'a dyn Store,
    replay: Replay,
    /// The last event that the replay has.
    seq: i64,
}

impl Walk<'_> {
    /// Replays the events that follow. Returns whether there were any.
    async fn catch_up(&mut self) -> Result<bool> {
        let before = self.seq;
        loop {
            let events = self.store.audit(self.seq, PAGE).await?;
            let Some(last) = events.last() else { return Ok(self.seq > before) };
            self.seq = last.link.seq;
            let ids: BTreeSet<RunId> = events.iter().map(|event| event.run_id).collect();
            let rows = self.store.run_rows(&ids.into_iter().collect::<Vec<_>>()).await?;
            let rows: BTreeMap<RunId, Run> = rows.into_iter().map(|row| (row.run.id, row.run)).collect();
            for event in &events {
                self.replay.add(event, rows.get(&event.run_id));
            }
        }
    }

    async fn runs(&mut self) -> Result<Vec<String>> {
        let mut unseen: BTreeSet<RunId> = self.replay.runs().collect();
        let (mut odd, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.run_page(after, PAGE).await?;
            for row in &page.rows {
                unseen.remove(&row.run.id);
                if self.of_run(row.run.id, Some(row)).is_some() {
                    odd.push(row.run.id);
                }
            }
            if page.last.is_none() {
                break;
            }
            after = page.last;
        }
        let mut differences = Vec::new();
        for id in odd.into_iter().chain(unseen) {
            for _ in 0..TRIES {
                self.catch_up().await?;
                let row = self.store.run_rows(&[id]).await?.pop();
                if !self.catch_up().await? {
                    differences.extend(self.of_run(id, row.as_ref()));
                    break;
                }
            }
        }
        Ok(differences)
    }

    fn of_run(&self, id: RunId, row: Option<&RunRow>) -> Option<String> {
        let odd = row.map(|row| row.odd_columns.as_slice()).unwrap_or_default();
        let found = self.replay.run_difference(id, row.map(|row| &row.run));
        let columns =
            (!odd.is_empty()).then(|| format!("run {id}: its state contradicts {}", odd.join(", ")));
        found.or(columns)
    }

    async fn catalog(&mut self) -> Result<Vec<String>> {
        let mut unseen: BTreeSet<AppId> = self.replay.apps().cloned().collect();
        let (mut odd, mut after) = (Vec::new(), None);
        loop {
            let filter =
                CatalogFilter { after, with_removed: true, most_apps: 200, ..CatalogFilter::default() };
            let page = self.store.catalog(&filter).await?;
            for rows in page.chunk_by(|one, next| one.app == next.app) {
                unseen.remove(&rows[0].app);
                if !self.replay.catalog_differences(&rows[0].app, rows).is_empty() {
                    odd.push(rows[0].app.clone());
                }
            }
            after = page.last().map(|row| row.app.clone());
            if after.is_none() {
                break;
            }
        }
        let mut differences = Vec::new();
        for app in odd.into_iter().chain(unseen) {
            differences.extend(self.of_app(app).await?);
        }
        Ok(differences)
    }

    async fn of_app(&mut self, app: AppId) -> Result<Vec<String>> {
        let filter = CatalogFilter { app: Some(app.clone()), with_removed: true, ..CatalogFilter::default() };
        for _ in 0..TRIES {
            self.catch_up().await?;
            let rows: Vec<CatalogEntry> = self.store.catalog(&filter).await?;
            if !self.catch_up().await? {
                return Ok(self.replay.catalog_differences(&app, &rows));
            }
        }
        Ok(Vec::new())
    }

    async fn enrolments(&mut self) -> Result<Vec<String>> {
        for _ in 0..TRIES {
            self.catch_up().await?;
            let (rows, now) = (self.store.status().await?, self.store.now().await?);
            if !self.catch_up().await? {
                let differences = enrolments(self.replay.enrolments(), &rows);
                let instructions =
                    rows.iter().filter_map(|row| instructed(self.replay.instructions(), row, now));
                return Ok(differences.into_iter().chain(instructions).collect());
            }
        }
        Ok(Vec::new())
    }
}

/// What is wrong with the pause and the acknowledgement of an app, given what the events say.
fn instructed(events: &Instructions, row: &AppStatus, now: Timestamp) -> Option<String> {
    // A pause that ends while the rows are read is in neither.
    let in_force = |pause: Option<&Pause>| pause.map(Pause::window).filter(|pause| pause.until > now);
    let pauses = [in_force(row.pause.as_ref()), in_force(events.pauses.get(&row.app))];
    let told = [row.acknowledged.as_ref(), events.acknowledgements.get(&row.app)]
        .map(|told| told.map(|told| (told.run_id, told.at)));
    let app = &row.app;
    if pauses[0] != pauses[1] {
        return Some(format!("the pause of {app} is not the one that its events say"));
    }
    (told[0] != told[1]).then(|| format!("the acknowledgement of {app} is not the one that its events say"))
}

fn enrolments(replayed: &BTreeMap<AppId, Enrolment>, rows: &[AppStatus]) -> Vec<String> {
    let of_row = |row: &AppStatus| {
        let AppStatus { app, policy, tags, paused, removed, .. } = row.clone();
        (app, Enrolment { policy, tags, paused, removed })
    };
    let rows: BTreeMap<AppId, Enrolment> = rows.iter().map(of_row).collect();
    let text = |enrolment: Option<&Enrolment>| match enrolment {
        None => "not enrolled".to_owned(),
        Some(Enrolment { removed: true, .. }) => "not in the fleet any more".to_owned(),
        Some(Enrolment { policy, paused, .. }) => {
            let policy =
                policy.as_ref().map_or("in no policy".to_owned(), |name| format!("in policy `{name}`"));
            if *paused { format!("{policy}, paused") } else { policy }
        }
    };
    let apps: BTreeSet<&AppId> = replayed.keys().chain(rows.keys()).collect();
    let difference = |app: &AppId| {
        let both = [rows.get(app), replayed.get(app)];
        let [row, events] = both.map(text);
        if row != events {
            return Some(format!("{app} is {row}, and its events say {events}"));
        }
        let [row, events] =
            both.map(|enrolment| enrolment.map(|enrolment| json(&enrolment.tags)).unwrap_or_default());
        (row != events).then(|| format!("the tags of {app} are {row}, and its events say {events}"))
    };
    apps.into_iter().filter_map(difference).collect()
}
