//! The storages that apps write into: their names, and the secrets that they need.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_config::Fleet;
use holdfast_storage::Container;

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
    pub fn of(containers: &[&Container], sas: SasChoice, fleet: Option<&Fleet>) -> Self {
        let distinct: BTreeMap<String, &Container> =
            containers.iter().map(|container| (container.to_string(), *container)).collect();
        let (mut names, mut taken) = (Self::default(), BTreeSet::new());
        for (name, target) in fleet.iter().flat_map(|fleet| &fleet.storages) {
            taken.insert(name.to_string());
            names.by_container.insert(target.container.to_string(), name.to_string());
        }
        for (url, container) in distinct {
            if names.by_container.contains_key(&url) {
                continue;
            }
            let name = free_name(container, &taken);
            taken.insert(name.clone());
            names.add(&name, container, sas);
            names.by_container.insert(url, name);
        }
        names
    }

    /// The name of a container that was named.
    pub fn name(&self, container: &Container) -> String {
        self.by_container.get(&container.to_string()).cloned().unwrap_or_default()
    }

    fn add(&mut self, name: &str, container: &Container, sas: SasChoice) {
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
                let holds = format!("a SAS (sr=c, sp=rwdl) of the container {container}");
                (format!("{{ url = \"env:{variable}\" }}"), Some((variable, holds)))
            }
        };
        self.sections.push(DraftStorage { name: name.to_owned(), container: container.to_string(), sas });
        self.secrets.extend(secret.map(|(variable, holds)| SecretToSet { variable, holds }));
    }
}

/// The container's name, with the account's before it or a number after it where that is taken.
fn free_name(container: &Container, taken: &BTreeSet<String>) -> String {
    let short = bare_key(container.name());
    let long = bare_key(&format!("{}-{short}", container.account()));
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
