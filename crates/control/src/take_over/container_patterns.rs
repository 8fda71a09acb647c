//! Containers that follow from the names of their apps. Pure.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{AppId, StorageName};
use holdfast_storage::Container;

/// The placeholders that are tried, the most telling first. `{slot}` is none: `{app}` tells slots apart.
const PLACEHOLDERS: [&str; 3] = ["{app}", "{resource_group}", "{subscription}"];

/// The containers that apps write into.
#[derive(Debug, Default)]
pub struct UsedContainers<'a>(BTreeMap<String, (&'a Container, Vec<&'a AppId>)>);

/// A pattern below an account, such as `https://acct.blob.core.windows.net/{app}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern {
    /// The rank of its placeholder.
    rank: usize,
    /// The URL up to the container.
    account: String,
    /// The container with a placeholder.
    pub container: String,
}

impl<'a> UsedContainers<'a> {
    /// Adds a container of an app.
    pub fn add(&mut self, app: &'a AppId, container: &'a Container) {
        self.0.entry(container.to_string()).or_insert((container, Vec::new())).1.push(app);
    }

    /// The containers by their URL.
    pub fn containers(&self) -> impl Iterator<Item = (&String, &'a Container)> {
        self.0.iter().map(|(url, (container, _))| (url, *container))
    }

    /// Whether a pattern leads all apps of a container to it.
    pub fn follows(&self, url: &str, pattern: &Pattern) -> bool {
        self.0.get(url).is_some_and(|(container, apps)| {
            account(url) == pattern.account
                && apps.iter().all(|app| container_of(&pattern.container, app) == container.name())
        })
    }

    /// The patterns that several containers follow, by the URL of each of these.
    ///
    /// A container that one of its apps would not be led to keeps a section of its own: nothing is guessed.
    pub fn patterns(&self) -> BTreeMap<String, Pattern> {
        let mut followers: BTreeMap<Pattern, BTreeSet<&String>> = BTreeMap::new();
        for (url, (container, apps)) in self.0.iter().filter(|(_, (container, _))| container.names_account())
        {
            for pattern in apps.iter().flat_map(|app| candidates(url, container.name(), app)) {
                if self.follows(url, &pattern) {
                    followers.entry(pattern).or_default().insert(url);
                }
            }
        }
        let mut found = BTreeMap::new();
        loop {
            // The first of the most: patterns are in the order of their placeholders.
            let most = followers.iter().rev().max_by_key(|(_, urls)| urls.len());
            let Some((pattern, urls)) = most.filter(|(_, urls)| urls.len() > 1) else { return found };
            let (pattern, urls) = (pattern.clone(), urls.clone());
            for others in followers.values_mut() {
                others.retain(|url| !urls.contains(url));
            }
            found.extend(urls.into_iter().map(|url| (url.clone(), pattern.clone())));
        }
    }
}

impl Pattern {
    /// The pattern of a section of a fleet file, whose container is that of a made-up app.
    pub fn of(container: &Container, pattern: &str) -> Self {
        let account = account(&container.to_string()).to_owned();
        Self { rank: 0, account, container: pattern.to_owned() }
    }

    /// The pattern as the URL of a container.
    pub fn url(&self) -> String {
        format!("{}{}", self.account, self.container)
    }
}

/// The patterns that the name of a container may follow for an app: a value of the app, with something before or after it.
fn candidates(url: &str, name: &str, app: &AppId) -> Vec<Pattern> {
    let pattern = |rank, container| Pattern { rank, account: account(url).to_owned(), container };
    let of = |(rank, placeholder): (usize, &&str)| {
        let value = container_of(placeholder, app);
        let before = name.strip_suffix(&value).map(|before| format!("{before}{placeholder}"));
        let after = name.strip_prefix(&value).map(|after| format!("{placeholder}{after}"));
        before.into_iter().chain(after).map(move |container| pattern(rank, container)).collect::<Vec<_>>()
    };
    PLACEHOLDERS.iter().enumerate().flat_map(of).collect()
}

fn container_of(pattern: &str, app: &AppId) -> String {
    let storage = StorageName::new("").with_container(pattern).for_app(app);
    storage.container().unwrap_or_default().to_owned()
}

/// The URL of a container up to its name.
fn account(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(before, _)| &url[..=before.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The patterns of apps, each as `GROUP/APP` with its container.
    fn patterns(apps: &[(&str, &str)]) -> Vec<(String, String)> {
        let used: Vec<(AppId, Container)> = apps
            .iter()
            .map(|(app, container)| {
                let (group, site) = app.split_once('/').unwrap();
                let (site, slot) =
                    site.split_once('/').map_or((site, None), |(site, slot)| (site, Some(slot)));
                let url = format!("https://acct.blob.core.windows.net/{container}");
                (AppId::new("s", group, site, slot), url.parse().unwrap())
            })
            .collect();
        let mut containers = UsedContainers::default();
        for (app, container) in &used {
            containers.add(app, container);
        }
        let last = |url: &str| url.rsplit_once('/').unwrap().1.to_owned();
        containers.patterns().iter().map(|(url, pattern)| (last(url), pattern.container.clone())).collect()
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(container, pattern)| ((*container).to_owned(), (*pattern).to_owned())).collect()
    }

    #[test]
    fn containers_named_as_their_apps_follow_one_pattern_and_the_others_none() {
        let apps = [("g/Shop", "shop"), ("g/wiki", "wiki"), ("g/blog", "backups"), ("g/wiki/test", "other")];
        assert_eq!(patterns(&apps), pairs(&[("shop", "{app}"), ("wiki", "{app}")]));
        assert_eq!(patterns(&apps[..1]), [], "one is no pattern");
        let with_words = [("g/shop", "backups-shop"), ("g/wiki", "backups-wiki"), ("g/blog", "blog-old")];
        let expected = [("backups-shop", "backups-{app}"), ("backups-wiki", "backups-{app}")];
        assert_eq!(patterns(&with_words), pairs(&expected));
    }

    #[test]
    fn a_container_that_one_of_its_apps_shares_follows_no_pattern() {
        let apps = [("g/shop", "shop"), ("g/wiki", "wiki"), ("g/blog", "blog"), ("g/other", "wiki")];
        assert_eq!(patterns(&apps), pairs(&[("blog", "{app}"), ("shop", "{app}")]));
    }

    #[test]
    fn containers_of_groups_follow_the_group_and_a_slot_has_its_own() {
        let apps = [("shops/a", "shops"), ("shops/b", "shops"), ("wikis/c", "wikis")];
        let expected = [("shops", "{resource_group}"), ("wikis", "{resource_group}")];
        assert_eq!(patterns(&apps), pairs(&expected));
        let slot = container_of("{app}", &AppId::new("s", "g", "shop", Some("test")));
        let slots = [("g/shop", "shop"), ("g/shop/test", slot.as_str())];
        assert_eq!(patterns(&slots).len(), 2);
        assert_eq!(patterns(&[("g/shop", "shop"), ("g/shop/test", "shop")]), []);
    }
}
