//! Containers that depend on the app.

use super::*;

const APPS: &str = r#"
[[app]]
id = "/subscriptions/0a0a/resourceGroups/a/providers/Microsoft.Web/sites/shop"
policy = "gold"

[[app]]
id = "/subscriptions/0a0a/resourceGroups/b/providers/Microsoft.Web/sites/shop"
policy = "gold"
"#;

fn fleet(container: &str, sas: &str, more: &str) -> String {
    format!(
        "[azure]\ncredential = {{ kind = \"azure_cli\" }}\n\n[storage.weu]\ncontainer = \"https://acct.blob.core.windows.net/{container}\"\n\
         sas = {sas}\n{more}\n[policy.gold]\nschedule = \"0 2 * * *\"\nstorage = \"weu\"\n{APPS}"
    )
}

const MINTED: &str = "{ mint = \"account_key\", key = \"env:STORAGE_KEY\" }";

#[test]
fn a_policy_names_the_container_of_each_app() {
    let fleet = look(&fleet("bk-{resource_group}-{app}", MINTED, "create_container = true")).fleet.unwrap();
    let weu = StorageName::new("weu");
    let snapshot = &fleet.policies[&PolicyName::new("gold")].policy_snapshot;
    assert_eq!(snapshot.storage.as_str(), "weu/bk-{resource_group}-{app}");
    assert_eq!(fleet.as_policies_name(&weu), snapshot.storage);
    let storages: Vec<String> =
        fleet.apps.iter().map(|app| snapshot.for_app(&app.id).storage.to_string()).collect();
    assert_eq!(storages, ["weu/bk-a-shop", "weu/bk-b-shop"]);
    let target = fleet.storage(&StorageName::new(&storages[0])).unwrap();
    let container = target.container_of(&StorageName::new(&storages[0])).unwrap();
    assert_eq!(container.to_string(), "https://acct.blob.core.windows.net/bk-a-shop");
    assert!(target.creates && target.container_of(&weu).is_none());
    assert_eq!(fleet.backup_storages().collect::<Vec<_>>(), [&weu]);
    assert_eq!(fleet.longest_deadline(&StorageName::new("weu/bk-a-shop")).as_secs(), 4 * 3600);
}

#[test]
fn what_cannot_be_a_container_for_each_app_is_an_error_and_sharing_is_a_warning() {
    let said = |container: &str, sas: &str, more: &str| {
        let problems = look(&fleet(container, sas, more)).problems;
        problems.iter().map(ToString::to_string).collect::<String>()
    };
    let shared = said("{app}", MINTED, "");
    assert!(shared.contains("warning: `storage.weu`: these apps share the container `shop`: "), "{shared}");
    assert_eq!(said("{resource_group}", MINTED, ""), "", "it is meant to be shared");
    let unknown = said("{name}", MINTED, "");
    assert!(unknown.contains("the placeholder `{name}` is not known"), "{unknown}");
    assert!(unknown.contains("{app}, {resource_group}, {subscription}, {slot}"), "{unknown}");
    let url = "{ url = \"env:SAS\" }";
    assert!(said("{app}", url, "").contains("needs a SAS of its own"));
    assert!(said("backups", url, "create_container = true").contains("cannot create it"));
    let named = fleet("backups", MINTED, "").replace("[storage.weu]", "[storage.\"weu/a\"]");
    assert!(look(&named).problems.iter().any(|problem| problem.to_string().contains("has no `/`")));
    let checkpoints = "[audit]\ncheckpoint = { to = [\"storage:weu\"], key = \"env:KEY\" }\n";
    let both = format!("{}\n{checkpoints}", fleet("{resource_group}", MINTED, ""));
    let said: String = look(&both).problems.iter().map(ToString::to_string).collect();
    assert!(said.contains("checkpoints go to one container"), "{said}");
}
