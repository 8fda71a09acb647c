//! Which backup is restored.

use std::collections::BTreeSet;

use holdfast_model::{AppId, BackupId, CatalogEntry, Timestamp, format_timestamp};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// The backup that a request names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// The backup with this number.
    Id(BackupId),
    /// The newest good backup.
    Latest,
    /// The newest good backup that is not newer than this.
    At(Timestamp),
    /// A blob, whether or not Azure's list has it.
    Blob(String),
}

/// Where the requested backup can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen<'a> {
    /// In the catalog.
    Known(&'a CatalogEntry),
    /// In Azure's list, or nowhere.
    Listed(BackupId),
    /// In storage, or nowhere.
    Blob(&'a str),
}

/// Chooses among the entries of the app's catalog, without those in `going`, which a run deletes.
pub fn choose<'a>(
    app: &AppId,
    (entries, going): (&'a [CatalogEntry], &BTreeSet<BackupId>),
    wanted: &'a Wanted,
) -> Result<Chosen<'a>, Error> {
    let name = app.short_name();
    let newest = |takes: &dyn Fn(&CatalogEntry) -> bool| {
        newest(entries, |entry| !going.contains(&entry.backup.id) && takes(entry)).map(Chosen::Known)
    };
    let none = |what: String| Error::new(ErrorKind::NotFound, what).help(others(app, entries));
    match wanted {
        Wanted::Blob(blob) => Ok(Chosen::Blob(blob)),
        Wanted::Id(id) if going.contains(id) => Err(deleted_now(app, *id)),
        Wanted::Id(id) => match entries.iter().find(|entry| entry.backup.id == *id) {
            Some(entry) => there(app, entry).map(Chosen::Known),
            None => Ok(Chosen::Listed(*id)),
        },
        Wanted::Latest => newest(&|_| true).ok_or_else(|| none(format!("no good backup of {name} is known"))),
        Wanted::At(at) => {
            let newest = newest(&|entry| entry.backup.accepted_at <= *at);
            let at = format_timestamp(*at);
            newest.ok_or_else(|| none(format!("no good backup of {name} is from before {at}")))
        }
    }
}

/// The error for a number that neither the catalog nor Azure knows.
pub fn nowhere(app: &AppId, entries: &[CatalogEntry], id: BackupId) -> Error {
    Error::new(ErrorKind::NotFound, format!("{} has no backup {id}", app.short_name()))
        .help(others(app, entries))
}

/// The error for a backup that a run deletes.
fn deleted_now(app: &AppId, id: BackupId) -> Error {
    let name = app.short_name();
    let what = format!("backup {id} of {name} is being deleted");
    let help =
        format!("`holdfast history {name} --kind delete` shows by which run; `--latest` takes another");
    Error::new(ErrorKind::Conflict, what).help(help)
}

fn there<'a>(app: &AppId, entry: &'a CatalogEntry) -> Result<&'a CatalogEntry, Error> {
    let Some(gone) = entry.removal else { return Ok(entry) };
    let how = if gone.deleted { "was deleted" } else { "was found missing" };
    let (id, at) = (entry.backup.id, format_timestamp(gone.at));
    let what = format!("backup {id} of {} {how} at {at}", app.short_name());
    Err(Error::new(ErrorKind::NotFound, what)
        .help("`--latest` takes the newest good one that is still there"))
}

fn newest(entries: &[CatalogEntry], takes: impl Fn(&CatalogEntry) -> bool) -> Option<&CatalogEntry> {
    let candidates = entries.iter().filter(|entry| entry.good && entry.removal.is_none() && takes(entry));
    candidates.max_by_key(|entry| (entry.backup.accepted_at, entry.backup.id))
}

/// Advice: the backups that could be restored instead.
fn others(app: &AppId, entries: &[CatalogEntry]) -> String {
    let mut there: Vec<&CatalogEntry> = entries.iter().filter(|entry| entry.removal.is_none()).collect();
    there.sort_by_key(|entry| std::cmp::Reverse((entry.backup.accepted_at, entry.backup.id)));
    let listed = there.iter().take(3).map(|entry| {
        let quality = if entry.good { "" } else { ", not good" };
        format!("{} from {}{quality}", entry.backup.id, format_timestamp(entry.backup.accepted_at))
    });
    let listed: Vec<String> = listed.collect();
    if listed.is_empty() {
        let name = app.short_name();
        return format!(
            "none is known here: `holdfast backup {name} --wait` takes one, `holdfast backups list {name}` shows what Azure has"
        );
    }
    format!("the newest that are there: {}", listed.join("; "))
}

