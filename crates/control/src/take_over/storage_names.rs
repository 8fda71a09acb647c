//! The storages that apps write into: their names, and the secrets that they need.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_config::Fleet;
use holdfast_storage::{Container, StorageTarget};

use super::container_patterns::{Pattern, UsedContainers};
use super::draft::{DraftStorage, SecretToSet};

/// Where the SAS of storages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SasChoice {
    /// Holdfast mints them with a key of the storage account.
    AccountKey,
    /// Holdfast mints them with a user delegation key.
    UserDelegation,
    /// People write them.
    Url,
}

/// The names of containers, and the sections of those that the fleet file does not have.
#[derive(Debug, Default)]
pub struct StorageNames {
    by_container: BTreeMap<String, String>,
    /// The sections.
    pub sections: Vec<DraftStorage>,
    /// What they need.
    pub secrets: Vec<SecretToSet>,
}

impl StorageNames {
    /// Names the containers. One of the fleet file keeps its name.
    ///
    /// Containers that are named as their apps are one section. One whose SAS people write has a section of its own.
    pub fn of(used: &UsedContainers<'_>, sas: SasChoice, fleet: Option<&Fleet>) -> Self {
        let (mut names, mut taken) = (Self::default(), BTreeSet::new());
        for (name, target) in fleet.iter().flat_map(|fleet| &fleet.storages) {
            taken.insert(name.to_string());
            names.keep(&name.to_string(), target, used);
        }
        let patterns = if sas == SasChoice::Url { BTreeMap::new() } else { used.patterns() };
        let mut sections: BTreeMap<String, String> = BTreeMap::new();
        for (url, container) in used.containers() {
            if names.by_container.contains_key(url) {
                continue;
            }
            let section = patterns.get(url).map_or_else(|| url.clone(), Pattern::url);
            let name = sections.entry(section.clone()).or_insert_with(|| {
                let name = free_name(container, patterns.contains_key(url), &taken);
                taken.insert(name.clone());
                names.add((&name, &section), container, sas);
                name
            });
            names.by_container.insert(url.clone(), name.clone());
        }
        names
    }

    /// A storage of the fleet file keeps its name, for its container or for those that follow its pattern.
    fn keep(&mut self, name: &str, target: &StorageTarget, used: &UsedContainers<'_>) {
        let Some(pattern) = &target.pattern else {
            self.by_container.insert(target.container.to_string(), name.to_owned());
            return;
        };
        let pattern = Pattern::of(&target.container, pattern);
        for (url, _) in used.containers().filter(|(url, _)| used.follows(url, &pattern)) {
            self.by_container.entry(url.clone()).or_insert_with(|| name.to_owned());
        }
    }

    /// The name of a container that was named.
    pub fn name(&self, container: &Container) -> String {
        self.by_container.get(&container.to_string()).cloned().unwrap_or_default()
    }

    fn add(&mut self, (name, url): (&str, &str), container: &Container, sas: SasChoice) {
        let account = container.account();
        let (sas, secret) = match sas {
            SasChoice::UserDelegation if container.names_account() => {
                ("{ mint = \"user_delegation\" }".to_owned(), None)
            }
            SasChoice::AccountKey if container.names_account() => {
                let variable = variable("HOLDFAST_KEY_", &account);
                let holds = format!("a key of the storage account {account}");
                (format!("{{ mint = \"account_key\", key = \"env:{variable}\" }}"), Some((variable, holds)))
            }
            // A SAS is minted for the account's name, which a domain of its owner does not show.
            _ => {
                let variable = variable("HOLDFAST_SAS_", name);
                let holds =
                    format!("a SAS (sr=c, sp=rwdl) of the container {container}; not one of the account");
                (format!("{{ url = \"env:{variable}\" }}"), Some((variable, holds)))
            }
        };
        let secret = secret.map(|(variable, holds)| SecretToSet { variable, holds });
        self.secrets.extend(secret.clone());
        self.sections.push(DraftStorage { name: name.to_owned(), container: url.to_owned(), sas, secret });
    }
}

/// The container's name, with the account's before it or a number after it where that is taken; of many containers the
/// account's name.
fn free_name(container: &Container, is_of_many: bool, taken: &BTreeSet<String>) -> String {
    let (short, account) = (bare_key(container.name()), bare_key(&container.account()));
    let (short, long) = if is_of_many {
        (account.clone(), format!("{account}-apps"))
    } else {
        (short.clone(), format!("{account}-{short}"))
    };
    let numbered = (2_u32..).map(|number| format!("{long}-{number}"));
    [short, long.clone()].into_iter().chain(numbered).find(|name| !taken.contains(name)).unwrap_or(long)
}

/// The text as a bare key of TOML.
fn bare_key(text: &str) -> String {
    let text = text.trim_start_matches('$').to_lowercase();
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// The name of an environment variable.
pub fn variable(start: &str, text: &str) -> String {
    let letters = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    start.chars().chain(letters).collect()
}
