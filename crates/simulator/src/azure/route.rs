//! Which operation of ARM a request asks for.

use holdfast_model::{AppId, BackupId, Call, SubscriptionId};

use crate::request::decode;
use crate::{Method, Request};

/// An operation and what it is about. A new operation is a variant here and a file in `operations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// GET `…/providers/Microsoft.Web/sites`.
    ListSites { subscription: SubscriptionId },
    /// GET on the app itself.
    GetSite { app: AppId },
    /// POST `…/backup`.
    Backup { app: AppId },
    /// GET `…/backups`.
    ListBackups { app: AppId },
    /// GET `…/backups/ID`.
    GetBackup { app: AppId, id: BackupId },
}

impl Route {
    /// `None` for what ARM does not do.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let parts: Vec<String> = request.path.split('/').skip(1).map(decode).collect();
        let is =
            |i: usize, word: &str| parts.get(i).is_some_and(|part: &String| part.eq_ignore_ascii_case(word));
        if parts.len() == 5 && is(2, "providers") && is(3, "microsoft.web") && is(4, "sites") {
            let subscription = SubscriptionId::new(&parts[1]);
            return (request.method == Method::Get).then_some(Self::ListSites { subscription });
        }
        let app_parts = if is(8, "slots") { 10 } else { 8 };
        let app: AppId = format!("/{}", parts.get(..app_parts)?.join("/")).parse().ok()?;
        let rest: Vec<String> = parts[app_parts..].iter().map(|part| part.to_ascii_lowercase()).collect();
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (request.method, rest.as_slice()) {
            (Method::Get, []) => Some(Self::GetSite { app }),
            (Method::Post, ["backup"]) => Some(Self::Backup { app }),
            (Method::Get, ["backups"]) => Some(Self::ListBackups { app }),
            (Method::Get, ["backups", id]) => Some(Self::GetBackup { app, id: BackupId(id.parse().ok()?) }),
            _ => None,
        }
    }

    /// The word in counters.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ListSites { .. } => "list_sites",
            Self::GetSite { .. } => "get_site",
            Self::Backup { .. } => "backup",
            Self::ListBackups { .. } => "list_backups",
            Self::GetBackup { .. } => "get_backup",
        }
    }

    /// Which bucket pays.
    pub(super) fn call(&self) -> Call {
        if self.starts() { Call::Write } else { Call::Read }
    }

    /// Does it start something?
    pub(super) fn starts(&self) -> bool {
        matches!(self, Self::Backup { .. })
    }

    /// The app it is about.
    pub(super) fn app(&self) -> Option<&AppId> {
        match self {
            Self::ListSites { .. } => None,
            Self::GetSite { app }
            | Self::Backup { app }
            | Self::ListBackups { app }
            | Self::GetBackup { app, .. } => Some(app),
        }
    }

    /// Whose buckets pay.
    pub(super) fn subscription(&self) -> &SubscriptionId {
        match self {
            Self::ListSites { subscription } => subscription,
            Self::GetSite { app }
            | Self::Backup { app }
            | Self::ListBackups { app }
            | Self::GetBackup { app, .. } => app.subscription(),
        }
    }
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
                (Method::Get, "/backups/17", "get_backup"),
            ] {
                assert_eq!(route(method, &format!("{app}{suffix}")), Some(name), "{app}{suffix}");
            }
        }
        let sites = "/subscriptions/0A/providers/Microsoft.Web/sites?api-version=1";
        assert_eq!(route(Method::Get, sites), Some("list_sites"));
    }

    #[test]
    fn what_arm_does_not_do_has_no_route() {
        for (method, target) in [
            (Method::Get, "/subscriptions".to_owned()),
            (Method::Get, format!("{SHOP}/backup")),
            (Method::Post, format!("{SHOP}/backups")),
            (Method::Get, format!("{SHOP}/backups/x")),
            (Method::Get, format!("{SHOP}/backups/1/2")),
            (Method::Get, format!("{SHOP}/slots")),
            (Method::Get, format!("{SHOP}/slots/")),
            (Method::Get, "/subscriptions/0A/resourceGroups/%2F/providers/Microsoft.Web/sites/x".to_owned()),
        ] {
            assert_eq!(route(method, &target), None, "{target}");
        }
    }
}
