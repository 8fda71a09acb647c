//! The operation of ARM that a request calls.

use holdfast_model::{AppId, BackupId, Call, SubscriptionId};

use crate::request::decode;
use crate::{Method, Request};

/// An operation and its subject. A new operation is a variant here and a file in `operations`.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Route {
    /// GET `…/providers/Microsoft.Web/sites`.
    ListSites { subscription: SubscriptionId },
    /// GET `…/slots` of a site.
    ListSlots { app: AppId },
    /// GET on the app itself.
    GetSite { app: AppId },
    /// POST `…/backup`.
    Backup { app: AppId },
    /// GET `…/backups`.
    ListBackups { app: AppId },
    /// POST `…/listbackups`, and GET for its further pages.
    ListSiteBackups { app: AppId },
    /// GET `…/backups/ID`.
    GetBackup { app: AppId, id: BackupId },
    /// DELETE `…/backups/ID`.
    DeleteBackup { app: AppId, id: BackupId },
    /// POST `…/backups/ID/list`.
    BackupSecrets { app: AppId, id: BackupId },
    /// POST `…/backups/ID/restore`.
    Restore { app: AppId, id: BackupId },
    /// POST `…/restoreFromBackupBlob`.
    RestoreFromBlob { app: AppId },
    /// GET `…/operationresults/ID`.
    GetOperation { app: AppId, operation: String },
    /// POST `…/discoverbackup`, and PUT `…/backups/discover` in 2016.
    Discover { app: AppId },
    /// GET `…/providers/Microsoft.Authorization/permissions`.
    GetPermissions { app: AppId },
    /// POST `…/config/backup/list`.
    GetSchedule { app: AppId },
    /// PUT `…/config/backup`.
    PutSchedule { app: AppId },
    /// DELETE `…/config/backup`.
    DeleteSchedule { app: AppId },
}

impl Route {
    /// The operation of a request; `None` for an unknown one.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let parts: Vec<String> = request.path.split('/').skip(1).map(decode).collect();
        let is =
            |i: usize, word: &str| parts.get(i).is_some_and(|part: &String| part.eq_ignore_ascii_case(word));
        if parts.len() == 5 && is(2, "providers") && is(3, "microsoft.web") && is(4, "sites") {
            let subscription = SubscriptionId::new(&parts[1]);
            return (request.method == Method::Get).then_some(Self::ListSites { subscription });
        }
        let is_list = parts.len() == 9;
        let app_parts = if is(8, "slots") && !is_list { 10 } else { 8 };
        let app: AppId = format!("/{}", parts.get(..app_parts)?.join("/")).parse().ok()?;
        let rest: Vec<String> = parts[app_parts..].iter().map(|part| part.to_ascii_lowercase()).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (request.method, rest.as_slice()) {
            (Method::Get, []) => Some(Self::GetSite { app }),
            (Method::Get, ["slots"]) => Some(Self::ListSlots { app }),
            (Method::Post, ["backup"]) => Some(Self::Backup { app }),
            (Method::Get, ["backups"]) => Some(Self::ListBackups { app }),
            (Method::Post | Method::Get, ["listbackups"]) => Some(Self::ListSiteBackups { app }),
            (Method::Put, ["backups", "discover"]) | (Method::Post, ["discoverbackup"]) => {
                Some(Self::Discover { app })
            }
            (Method::Get, ["backups", id]) => Some(Self::GetBackup { app, id: number(id)? }),
            (Method::Delete, ["backups", id]) => Some(Self::DeleteBackup { app, id: number(id)? }),
            (Method::Post, ["backups", id, "list"]) => Some(Self::BackupSecrets { app, id: number(id)? }),
            (Method::Post, ["backups", id, "restore"]) => Some(Self::Restore { app, id: number(id)? }),
            (Method::Post, ["restorefrombackupblob"]) => Some(Self::RestoreFromBlob { app }),
            (Method::Get, ["operationresults", id]) => {
                Some(Self::GetOperation { app, operation: (*id).to_owned() })
            }
            (Method::Get, ["providers", "microsoft.authorization", "permissions"]) => {
                Some(Self::GetPermissions { app })
            }
            (Method::Post, ["config", "backup", "list"]) => Some(Self::GetSchedule { app }),
            (Method::Put, ["config", "backup"]) => Some(Self::PutSchedule { app }),
            (Method::Delete, ["config", "backup"]) => Some(Self::DeleteSchedule { app }),
            _ => None,
        }
    }

    /// The name in counters.
    pub(super) fn name(&self) -> &'static str {
        self.into()
    }

    /// The kind of bucket that it draws on. ARM counts a POST that reads as a write.
    pub(super) fn call(&self) -> Call {
        match self {
            Self::DeleteBackup { .. } | Self::DeleteSchedule { .. } => Call::Delete,
            _ if self.starts() || self.is_post_that_reads() => Call::Write,
            _ => Call::Read,
        }
    }

    /// Whether it is a POST that changes almost nothing. Its response reports another bucket in its header.
    pub(super) fn is_post_that_reads(&self) -> bool {
        matches!(
            self,
            Self::ListSiteBackups { .. }
                | Self::BackupSecrets { .. }
                | Self::Discover { .. }
                | Self::GetSchedule { .. }
        )
    }

    /// Whether it changes something.
    pub(super) fn starts(&self) -> bool {
        matches!(
            self,
            Self::Backup { .. }
                | Self::DeleteBackup { .. }
                | Self::BackupSecrets { .. }
                | Self::Restore { .. }
                | Self::RestoreFromBlob { .. }
                | Self::PutSchedule { .. }
                | Self::DeleteSchedule { .. }
        )
    }

    /// The app it is about, or the subscription.
    fn subject(&self) -> Result<&AppId, &SubscriptionId> {
        match self {
            Self::ListSites { subscription } => Err(subscription),
            Self::ListSlots { app }
            | Self::GetSite { app }
            | Self::Backup { app }
            | Self::ListBackups { app }
            | Self::ListSiteBackups { app }
            | Self::GetBackup { app, .. }
            | Self::DeleteBackup { app, .. }
            | Self::BackupSecrets { app, .. }
            | Self::Restore { app, .. }
            | Self::RestoreFromBlob { app }
            | Self::GetOperation { app, .. }
            | Self::Discover { app }
            | Self::GetPermissions { app }
            | Self::GetSchedule { app }
            | Self::PutSchedule { app }
            | Self::DeleteSchedule { app } => Ok(app),
        }
    }

    /// The subscription whose buckets it draws on.
    pub(super) fn subscription(&self) -> &SubscriptionId {
        match self.subject() {
            Ok(app) => app.subscription(),
            Err(subscription) => subscription,
        }
    }

    /// The app it is about.
    pub(super) fn app(&self) -> Option<&AppId> {
        self.subject().ok()
    }
}

