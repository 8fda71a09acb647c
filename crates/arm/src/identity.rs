//! Whether a backup in Azure's list matches a record.

use holdfast_model::{BackupFacts, BackupName};

use crate::Backup;

impl Backup {
    /// Whether this listed backup matches `recorded`.
    ///
    /// Azure numbers the backups of a recreated app from 1 again, so an equal id alone proves nothing: see
    /// [`is_stored_as`](Self::is_stored_as).
    pub fn is(&self, recorded: &BackupFacts) -> bool {
        self.id == recorded.id && self.is_stored_as(&recorded.blob)
    }

    /// Whether this listed backup is stored in `blob`, given that its id is the recorded one.
    ///
    /// The blob name decides where Azure returns it. Azure omits `.zip` until it writes the blob. The name decides where
    /// Azure returns no blob name, because the blob is named after it. Without either, the id is the only evidence and the
    /// answer is yes. The name of a Holdfast attempt also outweighs a different blob name: no two attempts share a name.
    /// Other names repeat: every backup of a native schedule has the name of the site.
    pub fn is_stored_as(&self, blob: &str) -> bool {
        let is_it = |listed: &str| stem(listed) == stem(blob);
        let same_name = self.name.as_deref().map(is_it);
        match self.blob_name.as_deref().map(is_it) {
            Some(same_blob) => same_blob || (same_name == Some(true) && blob.starts_with(BackupName::PREFIX)),
            None => same_name != Some(false),
        }
    }
}

impl Backup {
    /// The name under which Azure lists it: its name, or that of its blob; `None` where the response has neither.
    pub fn listed_name(&self) -> Option<&str> {
        self.name.as_deref().or_else(|| self.blob_name.as_deref().map(stem))
    }
}

fn stem(blob: &str) -> &str {
    blob.strip_suffix(".zip").unwrap_or(blob)
}

#[cfg(test)]
mod tests {
    use holdfast_model::{BackupId, BackupStatus, Timestamp};

    use super::*;

    const OURS: &str = "hf-shop-0a1b2c-1";

    fn listed(blob: Option<&str>, name: Option<&str>) -> Backup {
        Backup {
            name: name.map(str::to_owned),
            blob_name: blob.map(str::to_owned),
            ..Backup::new(BackupId(7), BackupStatus::Succeeded)
        }
    }

    #[test]
    fn the_blob_name_decides_with_and_without_its_extension() {
        for blob in ["nightly", "nightly.zip"] {
            for name in [None, Some("nightly"), Some("shop")] {
                assert!(listed(Some(blob), name).is_stored_as("nightly.zip"), "{blob} {name:?}");
                assert!(!listed(Some(blob), name).is_stored_as("weekly.zip"), "{blob} {name:?}");
            }
        }
    }

    /// The worker took any equal name for the backup and would have deleted another one; `verify` did not.
    #[test]
    fn a_repeated_name_does_not_outweigh_another_blob() {
        let scheduled = listed(Some("shop_202611280300.zip"), Some("shop"));
        assert!(!scheduled.is_stored_as("shop.zip"));
    }

    /// `verify` went by the blob name alone and reported the backup as lost; the worker deleted it.
    #[test]
    fn the_unique_name_of_an_attempt_outweighs_another_blob_name() {
        let in_folder = listed(Some(&format!("backups/{OURS}.zip")), Some(OURS));
        assert!(in_folder.is_stored_as(&format!("{OURS}.zip")));
    }

    /// The worker and `verify` both took it for the recorded backup.
    #[test]
    fn another_name_without_a_blob_name_is_another_backup() {
        for recorded in ["nightly.zip", &format!("{OURS}.zip")] {
            assert!(!listed(None, Some("weekly")).is_stored_as(recorded), "{recorded}");
        }
        assert!(listed(None, Some("nightly")).is_stored_as("nightly.zip"));
    }

    #[test]
    fn the_id_is_enough_where_azure_returns_neither_name() {
        assert!(listed(None, None).is_stored_as("nightly.zip"));
    }

    #[test]
    fn a_backup_is_named_after_its_blob_where_azure_returns_no_name() {
        assert_eq!(listed(Some("nightly.zip"), None).listed_name(), Some("nightly"));
        assert_eq!(listed(None, None).listed_name(), None);
    }

    #[test]
    fn another_id_is_another_backup_whatever_its_blob() {
        let recorded = |id| BackupFacts {
            id: BackupId(id),
            blob: "nightly.zip".into(),
            size_bytes: 1,
            accepted_at: Timestamp::UNIX_EPOCH,
            finished_at: None,
            databases: Vec::new(),
        };
        let backup = listed(Some("nightly.zip"), Some("nightly"));
        assert!(backup.is(&recorded(7)));
        assert!(!backup.is(&recorded(8)));
    }
}
