//! Where the backups of many apps go, each into a target of its own. Pure.

use std::collections::BTreeMap;

use holdfast_model::{AppId, fold_case};

use super::request::{APP, ManyTargets};
use crate::restore::target::{Aim, Destination, aim};
use crate::{Error, ErrorKind};

/// Where the backup of each app goes, or why it cannot go there.
///
/// Fails where two of the apps have the same target, or the target of one is another of them: what is meant is not clear.
pub(super) fn aims(apps: &[AppId], to: &ManyTargets) -> Result<Vec<Result<Aim, Error>>, Error> {
    let aims: Vec<Result<Aim, Error>> =
        apps.iter().map(|app| aim(app, &destination(app, to), None)).collect();
    let mut taken: BTreeMap<String, &AppId> = BTreeMap::new();
    for (app, aimed) in apps.iter().zip(&aims) {
        let Ok(aimed) = aimed else { continue };
        let (Aim::Over(target) | Aim::New(target)) = aimed;
        let (name, into) = (app.short_name(), target.short_name());
        if let Some(other) = taken.insert(key(aimed), app) {
            let what = format!("{} and {name} would both be restored into {into}", other.short_name());
            return Err(Error::new(ErrorKind::Invalid, what).help(TWO_TARGETS));
        }
        if target != app && apps.contains(target) {
            let what = format!("{name} would be restored into {into}, which is selected too");
            return Err(Error::new(ErrorKind::Invalid, what).help("leave out one of the two"));
        }
    }
    Ok(aims)
}

const TWO_TARGETS: &str = "put {app} into the name of the new app, or leave out one of the two";

fn destination(app: &AppId, to: &ManyTargets) -> Destination {
    let mut destination = Destination::default();
    match to {
        ManyTargets::InPlace | ManyTargets::Scratch => {}
        ManyTargets::Slot(slot) => destination.to_slot = Some(slot.clone()),
        ManyTargets::New(pattern) => {
            destination.to_new = Some(pattern.replace(APP, &app.short_name().replace('/', "-")));
        }
    }
    destination
}

/// What makes two targets the same: the name of a new app becomes a host name, which exists once.
fn key(aim: &Aim) -> String {
    match aim {
        Aim::Over(target) => target.to_string(),
        Aim::New(target) => fold_case(target.site()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(group: &str, site: &str, slot: Option<&str>) -> AppId {
        AppId::new("s", group, site, slot)
    }

    /// The targets as short names, or the reason why an app has none.
    fn aimed(apps: &[AppId], to: &ManyTargets) -> Result<Vec<String>, String> {
        let shown = |aim: Result<Aim, Error>| match aim {
            Ok(Aim::Over(target)) => target.short_name(),
            Ok(Aim::New(target)) => format!("new {}", target.short_name()),
            Err(error) => error.to_string(),
        };
        let aims = aims(apps, to).map_err(|error| error.to_string())?;
        Ok(aims.into_iter().map(shown).collect())
    }

    #[test]
    fn each_app_has_a_target_of_its_own() {
        let apps = [app("g", "shop", None), app("h", "wiki", None)];
        assert_eq!(aimed(&apps, &ManyTargets::InPlace).unwrap(), ["shop", "wiki"]);
        let slot = ManyTargets::Slot("staging".into());
        assert_eq!(aimed(&apps, &slot).unwrap(), ["shop/staging", "wiki/staging"]);
        let new = ManyTargets::New("{app}-restored".into());
        assert_eq!(aimed(&apps, &new).unwrap(), ["new shop-restored", "new wiki-restored"]);
        assert_eq!(aimed(&[app("g", "shop", Some("eu"))], &new).unwrap(), ["new shop-eu-restored"]);
    }

    #[test]
    fn a_name_that_azure_does_not_take_leaves_out_its_app_alone() {
        let apps = [app("g", "shop", None), app("g", &"w".repeat(55), None)];
        let aimed = aimed(&apps, &ManyTargets::New("{app}-restored".into())).unwrap();
        assert_eq!(aimed[0], "new shop-restored");
        assert!(aimed[1].ends_with("cannot be the name of an app"), "{}", aimed[1]);
        let slot = app("g", "shop", Some("staging"));
        let itself = super::aims(&[slot], &ManyTargets::Slot("staging".into())).unwrap();
        assert!(itself[0].as_ref().unwrap_err().to_string().contains("into itself"));
    }

    #[test]
    fn two_apps_with_the_same_target_are_refused_with_both_names() {
        let (shop, wiki) = (app("g", "shop", None), app("h", "wiki", None));
        let both = aimed(&[shop.clone(), wiki], &ManyTargets::New("restored".into())).unwrap_err();
        assert_eq!(both, "shop and wiki would both be restored into restored");
        // A host name exists once, whatever the resource group and the case.
        let (slot, site) = (app("g", "shop", Some("eu")), app("h", "Shop-EU", None));
        let both = aimed(&[slot, site], &ManyTargets::New("{app}-x".into())).unwrap_err();
        assert!(both.starts_with("shop/eu and shop-eu would both be restored into shop-eu-x"), "{both}");
        let staging = app("g", "shop", Some("staging"));
        let selected = aimed(&[shop, staging], &ManyTargets::Slot("staging".into())).unwrap_err();
        assert_eq!(selected, "shop would be restored into shop/staging, which is selected too");
    }
}
