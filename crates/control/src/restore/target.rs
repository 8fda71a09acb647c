//! Where a restore goes, and whether it can go there.

use holdfast_model::{AppId, Site};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, tier};

/// The destination that a request names: the app itself where it names none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Another app, by its ARM id or short name.
    pub to: Option<String>,
    /// A deployment slot of the app.
    pub to_slot: Option<String>,
    /// A new app of this name, in the app's resource group.
    pub to_new: Option<String>,
}

/// Where a restore goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Aim {
    /// Over an existing app or slot.
    Over(AppId),
    /// Into a new app.
    New(AppId),
}

/// The target that a request names; `other` is the app of [`Destination::to`].
pub(super) fn aim(source: &AppId, to: &Destination, other: Option<&AppId>) -> Result<Aim, Error> {
    let beside = |site: &str, slot: Option<&str>| {
        AppId::new(source.subscription().as_str(), source.resource_group(), site, slot)
    };
    let target = match (other, to) {
        (Some(other), _) => other.clone(),
        (_, Destination { to_slot: Some(slot), .. }) if slot.eq_ignore_ascii_case("production") => {
            beside(source.site(), None)
        }
        (_, Destination { to_slot: Some(slot), .. }) => beside(source.site(), Some(slot)),
        (_, Destination { to_new: Some(name), .. }) => {
            is_site_name(name)?;
            return Ok(Aim::New(beside(name, None)));
        }
        _ => return Ok(Aim::Over(source.clone())),
    };
    if target == *source {
        let what = format!("{} would be restored into itself", source.short_name());
        let help = "to restore over the app itself, leave out --to and --to-slot, and give --overwrite";
        return Err(Error::new(ErrorKind::Invalid, what).help(help));
    }
    Ok(Aim::Over(target))
}

/// Refuses a name that Azure does not accept for an app: it becomes a host name.
fn is_site_name(name: &str) -> Result<(), Error> {
    let is_good = (2..=60).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if is_good {
        return Ok(());
    }
    let help = "it takes 2 to 60 letters, digits and hyphens, with no hyphen at either end";
    Err(Error::new(ErrorKind::Invalid, format!("`{name}` cannot be the name of an app")).help(help))
}

/// Refuses a target that Azure cannot restore into now.
pub(super) fn can_take(site: &Site) -> Result<(), Error> {
    let name = site.id.short_name();
    if let Some(tier) = site.tier.as_deref().filter(|tier| !tier::allows_backups(tier)) {
        let what = format!("{name} is in the tier {tier}, and Azure does not restore into that tier");
        return Err(Error::new(ErrorKind::Refused, what).help("move it to a Basic plan or better"));
    }
    let basic_slot = site.id.slot().and(site.tier.as_deref()).filter(|tier| !tier::allows_slots(tier));
    if let Some(tier) = basic_slot {
        let what = format!("{name} is a slot, and in the tier {tier} Azure restores only into production");
        return Err(Error::new(ErrorKind::Refused, what).help("move the plan to Standard or better"));
    }
    if let Some(operation) = &site.operation {
        let what = format!("Azure is at work on {name}: operation {operation}");
        return Err(Error::new(ErrorKind::Refused, what).help("wait until it has ended, then try again"));
    }
    Ok(())
}

/// Refuses to replace an app unless the request says so.
pub(super) fn may_replace(target: &AppId, overwrite: bool) -> Result<(), Error> {
    if overwrite {
        return Ok(());
    }
    let what = format!("{} exists, and a restore replaces everything in it", target.short_name());
    let help = "give --overwrite to replace it; --to-new NAME restores into a new app";
    Err(Error::new(ErrorKind::Conflict, what).help(help))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn app(site: &str, slot: Option<&str>) -> AppId {
        AppId::new("s", "g", site, slot)
    }

    fn aimed(to: &Destination) -> Result<Aim, String> {
        let other = to.to.as_deref().map(|name| app(name, None));
        aim(&app("shop", None), to, other.as_ref()).map_err(|failure| failure.to_string())
    }

    fn to(name: &str) -> Destination {
        Destination { to: Some(name.to_owned()), ..Destination::default() }
    }

    fn slot(name: &str) -> Destination {
        Destination { to_slot: Some(name.to_owned()), ..Destination::default() }
    }

    fn new(name: &str) -> Destination {
        Destination { to_new: Some(name.to_owned()), ..Destination::default() }
    }

    fn site(slot: Option<&str>, tier: &str) -> Site {
        Site {
            id: app("shop", slot),
            location: "westeurope".into(),
            plan: None,
            kind: None,
            state: None,
            tier: Some(tier.into()),
            operation: None,
            hosts: Vec::new(),
            tags: BTreeMap::new(),
        }
    }

    #[test]
    fn each_way_to_name_a_target_leads_there() {
        assert_eq!(aimed(&Destination::default()), Ok(Aim::Over(app("shop", None))));
        assert_eq!(aimed(&to("wiki")), Ok(Aim::Over(app("wiki", None))));
        assert_eq!(aimed(&slot("staging")), Ok(Aim::Over(app("shop", Some("staging")))));
        assert_eq!(aimed(&new("shop-2")), Ok(Aim::New(app("shop-2", None))));
    }

    #[test]
    fn an_app_is_not_restored_into_itself_by_naming_it_as_another() {
        for to in [to("shop"), slot("Production")] {
            assert_eq!(aimed(&to), Err("shop would be restored into itself".to_owned()));
        }
    }

    #[test]
    fn a_new_app_needs_a_name_that_azure_takes() {
        for name in ["a", "-shop", "shop-", "my shop", "shop_2", &"x".repeat(61)] {
            assert_eq!(aimed(&new(name)), Err(format!("`{name}` cannot be the name of an app")));
        }
    }

    #[test]
    fn what_azure_cannot_restore_into_is_refused() {
        assert!(
            can_take(&site(None, "Basic")).is_ok() && can_take(&site(Some("staging"), "Standard")).is_ok()
        );
        for (site, word) in [
            (site(None, "Free"), "tier Free"),
            (site(None, "Dynamic"), "tier Dynamic"),
            (site(Some("staging"), "Basic"), "is a slot"),
            (Site { operation: Some("o-1".into()), ..site(None, "Standard") }, "operation o-1"),
        ] {
            let refusal = can_take(&site).unwrap_err().to_string();
            assert!(refusal.contains(word), "{refusal}");
        }
        assert!(
            may_replace(&app("shop", None), true).is_ok() && may_replace(&app("shop", None), false).is_err()
        );
    }
}
