//! The calls by name.

use holdfast_model::Call;

/// A call of the trait [`Arm`](crate::Arm).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Operation {
    /// GET of the subscriptions of a credential.
    ListSubscriptions,
    /// GET of the sites of a subscription.
    ListSites,
    /// GET of the slots of a site.
    ListSlots,
    /// GET of one site.
    GetSite,
    /// POST that starts a backup.
    Backup,
    /// GET of one backup.
    GetBackup,
    /// GET of the backups of an app.
    ListBackups,
    /// POST that lists the backups of an app.
    ListSiteBackups,
    /// DELETE of a backup.
    DeleteBackup,
    /// POST that reads or replaces a backup's secrets.
    BackupSecrets,
    /// POST that starts a restore.
    Restore,
    /// POST that starts a restore from a blob.
    RestoreFromBlob,
    /// POST that reads what a blob holds.
    Discover,
    /// GET of the status of an operation.
    GetOperation,
    /// GET of the credential's rights on an app.
    GetPermissions,
    /// POST that reads the native schedule of an app.
    GetSchedule,
    /// PUT of a native schedule.
    PutSchedule,
    /// DELETE of a native schedule.
    DeleteSchedule,
}

impl Operation {
    /// The name in metrics, spans and logs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The kind of ARM's budget that it draws on.
    pub fn call(self) -> Call {
        match self {
            Self::Backup
            | Self::ListSiteBackups
            | Self::BackupSecrets
            | Self::Restore
            | Self::RestoreFromBlob
            | Self::Discover
            | Self::GetSchedule
            | Self::PutSchedule => Call::Write,
            Self::DeleteBackup | Self::DeleteSchedule => Call::Delete,
            Self::ListSubscriptions
            | Self::ListSites
            | Self::ListSlots
            | Self::GetSite
            | Self::GetBackup
            | Self::ListBackups
            | Self::GetOperation
            | Self::GetPermissions => Call::Read,
        }
    }

    /// Whether it changes something at Azure. Where its answer is lost, the change may have been made.
    pub fn is_mutating(self) -> bool {
        match self {
            Self::Backup
            | Self::DeleteBackup
            | Self::BackupSecrets
            | Self::Restore
            | Self::RestoreFromBlob
            | Self::PutSchedule
            | Self::DeleteSchedule => true,
            Self::ListSubscriptions
            | Self::ListSites
            | Self::ListSlots
            | Self::GetSite
            | Self::GetBackup
            | Self::ListBackups
            | Self::ListSiteBackups
            | Self::Discover
            | Self::GetOperation
            | Self::GetPermissions
            | Self::GetSchedule => false,
        }
    }

    /// The start of an error's text, before the name of the subject.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::ListSubscriptions => "list the subscriptions of",
            Self::ListSites => "list the sites of",
            Self::ListSlots => "list the slots of",
            Self::GetSite | Self::GetBackup => "look at",
            Self::Backup => "start a backup of",
            Self::ListBackups | Self::ListSiteBackups => "list the backups of",
            Self::DeleteBackup => "delete",
            Self::BackupSecrets => "ask for the SAS of",
            Self::Restore => "start a restore into",
            Self::RestoreFromBlob => "start a restore from a blob into",
            Self::Discover => "look into a blob for",
            Self::GetPermissions => "ask for the rights at",
            Self::GetOperation => "follow an operation of",
            Self::GetSchedule => "look at azure's own schedule of",
            Self::PutSchedule => "set azure's own schedule of",
            Self::DeleteSchedule => "take away azure's own schedule of",
        }
    }

    /// The longest accepted response body: 4 MiB for one item, 32 MiB for a page of a list, because a site takes about
    /// 8 KB and ARM chooses how many are on a page.
    pub(crate) fn response_bytes_max(self) -> usize {
        match self {
            Self::ListSites | Self::ListSlots | Self::ListBackups | Self::ListSiteBackups => 32 << 20,
            _ => 4 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Operation::*;
    use super::*;

    #[test]
    fn every_post_and_put_is_a_write_every_delete_a_delete_and_the_rest_reads() {
        for operation in [ListSites, ListSlots, GetSite, GetBackup, ListBackups, GetOperation, GetPermissions]
        {
            assert_eq!(operation.call(), Call::Read, "{operation}");
        }
        for operation in [Backup, ListSiteBackups, BackupSecrets, Restore, RestoreFromBlob, Discover] {
            assert_eq!(operation.call(), Call::Write, "{operation}");
        }
        assert_eq!([GetSchedule, PutSchedule].map(Operation::call), [Call::Write; 2]);
        assert_eq!([DeleteBackup, DeleteSchedule].map(Operation::call), [Call::Delete; 2]);
    }
}
