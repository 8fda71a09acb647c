//! The operation of ARM that a request calls.

use holdfast_model::{AppId, BackupId, Call, SubscriptionId};

use crate::faults::CallKind;
use crate::request::decode;
use crate::{Method, Request};

/// An operation and its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// GET `/subscriptions`, which draws on a bucket of its own.
    ListSubscriptions { bucket: SubscriptionId },
    /// GET `…/providers/Microsoft.Web/sites`.
    ListSites { subscription: SubscriptionId },
    /// An operation on an app.
    App { app: AppId, operation: AppOperation },
}

/// An operation on an app. A new operation is a variant here and a file in `operations`.
#[derive(Debug, Clone, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub(super) enum AppOperation {
    /// GET `…/slots` of a site.
    ListSlots,
    /// GET on the app itself.
    GetSite,
    /// POST `…/backup`.
    Backup,
    /// GET `…/backups`.
    ListBackups,
    /// POST `…/listbackups`, and GET for its further pages.
    ListSiteBackups,
    /// GET `…/backups/ID`.
    GetBackup(BackupId),
    /// DELETE `…/backups/ID`.
    DeleteBackup(BackupId),
    /// POST `…/backups/ID/list`.
    BackupSecrets(BackupId),
    /// POST `…/backups/ID/restore`.
    Restore(BackupId),
    /// POST `…/restoreFromBackupBlob`.
    RestoreFromBlob,
    /// GET `…/operationresults/ID`.
    GetOperation(String),
    /// POST `…/discoverbackup`, and PUT `…/backups/discover` in 2016.
    Discover,
    /// GET `…/providers/Microsoft.Authorization/permissions`.
    GetPermissions,
    /// POST `…/config/backup/list`.
    GetSchedule,
    /// PUT `…/config/backup`.
    PutSchedule,
    /// DELETE `…/config/backup`.
    DeleteSchedule,
}

impl Route {
    /// The operation of a request; `None` for an unknown one.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let parts: Vec<String> = request.path.split('/').skip(1).map(decode).collect();
        let is =
            |i: usize, word: &str| parts.get(i).is_some_and(|part: &String| part.eq_ignore_ascii_case(word));
        if parts.len() == 1 && is(0, "subscriptions") {
            let bucket = SubscriptionId::new("tenant");
            return (request.method == Method::Get).then_some(Self::ListSubscriptions { bucket });
        }
        if parts.len() == 5 && is(2, "providers") && is(3, "microsoft.web") && is(4, "sites") {
            let subscription = SubscriptionId::new(&parts[1]);
            return (request.method == Method::Get).then_some(Self::ListSites { subscription });
        }
        let is_list = parts.len() == 9;
        let app_parts = if is(8, "slots") && !is_list { 10 } else { 8 };
        let app: AppId = format!("/{}", parts.get(..app_parts)?.join("/")).parse().ok()?;
        let rest: Vec<String> = parts[app_parts..].iter().map(|part| part.to_ascii_lowercase()).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        Some(Self::App { app, operation: AppOperation::of(request.method, &rest)? })
    }

    /// The name in counters.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ListSubscriptions { .. } => "list_subscriptions",
            Self::ListSites { .. } => "list_sites",
            Self::App { operation, .. } => operation.into(),
        }
    }

    /// The kind of bucket that it draws on. ARM counts a POST that reads as a write.
    pub(super) fn call(&self) -> Call {
        match self.operation() {
            Some(AppOperation::DeleteBackup(_) | AppOperation::DeleteSchedule) => Call::Delete,
            _ if self.starts() || self.is_post_that_reads() => Call::Write,
            _ => Call::Read,
        }
    }

    /// Whether it is a POST that changes almost nothing. Its response reports another bucket in its header.
    pub(super) fn is_post_that_reads(&self) -> bool {
        use AppOperation::{BackupSecrets, Discover, GetSchedule, ListSiteBackups};
        matches!(self.operation(), Some(ListSiteBackups | BackupSecrets(_) | Discover | GetSchedule))
    }

    /// Whether it changes something.
    pub(super) fn starts(&self) -> bool {
        use AppOperation::{
            Backup, BackupSecrets, DeleteBackup, DeleteSchedule, PutSchedule, Restore, RestoreFromBlob,
        };
        match self.operation() {
            Some(Backup | PutSchedule | DeleteSchedule | RestoreFromBlob) => true,
            Some(operation) => matches!(operation, DeleteBackup(_) | BackupSecrets(_) | Restore(_)),
            None => false,
        }
    }

    /// What it does, as far as its faults depend on it.
    pub(super) fn kind(&self) -> CallKind {
        match self.operation() {
            _ if self.starts() => CallKind::Changes,
            Some(AppOperation::GetBackup(_)) => CallKind::Polls,
            Some(AppOperation::ListBackups | AppOperation::ListSiteBackups) => CallKind::Lists,
            _ => CallKind::Reads,
        }
    }

    /// The subscription whose buckets it draws on.
    pub(super) fn subscription(&self) -> &SubscriptionId {
        match self {
            Self::ListSubscriptions { bucket } => bucket,
            Self::ListSites { subscription } => subscription,
            Self::App { app, .. } => app.subscription(),
        }
    }

    /// The app of the operation.
    pub(super) fn app(&self) -> Option<&AppId> {
        match self {
            Self::ListSubscriptions { .. } | Self::ListSites { .. } => None,
            Self::App { app, .. } => Some(app),
        }
    }

    fn operation(&self) -> Option<&AppOperation> {
        match self {
            Self::ListSubscriptions { .. } | Self::ListSites { .. } => None,
            Self::App { operation, .. } => Some(operation),
        }
    }
}