#[cfg(test)]
mod tests {
    use holdfast_model::{BackupFacts, Origin, Removal, RunId, StorageName};

    use super::*;
    use crate::error::rendered;

    fn app() -> AppId {
        AppId::new("s", "g", "shop", None)
    }

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_timestamp(hour * 3_600, 0).unwrap()
    }

    /// A backup taken at this hour, which is its number too.
    fn entry(hour: i64, good: bool, removed: bool) -> CatalogEntry {
        CatalogEntry {
            app: app(),
            run: RunId::new(at(hour), &mut fastrand::Rng::with_seed(1)),
            policy: None,
            storage: StorageName::new("weu"),
            backup: BackupFacts {
                id: BackupId(hour),
                blob: format!("b{hour}.zip"),
                size_bytes: 7,
                accepted_at: at(hour),
                finished_at: None,
                databases: Vec::new(),
            },
            origin: Origin::Succeeded,
            good,
            sas: None,
            hold: None,
            removal: removed.then(|| Removal { at: at(99), deleted: true }),
            last_failure_at: None,
            verified_at: None,
            drill: None,
            change: None,
        }
    }

    fn entries() -> [CatalogEntry; 4] {
        [entry(4, true, true), entry(3, false, false), entry(2, true, false), entry(1, true, false)]
    }

    /// The number of the entry, or the next question.
    fn chosen(wanted: &Wanted) -> Result<String, String> {
        chosen_of(wanted, &[])
    }

    fn chosen_of(wanted: &Wanted, going: &[i64]) -> Result<String, String> {
        let going = going.iter().copied().map(BackupId).collect();
        match choose(&app(), (&entries(), &going), wanted) {
            Ok(Chosen::Known(entry)) => Ok(entry.backup.id.to_string()),
            Ok(Chosen::Listed(id)) => Ok(format!("ask for {id}")),
            Ok(Chosen::Blob(blob)) => Ok(format!("look into {blob}")),
            Err(failure) => Err(rendered(&failure)),
        }
    }

    #[test]
    fn the_newest_is_good_and_still_there() {
        assert_eq!(chosen(&Wanted::Latest), Ok("2".to_owned()));
        assert_eq!(chosen(&Wanted::At(at(2))), Ok("2".to_owned()));
        assert_eq!(chosen(&Wanted::At(at(2) - std::time::Duration::from_secs(1))), Ok("1".to_owned()));
    }

    #[test]
    fn one_that_is_named_need_not_be_good_but_must_be_there() {
        assert_eq!(chosen(&Wanted::Id(BackupId(3))), Ok("3".to_owned()));
        let refusal = chosen(&Wanted::Id(BackupId(4))).unwrap_err();
        assert!(
            refusal.starts_with("error: backup 4 of shop was deleted at 1970-01-05T03:00:00"),
            "{refusal}"
        );
    }

    #[test]
    fn one_that_is_being_deleted_is_not_restored() {
        assert_eq!(chosen_of(&Wanted::Latest, &[2]), Ok("1".to_owned()));
        assert_eq!(chosen_of(&Wanted::At(at(2)), &[2]), Ok("1".to_owned()));
        let refusal = chosen_of(&Wanted::Id(BackupId(2)), &[2]).unwrap_err();
        assert!(refusal.starts_with("error: backup 2 of shop is being deleted\nhelp: "), "{refusal}");
        assert!(chosen_of(&Wanted::Latest, &[1, 2]).is_err());
    }

    #[test]
    fn checks_that_only_azure_can_make_are_left_to_azure() {
        assert_eq!(chosen(&Wanted::Id(BackupId(7))), Ok("ask for 7".to_owned()));
        assert_eq!(chosen(&Wanted::Blob("b4.zip".into())), Ok("look into b4.zip".to_owned()));
    }

    #[test]
    fn where_there_is_none_the_others_are_named() {
        let refusal = chosen(&Wanted::At(at(0))).unwrap_err();
        assert!(refusal.contains("no good backup of shop is from before 1970-01-01T00:00:00"), "{refusal}");
        assert!(refusal.contains("the newest that are there: 3 from 1970-01-01T03:00:00"), "{refusal}");
        assert!(refusal.contains(", not good; 2 from"), "{refusal}");
        let refusal = rendered(&nowhere(&app(), &[], BackupId(5)));
        assert!(refusal.starts_with("error: shop has no backup 5\nhelp: none is known here"), "{refusal}");
        assert!(
            refusal.contains("`holdfast backup shop --wait` takes one") && !refusal.contains("--blob"),
            "{refusal}"
        );
    }
}
