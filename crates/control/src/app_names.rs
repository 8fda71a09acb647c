//! Finds an app by its name.

use holdfast_config::nearest;
use holdfast_model::{AppId, fold_case};

use crate::{Error, ErrorKind};

const WHERE_APPS_ARE: &str =
    "`holdfast run` adds the apps of the fleet, and `holdfast apps discover` lists the apps of Azure";

/// The app that `text` names among `apps`: an ARM id, or a short name that only one of them has.
pub fn app(apps: &[AppId], text: &str) -> Result<AppId, Error> {
    if text.starts_with('/') {
        return by_id(apps, text);
    }
    let name = fold_case(text);
    let found: Vec<&AppId> = apps.iter().filter(|app| app.short_name() == name).collect();
    match found.as_slice() {
        [app] => Ok((*app).clone()),
        [] => Err(unknown(apps, text)),
        several => {
            let ids: Vec<String> = several.iter().map(|app| format!("  {app}")).collect();
            let what = format!("{} apps are called `{text}`:\n{}", several.len(), ids.join("\n"));
            Err(Error::new(ErrorKind::NotFound, what).help("name one of them by its ARM id"))
        }
    }
}

fn by_id(apps: &[AppId], text: &str) -> Result<AppId, Error> {
    let id: AppId = text.parse().map_err(|error| Error::new(ErrorKind::Invalid, format!("{error}")))?;
    if apps.contains(&id) {
        return Ok(id);
    }
    Err(Error::new(ErrorKind::NotFound, format!("{id} is not known here")).help(WHERE_APPS_ARE))
}

fn unknown(apps: &[AppId], text: &str) -> Error {
    let names: Vec<String> = apps.iter().map(AppId::short_name).collect();
    if apps.is_empty() {
        let what = format!("no app is known here yet, and so none called `{text}`");
        return Error::new(ErrorKind::NotFound, what).help(WHERE_APPS_ARE);
    }
    let error = Error::new(ErrorKind::NotFound, format!("no app that is known here is called `{text}`"));
    match nearest(text, names.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(WHERE_APPS_ARE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::rendered as render;

    fn apps() -> Vec<AppId> {
        [("g1", "shop", None), ("g1", "shop", Some("staging")), ("g1", "wiki", None), ("g2", "wiki", None)]
            .map(|(group, site, slot)| AppId::new("s", group, site, slot))
            .into()
    }

    #[test]
    fn an_app_is_found_by_its_short_name_or_its_id_in_any_case() {
        let apps = apps();
        assert_eq!(app(&apps, "Shop").unwrap(), apps[0]);
        assert_eq!(app(&apps, "shop/staging").unwrap(), apps[1]);
        assert_eq!(app(&apps, &apps[2].to_string().to_uppercase()).unwrap(), apps[2]);
    }

    #[test]
    fn a_name_that_two_apps_have_is_answered_with_both() {
        let text = render(&app(&apps(), "wiki").unwrap_err());
        assert!(text.starts_with("error: 2 apps are called `wiki`:\n"), "{text}");
        assert!(text.contains("resourceGroups/g1/") && text.contains("resourceGroups/g2/"), "{text}");
        assert!(text.ends_with("help: name one of them by its ARM id"), "{text}");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let message = |text| render(&app(&apps(), text).unwrap_err());
        assert_eq!(
            message("shup"),
            "error: no app that is known here is called `shup`\nhelp: did you mean `shop`?"
        );
        assert!(message("/shop").contains("is not the ARM id of an app"));
        assert!(message(&AppId::new("s", "g3", "wiki", None).to_string()).contains("is not known here"));
    }
}
