//! The backups to which Azure gave one number, and how changes apply to them.
//!
//! Azure numbers the backups of a recreated app from 1 again, so that several backups of an app may have had one number.
//! Their generations count them in the order in which the catalog learnt of them.

use std::collections::BTreeMap;

use holdfast_model::{
    BackupChange, BackupFacts, BackupName, CatalogEntry, Origin, Removal, SasFacts, SasWindow, Timestamp,
};

use crate::audit::Placed;
use crate::columns::stamp;
use crate::rules::catalog_change::{CatalogChange, Caused, Listed, Subject};

/// An entry with its place among those of its number.
#[derive(Debug, Clone)]
pub(crate) struct StoredEntry {
    pub generation: i64,
    /// The last event from which it follows.
    pub event_seq: i64,
    pub entry: CatalogEntry,
}

/// The entries of one number, by generation from 1.
#[derive(Debug, Clone, Default)]
pub(crate) struct Generations(BTreeMap<i64, Followed>);

#[derive(Debug, Clone)]
struct Followed {
    event_seq: i64,
    entry: CatalogEntry,
}

impl Generations {
    pub fn insert(&mut self, StoredEntry { generation, event_seq, entry }: StoredEntry) {
        self.0.insert(generation, Followed { event_seq, entry });
    }

    /// Forgets the entry of a row that was set aside.
    pub fn remove(&mut self, generation: i64) {
        self.0.remove(&generation);
    }

    pub fn entries(&self) -> impl Iterator<Item = &CatalogEntry> {
        self.0.values().map(|followed| &followed.entry)
    }

    pub fn into_entries(self) -> impl Iterator<Item = StoredEntry> {
        let stored =
            |(generation, Followed { event_seq, entry })| StoredEntry { generation, event_seq, entry };
        self.0.into_iter().map(stored)
    }

    /// The entry of a blob, or else the current one: the newest that was not removed, or the newest. The statement
    /// `catalog_one` of the SQL stores has the same rule.
    pub fn find(&self, blob: Option<&str>) -> Option<&CatalogEntry> {
        self.0.get(&self.place(blob)?).map(|followed| &followed.entry)
    }

    fn place(&self, blob: Option<&str>) -> Option<i64> {
        let rank = |entry: &CatalogEntry| (Some(&*entry.backup.blob) == blob, entry.removal.is_none());
        let best = self.0.iter().max_by_key(|(generation, of)| (rank(&of.entry), **generation));
        best.map(|(generation, _)| *generation)
    }

    /// Applies a change. Only [`CatalogChange::Put`] and [`CatalogChange::Late`] add an entry; any other change of an
    /// unknown backup has no effect.
    pub fn apply(&mut self, Caused { change, seq }: Caused) {
        let mut edit = |of: &Subject, edit: &dyn Fn(CatalogEntry) -> CatalogEntry| self.edit(of, seq, edit);
        match change {
            CatalogChange::Put(new, at) => self.add(*new, Placed { seq, at }, over),
            CatalogChange::Late(new, at) => self.add(*new, Placed { seq, at }, completed),
            CatalogChange::Release(_) => self.release(seq),
            CatalogChange::Sas(of, sas) => edit(&of, &|old| CatalogEntry { sas: Some(sas.clone()), ..old }),
            CatalogChange::Hold(of, why) => edit(&of, &|old| CatalogEntry { hold: Some(why.clone()), ..old }),
            CatalogChange::Removal(of, removal) => edit(&of, &|old| removed(old, removal)),
            CatalogChange::Failure(of, at) => {
                edit(&of, &|old| CatalogEntry { last_failure_at: Some(at), ..old });
            }
            CatalogChange::Found(of, at) => edit(&of, &|old| found(old, at)),
            CatalogChange::Changed(of, listed) => edit(&of, &|old| changed(old, (*listed).clone())),
            CatalogChange::Drilled(of, at, passed) => {
                edit(&of, &|old| CatalogEntry { drill: Some((at, passed)), ..old });
            }
        }
    }

    fn edit(&mut self, of: &Subject, seq: i64, edit: &dyn Fn(CatalogEntry) -> CatalogEntry) {
        let Some(place) = self.place(of.blob.as_deref()) else { return };
        let is_it = |entry: &CatalogEntry| of.blob.as_ref().is_none_or(|blob| *blob == entry.backup.blob);
        if let Some(followed) = self.0.get_mut(&place).filter(|followed| is_it(&followed.entry)) {
            *followed = Followed { event_seq: seq, entry: kept(edit(followed.entry.clone())) };
        }
    }

    fn release(&mut self, seq: i64) {
        for followed in self.0.values_mut().filter(|followed| followed.entry.hold.is_some()) {
            (followed.event_seq, followed.entry.hold) = (seq, None);
        }
    }