fn number(id: &str) -> Option<BackupId> {
    id.parse().ok().map(BackupId)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = "/subscriptions/0A/resourceGroups/Rg/providers/Microsoft.Web/sites/Shop";

    fn route(method: Method, target: &str) -> Option<&'static str> {
        Route::of(&Request::new(method, target)).map(|route| route.name())
    }

    #[test]
    fn each_operation_is_found_for_sites_and_slots_in_any_case() {
        for app in [SHOP.to_owned(), SHOP.to_uppercase(), format!("{SHOP}/slots/staging")] {
            for (method, suffix, name) in [
                (Method::Get, "", "get_site"),
                (Method::Post, "/backup?api-version=1", "backup"),
                (Method::Get, "/Backups", "list_backups"),
                (Method::Post, "/listBackups", "list_site_backups"),
                (Method::Get, "/backups/17", "get_backup"),
                (Method::Delete, "/backups/17", "delete_backup"),
                (Method::Post, "/backups/17/list", "backup_secrets"),
                (Method::Post, "/backups/0/restore", "restore"),
                (Method::Post, "/restoreFromBackupBlob", "restore_from_blob"),
                (Method::Get, "/operationresults/a-b", "get_operation"),
                (Method::Post, "/discoverbackup", "discover"),
                (Method::Put, "/backups/discover", "discover"),
                (Method::Get, "/providers/Microsoft.Authorization/permissions", "get_permissions"),
                (Method::Post, "/config/backup/list", "get_schedule"),
                (Method::Put, "/config/backup", "put_schedule"),
                (Method::Delete, "/config/backup", "delete_schedule"),
            ] {
                assert_eq!(route(method, &format!("{app}{suffix}")), Some(name), "{app}{suffix}");
            }
        }
        let sites = "/subscriptions/0A/providers/Microsoft.Web/sites?api-version=1";
        assert_eq!(route(Method::Get, sites), Some("list_sites"));
        assert_eq!(route(Method::Get, &format!("{SHOP}/slots?api-version=1")), Some("list_slots"));
    }

    #[test]
    fn what_arm_does_not_do_has_no_route() {
        for (method, target) in [
            (Method::Get, "/subscriptions".to_owned()),
            (Method::Get, format!("{SHOP}/backup")),
            (Method::Post, format!("{SHOP}/backups")),
            (Method::Get, format!("{SHOP}/backups/x")),
            (Method::Get, format!("{SHOP}/backups/1/2")),
            (Method::Post, format!("{SHOP}/slots")),
            (Method::Get, format!("{SHOP}/slots/")),
            (Method::Get, "/subscriptions/0A/resourceGroups/%2F/providers/Microsoft.Web/sites/x".to_owned()),
        ] {
            assert_eq!(route(method, &target), None, "{target}");
        }
    }
}
