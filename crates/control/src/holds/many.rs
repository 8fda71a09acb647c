//! Holds on backups of many apps: on the newest good one of each, added and removed together.

use std::collections::BTreeSet;

use holdfast_model::{Actor, AppId, BackupId, CatalogEntry, NewRun, Timestamp};
use holdfast_store::{RequestAnswer, RequestKey, Store};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{checked_reason, record};
use crate::app_resolver::{AppSelection, in_store};
use crate::inventory::KnownBackups;
use crate::restore::{Chosen, Wanted, choose};
use crate::selector::Selector;
use crate::views::actions::LeftOut;
use crate::{Error, ErrorKind};

/// Holds that are added or removed: on the newest good backup of each app, or all that its backups have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "select": { "policies": ["gold"] } }))]
pub struct ManyHolds {
    /// The apps.
    pub select: Selector,
    /// A point in time: the newest good backup of each app that is not newer is held.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Whether the holds of the apps are removed.
    #[serde(default)]
    pub release: bool,
}

/// The holds that will be added or removed.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct HoldsPlan {
    /// Whether they are removed.
    pub release: bool,
    /// The backups.
    pub backups: Vec<CatalogEntry>,
    /// Apps that are left out, each with the reason.
    pub left_out: Vec<LeftOut>,
}

/// Plans holds. An app without such a backup is left out with the reason.
pub async fn plan_holds(store: &dyn Store, request: &ManyHolds) -> Result<HoldsPlan, Error> {
    let mut plan = HoldsPlan { release: request.release, backups: Vec::new(), left_out: Vec::new() };
    let apps: Vec<AppId> = selected(store, &request.select).await?.into_iter().collect();
    let known = KnownBackups::of(store, &apps).await?;
    for app in apps {
        let entries = known.entries(&app);
        let found = if request.release {
            held(&app, entries.to_vec())
        } else {
            to_hold(&app, (entries, known.going(&app)), request.at).map(|entry| vec![entry])
        };
        match found {
            Ok(backups) => plan.backups.extend(backups),
            Err(error) => plan.left_out.push(LeftOut { app, why: error.to_string() }),
        }
    }
    Ok(plan)
}

/// Adds or removes the planned holds in one transaction, once for each key.
pub async fn change_holds(
    store: &dyn Store,
    plan: &HoldsPlan,
    (actor, reason): (&Actor, &str),
    request: Option<(&RequestKey, &str)>,
    rng: &mut fastrand::Rng,
) -> Result<RequestAnswer, Error> {
    let (held, now) = (!plan.release, store.now().await?);
    let reason = checked_reason(reason, held)?;
    let of_entry = |entry: &CatalogEntry| record(entry, (held, &reason), (actor, now), rng);
    let records: Vec<NewRun> = plan.backups.iter().map(of_entry).collect();
    let Some((key, answer)) = request else {
        store.add_runs(&records).await?;
        return Ok(RequestAnswer::New);
    };
    Ok(store.add_runs_once(key, answer, &records).await?)
}

/// The selected apps, also those that left the fleet where they are named.
async fn selected(store: &dyn Store, selector: &Selector) -> Result<BTreeSet<AppId>, Error> {
    let names = match selector.selection(store).await? {
        AppSelection::All => {
            let apps = store.status().await?.into_iter().filter(|status| !status.removed);
            return Ok(apps.map(|status| status.app).collect());
        }
        AppSelection::Named(names) => names,
    };
    let mut apps = BTreeSet::new();
    for name in names {
        apps.insert(match name.parse() {
            Ok(id) => id,
            Err(_) => in_store(store, &name).await?,
        });
    }
    Ok(apps)
}

/// The backup of an app that is held from now on.
fn to_hold(
    app: &AppId,
    known: (&[CatalogEntry], &BTreeSet<BackupId>),
    at: Option<Timestamp>,
) -> Result<CatalogEntry, Error> {
    let wanted = at.map_or(Wanted::Latest, Wanted::At);
    let Chosen::Known(entry) = choose(app, known, &wanted)? else {
        return Err(Error::new(ErrorKind::NotFound, "the catalog has no such backup"));
    };
    super::check_change(entry, true).map(|()| entry.clone())
}

/// The backups of an app that are held.
fn held(app: &AppId, mut entries: Vec<CatalogEntry>) -> Result<Vec<CatalogEntry>, Error> {
    entries.retain(|entry| entry.hold.is_some());
    if entries.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("no backup of {} is held", app.short_name())));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::tests::{at, entry};

    #[test]
    fn the_newest_good_backup_of_an_app_is_held_and_all_of_its_holds_are_removed() {
        let mut held_one = entry(3, "c.zip", 30);
        held_one.hold = Some("lawsuit".into());
        let (app, none) = (held_one.app.clone(), BTreeSet::new());
        let entries = [entry(1, "a.zip", 10), entry(2, "b.zip", 20), held_one];
        let chosen = |going: &BTreeSet<BackupId>, time| {
            to_hold(&app, (&entries, going), time)
                .map(|entry| entry.backup.id.0)
                .map_err(|error| error.to_string())
        };
        assert_eq!(chosen(&none, None), Err("backup 3 of shop is held already: lawsuit".to_owned()));
        assert_eq!(chosen(&none, Some(at(25))), Ok(2));
        assert_eq!(chosen(&[BackupId(2)].into(), Some(at(25))), Ok(1), "what is being deleted is not held");
        assert!(chosen(&none, Some(at(5))).unwrap_err().starts_with("no good backup of shop is from before"));
        let released = held(&app, entries.to_vec()).unwrap();
        assert_eq!(released.iter().map(|entry| entry.backup.id.0).collect::<Vec<_>>(), [3]);
        assert_eq!(held(&app, Vec::new()).unwrap_err().to_string(), "no backup of shop is held");
    }
}