    /// Adds an entry, or merges it with that of the same backup.
    fn add(
        &mut self,
        new: CatalogEntry,
        place: Placed,
        merge: impl FnOnce(CatalogEntry, CatalogEntry) -> CatalogEntry,
    ) {
        let new = kept(new);
        let same = self.0.iter().rfind(|(_, old)| is_same(&old.entry.backup, &new.backup));
        let generation = same.map(|(generation, _)| *generation);
        let next = self.0.last_key_value().map_or(1, |(last, _)| last + 1);
        let entry = match generation.and_then(|generation| self.0.remove(&generation)) {
            Some(old) => merge(old.entry, new),
            None => new,
        };
        self.0.insert(generation.unwrap_or(next), Followed { event_seq: place.seq, entry });
        self.mark_replaced(place);
    }

    /// Marks all but the newest as lost: Azure has one backup of a number.
    fn mark_replaced(&mut self, Placed { seq, at }: Placed) {
        let present = |entry: &CatalogEntry| entry.removal.is_none() && is_dated(entry);
        let dated = self.0.iter().filter(|(_, of)| present(&of.entry));
        let newest = dated.map(|(generation, of)| (of.entry.backup.accepted_at, *generation)).max();
        for (generation, Followed { event_seq, entry }) in &mut self.0 {
            if present(entry) && newest.is_some_and(|(_, newest)| newest != *generation) {
                entry.removal = Some(Removal { at: stamp(at), deleted: false });
                *event_seq = seq;
            }
        }
    }
}

/// Whether its recorded time is the one at which Azure accepted it, and not when an orphan was found.
fn is_dated(entry: &CatalogEntry) -> bool {
    entry.origin != Origin::Orphan || entry.backup.finished_at.is_some()
}

/// Whether two records are of one backup. Names of attempts never repeat; blobs of others may, as those of a native schedule
/// whose name Azure returns in place of its blob's.
fn is_same(one: &BackupFacts, other: &BackupFacts) -> bool {
    one.blob == other.blob
        && (one.blob.starts_with(BackupName::PREFIX) || one.accepted_at == other.accepted_at)
}

/// The entry after `new` says more about the same backup.
fn over(old: CatalogEntry, new: CatalogEntry) -> CatalogEntry {
    if worth(new.origin) < worth(old.origin) {
        return old;
    }
    CatalogEntry {
        sas: new.sas.or(old.sas),
        hold: old.hold,
        removal: old.removal,
        last_failure_at: old.last_failure_at,
        verified_at: new.verified_at.or(old.verified_at),
        drill: old.drill,
        ..new
    }
}

/// The entry after its late backup was found.
fn completed(old: CatalogEntry, new: CatalogEntry) -> CatalogEntry {
    CatalogEntry {
        backup: new.backup,
        good: old.good || new.good,
        verified_at: new.verified_at.or(old.verified_at),
        removal: old.removal.filter(|removal| removal.deleted),
        ..old
    }
}

/// The entry after its backup was removed. What Holdfast deleted stays deleted.
fn removed(old: CatalogEntry, removal: Removal) -> CatalogEntry {
    let known = old.removal.filter(|known| known.deleted || !removal.deleted);
    CatalogEntry { removal: known.or(Some(removal)), ..old }
}

/// The entry after its backup was found. One that changed counts again once its blob was read.
fn found(old: CatalogEntry, read_at: Option<Timestamp>) -> CatalogEntry {
    let removal = old.removal.filter(|removal| removal.deleted);
    let mut entry = CatalogEntry { verified_at: read_at.or(old.verified_at), removal, ..old };
    if let Some(change) = entry.change.as_mut().filter(|_| read_at.is_some()) {
        entry.good = change.good_once_verified.take().unwrap_or(entry.good);
    }
    entry
}

/// The entry after Azure listed its backup otherwise.
fn changed(old: CatalogEntry, Listed { at, backup, differences }: Listed) -> CatalogEntry {
    let good_once_verified = Some(old.good || old.is_good_once_verified());
    let change = Some(BackupChange { at, differences, good_once_verified });
    CatalogEntry { backup, good: false, verified_at: None, change, ..old }
}

/// Ranks origins: of two for one backup, the greater stays.
fn worth(origin: Origin) -> u8 {
    match origin {
        Origin::Orphan => 0,
        Origin::Attempt => 1,
        Origin::Partial => 2,
        Origin::TakenOver => 3,
        Origin::Succeeded => 4,
    }
}

/// An entry as a row holds it.
fn kept(entry: CatalogEntry) -> CatalogEntry {
    let removal = entry.removal.map(|removal| Removal { at: stamp(removal.at), ..removal });
    let window =
        |window: SasWindow| SasWindow { start: window.start.map(stamp), expiry: window.expiry.map(stamp) };
    let sas = entry.sas.map(|sas| SasFacts { window: window(sas.window), ..sas });
    let backup = BackupFacts {
        accepted_at: stamp(entry.backup.accepted_at),
        finished_at: entry.backup.finished_at.map(stamp),
        ..entry.backup
    };
    CatalogEntry {
        backup,
        sas,
        removal,
        last_failure_at: entry.last_failure_at.map(stamp),
        verified_at: entry.verified_at.map(stamp),
        drill: entry.drill.map(|(at, passed)| (stamp(at), passed)),
        change: entry.change.map(|change| BackupChange { at: stamp(change.at), ..change }),
        ..entry
    }
}