impl AppOperation {
    /// The operation of a method and the path below an app; `None` for an unknown one.
    fn of(method: Method, rest: &[&str]) -> Option<Self> {
        Some(match (method, rest) {
            (Method::Get, []) => Self::GetSite,
            (Method::Get, ["slots"]) => Self::ListSlots,
            (Method::Post, ["backup"]) => Self::Backup,
            (Method::Get, ["backups"]) => Self::ListBackups,
            (Method::Post | Method::Get, ["listbackups"]) => Self::ListSiteBackups,
            (Method::Put, ["backups", "discover"]) | (Method::Post, ["discoverbackup"]) => Self::Discover,
            (Method::Get, ["backups", id]) => Self::GetBackup(number(id)?),
            (Method::Delete, ["backups", id]) => Self::DeleteBackup(number(id)?),
            (Method::Post, ["backups", id, "list"]) => Self::BackupSecrets(number(id)?),
            (Method::Post, ["backups", id, "restore"]) => Self::Restore(number(id)?),
            (Method::Post, ["restorefrombackupblob"]) => Self::RestoreFromBlob,
            (Method::Get, ["operationresults", id]) => Self::GetOperation((*id).to_owned()),
            (Method::Get, ["providers", "microsoft.authorization", "permissions"]) => Self::GetPermissions,
            (Method::Post, ["config", "backup", "list"]) => Self::GetSchedule,
            (Method::Put, ["config", "backup"]) => Self::PutSchedule,
            (Method::Delete, ["config", "backup"]) => Self::DeleteSchedule,
            _ => return None,
        })
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
        assert_eq!(route(Method::Get, "/Subscriptions?api-version=1"), Some("list_subscriptions"));
        let sites = "/subscriptions/0A/providers/Microsoft.Web/sites?api-version=1";
        assert_eq!(route(Method::Get, sites), Some("list_sites"));
        assert_eq!(route(Method::Get, &format!("{SHOP}/slots?api-version=1")), Some("list_slots"));
    }

    #[test]
    fn what_arm_does_not_do_has_no_route() {
        for (method, target) in [
            (Method::Post, "/subscriptions".to_owned()),
            (Method::Get, "/subscriptions/0A".to_owned()),
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
