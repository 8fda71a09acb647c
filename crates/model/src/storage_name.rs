//! Storages whose container depends on the app: `weu/{app}` in a policy, `weu/shop` in a run.

use sha2::{Digest, Sha256};

use crate::{AppId, PolicySnapshot, StorageName};

/// What may stand in the name of a container.
pub const CONTAINER_PLACEHOLDERS: [&str; 4] = ["{app}", "{resource_group}", "{subscription}", "{slot}"];

/// The longest name of a container.
const LENGTH_MAX: usize = 63;

/// The shortest name of a container.
const LENGTH_MIN: usize = 3;

/// Digits that keep names apart which were made legal.
const DIGITS: usize = 8;

impl StorageName {
    /// The name of the container `container` of a section.
    #[must_use]
    pub fn with_container(&self, container: &str) -> Self {
        Self::new(format!("{}/{container}", self.section()))
    }

    /// The section of the fleet file, as in `[storage.weu]`.
    pub fn section(&self) -> &str {
        self.as_str().split_once('/').map_or(self.as_str(), |(section, _)| section)
    }

    /// The container, or its pattern, where the section has more than one.
    pub fn container(&self) -> Option<&str> {
        self.as_str().split_once('/').map(|(_, container)| container)
    }

    /// Whether its container depends on the app.
    pub fn depends_on_app(&self) -> bool {
        self.container().is_some_and(|container| container.contains('{'))
    }

    /// The storage of an app. A name without a placeholder stays.
    #[must_use]
    pub fn for_app(&self, app: &AppId) -> Self {
        match self.container().filter(|_| self.depends_on_app()) {
            Some(pattern) => self.with_container(&container_of(pattern, app)),
            None => self.clone(),
        }
    }
}

impl PolicySnapshot {
    /// The snapshot for an app: its storage has the app's container.
    #[must_use]
    pub fn for_app(&self, app: &AppId) -> Self {
        Self { storage: self.storage.for_app(app), ..self.clone() }
    }
}

/// The placeholders in a pattern that mean nothing.
pub fn unknown_placeholders(pattern: &str) -> Vec<String> {
    let mut rest = pattern.to_owned();
    for placeholder in CONTAINER_PLACEHOLDERS {
        rest = rest.replace(placeholder, "");
    }
    let unknown =
        rest.split('{').skip(1).map(|part| format!("{{{}", part.split_inclusive('}').next().unwrap_or(part)));
    let stray = (!rest.contains('{') && rest.contains('}')).then(|| "}".to_owned());
    unknown.chain(stray).collect()
}

/// The container of an app, by a pattern.
fn container_of(pattern: &str, app: &AppId) -> String {
    // With `{slot}` the site and the slot are apart; without, a slot has a container of its own.
    let name = if pattern.contains("{slot}") { app.site().to_owned() } else { app.short_name() };
    let text = pattern
        .replace("{app}", &name)
        .replace("{resource_group}", app.resource_group())
        .replace("{subscription}", app.subscription().as_str())
        .replace("{slot}", app.slot().unwrap_or("production"));
    legal(&text)
}

/// The text as the name of a container: lower case, digits and single hyphens.
///
/// A text that is no such name gets digits of its hash, so that two texts with the same letters stay apart.
fn legal(text: &str) -> String {
    let lower = text.to_lowercase();
    let letters: String =
        lower.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).collect();
    let parts: Vec<&str> = letters.split('-').filter(|part| !part.is_empty()).collect();
    let name = parts.join("-");
    if name == lower && (LENGTH_MIN..=LENGTH_MAX).contains(&name.len()) {
        return name;
    }
    let digest = Sha256::digest(lower.as_bytes());
    let digits: String =
        digest.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let cut: String = name.chars().take(LENGTH_MAX - DIGITS - 1).collect();
    match cut.trim_end_matches('-') {
        "" => format!("app-{digits}"),
        cut => format!("{cut}-{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn container(pattern: &str, app: &AppId) -> String {
        let name = StorageName::new("weu").with_container(pattern).for_app(app);
        assert_eq!(name.section(), "weu");
        name.container().unwrap().to_owned()
    }

    #[test]
    fn a_container_depends_on_the_app_by_its_placeholders() {
        let app = AppId::new("0a0a", "Shops", "Shop", None);
        let slot = AppId::new("0a0a", "Shops", "Shop", Some("staging"));
        for (pattern, of_app, of_slot) in [
            ("{app}", "shop", "shop-staging-0a7df691"),
            ("{app}-{slot}", "shop-production", "shop-staging"),
            ("bk-{resource_group}-{subscription}", "bk-shops-0a0a", "bk-shops-0a0a"),
            ("backups", "backups", "backups"),
        ] {
            assert_eq!(
                (container(pattern, &app).as_str(), container(pattern, &slot).as_str()),
                (of_app, of_slot)
            );
        }
        let plain = StorageName::new("weu");
        assert_eq!(
            (plain.for_app(&app), plain.depends_on_app(), plain.container()),
            (plain.clone(), false, None)
        );
    }

    #[test]
    fn names_that_are_cut_or_changed_stay_apart() {
        let named = |name: &str| container("{app}", &AppId::new("s", "g", name, None));
        let long = "a".repeat(62);
        for (one, other) in
            [("a_b", "a-b"), ("a--b", "a-b"), ("-a-b", "a-b-"), ("straße", "stra-e"), ("x", "x_")]
        {
            assert_ne!(named(one), named(other), "{one} {other}");
        }
        assert_ne!(named(&format!("{long}bc")), named(&format!("{long}bd")));
        assert_eq!(named("A-B"), "a-b");
        assert_eq!(named(&format!("{long}b")).len(), 63);
    }

    #[test]
    fn unknown_placeholders_are_found() {
        assert_eq!(unknown_placeholders("{app}-{slot}"), Vec::<String>::new());
        assert_eq!(unknown_placeholders("{name}-{app}-{x"), ["{name}", "{x"]);
        assert_eq!(unknown_placeholders("app}"), ["}"]);
    }

    proptest! {
        #[test]
        fn every_name_is_legal_and_the_same_each_time(site in "[\\p{L}0-9._()-]{1,90}", group in "[\\p{L}0-9._()-]{1,90}") {
            let app = AppId::new("0a0a", &group, &site, None);
            let name = container("{resource_group}-{app}", &app);
            prop_assert!((3..=63).contains(&name.len()), "{}", name);
            prop_assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
            prop_assert!(!name.starts_with('-') && !name.ends_with('-') && !name.contains("--"));
            prop_assert_eq!(&name, &container("{resource_group}-{app}", &app));
        }
    }
}
