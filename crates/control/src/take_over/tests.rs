//! What Azure has becomes a fleet file that is valid, and has no secret.

use holdfast_config::{Fleet, Severity, check_text};
use holdfast_model::{
    AppId, DatabaseFacts, FrequencyUnit, NativeSchedule, PolicyName, Site, Timestamp, parse_timestamp,
};
use holdfast_storage::ObservedSchedule;
use serde_json::json;

use super::*;
use crate::error::rendered;

const SAS: &str = "sv=2022-11-02&sr=c&sp=rwdl&sig=c2lnbmF0dXJlLW9mLWEtdGVzdC0wMTIzNDU2Nzg5YWI%3D";

fn now() -> Timestamp {
    parse_timestamp("2026-11-30T12:00:00Z").unwrap()
}

fn site(name: &str) -> Site {
    Site { tier: Some("Standard".into()), ..Site::new(AppId::new("0a0a", "shops", name, None)) }
}

fn address(container: &str, expiry: &str) -> String {
    format!("https://acct.blob.core.windows.net/{container}?{SAS}&se={expiry}")
}

fn native(name: &str, schedule: NativeSchedule, url: Option<&str>) -> FoundApp {
    let url = url.map(|url| url.to_owned().into());
    FoundApp {
        site: site(name),
        schedule: Ok(Some(ObservedSchedule::new(schedule, url.as_ref(), Vec::new()))),
    }
}

fn daily(start: &str) -> NativeSchedule {
    NativeSchedule { start: parse_timestamp(start).ok(), ..NativeSchedule::days(1) }
}

fn options(sas: SasChoice) -> DraftOptions<'static> {
    DraftOptions { sas, container: None, fleet: None, now: now() }
}

fn drafted(apps: &[FoundApp]) -> FleetDraft {
    draft(apps, &options(SasChoice::AccountKey))
}

fn valid(draft: &FleetDraft) -> (String, Fleet) {
    let text = fleet_file(AZURE_CLI, draft);
    let checked = check_text("fleet.toml", &text, now());
    let errors: Vec<String> = checked
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(ToString::to_string)
        .collect();
    let Some(fleet) = checked.fleet else { panic!("{errors:#?}\n{text}") };
    (text, fleet)
}

#[test]
fn apps_with_the_same_schedule_share_a_policy_whose_spread_has_their_times() {
    let good = address("backups", "2027-06-01");
    let weekly = NativeSchedule { every: 7, retention_days: 0, ..daily("2026-11-04T03:30:00Z") };
    let apps = [
        native("shop", daily("2026-11-01T22:30:00Z"), Some(&good)),
        native("wiki", daily("2026-10-01T01:15:00Z"), Some(&good)),
        native("blog", weekly, Some(&address("weekly", "2027-06-01"))),
    ];
    let (text, fleet) = valid(&drafted(&apps));
    let policy = |name: &str| &fleet.policies[&PolicyName::new(name)];
    assert_eq!(fleet.policies.keys().map(PolicyName::as_str).collect::<Vec<_>>(), ["daily", "weekly"]);
    let shared = policy("daily");
    assert_eq!(shared.schedule.crontab.to_string(), "30 22 * * *");
    assert_eq!(shared.schedule.spread.as_secs(), 165 * 60);
    assert_eq!(shared.recovery_point_objective.map(|span| span.as_secs()), Some(30 * 3600));
    let kept = shared.retention.as_ref().map(|kept| (kept.days, kept.keep_at_least, kept.dry_run));
    assert_eq!(kept, Some((30, 1, true)));
    assert_eq!(policy("weekly").schedule.crontab.to_string(), "30 3 * * 3");
    assert_eq!(policy("weekly").retention, None);
    let of = |name: &str| {
        let app = fleet.apps.iter().find(|app| app.id.site() == name).unwrap();
        app.policy.as_ref().unwrap().to_string()
    };
    assert_eq!([of("shop"), of("wiki"), of("blog")], ["daily", "daily", "weekly"]);
    assert!(!text.contains("sig="), "{text}");
    assert!(text.contains("key = \"env:HOLDFAST_KEY_ACCT\""), "{text}");
}

#[test]
fn what_cannot_work_is_named_with_its_reason() {
    let lapsed = address("backups", "2026-11-01");
    let free = Site { tier: Some("Free".into()), ..site("free") };
    let function = Site {
        kind: Some("functionapp,linux,container,azurecontainerapps".into()),
        tier: None,
        ..site("function")
    };
    let stopped = Site { state: Some("Stopped".into()), ..site("stopped") };
    let off = NativeSchedule { enabled: false, ..daily("2026-11-01T22:30:00Z") };
    let without = |site| FoundApp { site, schedule: Ok(None) };
    let apps = [
        native("lapsed", daily("2026-11-01T22:30:00Z"), Some(&lapsed)),
        native("no-sas", daily("2026-11-01T22:30:00Z"), Some("https://acct.blob.core.windows.net/backups")),
        native("no-url", daily("2026-11-01T22:30:00Z"), Some("backups")),
        native("off", off, Some(&lapsed)),
        without(free),
        without(function),
        without(stopped),
        FoundApp { site: site("secret"), schedule: Err("azure answered 403:\nhelp".into()) },
    ];
    let draft = drafted(&apps);
    let (text, fleet) = valid(&draft);
    let enrolled: Vec<&str> = fleet.apps.iter().map(|app| app.id.site()).collect();
    assert_eq!(enrolled, ["lapsed", "no-sas"]);
    let left: Vec<_> =
        draft.left_out.iter().map(|app| (app.app.site(), app.never, app.why.as_str())).collect();
    assert_eq!(
        left,
        [
            ("free", true, "is in the tier Free, which has no backups"),
            ("function", true, "is of the kind azurecontainerapps, which has no backups"),
            (
                "no-url",
                false,
                "has a native schedule without the URL of a container: name one with --container"
            ),
            ("off", false, "has a native schedule that is switched off"),
            ("secret", false, "did not show its native schedule: azure answered 403:\nhelp"),
            ("stopped", false, "has no native schedule"),
        ]
    );
    let words = summary(&draft);
    for part in [
        "lapsed: has a native schedule that needs attention: the SAS that Azure keeps with it expired at 2026-11-01",
        "no-sas: has a native schedule that needs attention: its storage address has no SAS",
        "stopped: is stopped",
        "HOLDFAST_KEY_ACCT: a key of the storage account acct",
    ] {
        assert!(words.contains(part), "{part}\n{words}");
    }
    assert!(!words.contains("sig="), "{words}");
    assert!(text.contains("#policy = \"daily\"") && text.contains("\n# secret did not show"), "{text}");
}

#[test]
fn an_entry_that_is_a_comment_enrolls_its_app_without_its_signs() {
    let found = [
        FoundApp { site: site("shop"), schedule: Ok(None) },
        native("wiki", daily("2026-11-01T22:30:00Z"), Some(&address("backups", "2027-06-01"))),
    ];
    let text = fleet_file(AZURE_CLI, &drafted(&found));
    let enrolled =
        text.lines().map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line));
    let text = enrolled.collect::<Vec<_>>().join("\n");
    let fleet = check_text("fleet.toml", &text, now()).fleet.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(fleet.apps.len(), 2);
}

#[test]
fn apps_without_a_schedule_are_enrolled_once_a_day_where_a_container_is_named() {
    let container = "https://acct.blob.core.windows.net/backups".parse().ok();
    let options = DraftOptions { container, ..options(SasChoice::Url) };
    let draft = draft(&[FoundApp { site: site("shop"), schedule: Ok(None) }], &options);
    let (text, fleet) = valid(&draft);
    assert_eq!(fleet.apps[0].policy, Some(PolicyName::new("default")));
    assert!(text.contains("sas = { url = \"env:HOLDFAST_SAS_BACKUPS\" }"), "{text}");
    assert_eq!(draft.secrets[0].variable, "HOLDFAST_SAS_BACKUPS");
}

#[test]
fn databases_of_a_schedule_are_taken_over_by_reference() {
    let database = |kind: &str, name: &str| DatabaseFacts { kind: kind.into(), name: name.into() };
    let found = vec![database("SqlAzure", "shop \"db\""), database("LocalMySql", "localdb")];
    let url = address("backups", "2027-06-01").into();
    let schedule = ObservedSchedule::new(daily("2026-11-01T22:30:00Z"), Some(&url), found);
    let draft = drafted(&[FoundApp { site: site("shop"), schedule: Ok(Some(schedule)) }]);
    let (_, fleet) = valid(&draft);
    let [database] = &fleet.apps[0].databases[..] else { panic!("{:?}", fleet.apps) };
    assert_eq!(database.name, "shop \"db\"");
    assert_eq!(database.connection_string.as_deref(), Some("env:HOLDFAST_DATABASE_SHOP_SHOP__DB_"));
    assert!(draft.secrets.iter().any(|secret| secret.variable == "HOLDFAST_DATABASE_SHOP_SHOP__DB_"));
}

#[test]
fn policies_and_storages_get_names_of_their_own_however_many_differ() {
    let mut apps = Vec::new();
    for (number, (container, days)) in
        [("a", 30), ("a", 30), ("b", 30), ("a", 90), ("b", 0)].into_iter().enumerate()
    {
        let schedule = NativeSchedule { retention_days: days, ..daily("2026-11-01T22:30:00Z") };
        let url = format!("https://acct{container}.blob.core.windows.net/backups?{SAS}&se=2027-06-01");
        apps.push(native(&format!("app-{number}"), schedule, Some(&url)));
    }
    let hourly = NativeSchedule { unit: FrequencyUnit::Hour, every: 5, ..daily("2026-11-01T22:30:00Z") };
    apps.push(native("hourly", hourly, Some(&address("other", "2027-06-01"))));
    let (_, fleet) = valid(&drafted(&apps));
    let names: Vec<String> = fleet.policies.keys().map(ToString::to_string).collect();
    let expected = [
        "daily-30d-acctb-backups",
        "daily-30d-backups",
        "daily-90d-backups",
        "daily-forever-acctb-backups",
        "every-5-hours-30d-other",
    ];
    assert_eq!(names, expected);
    assert_eq!(fleet.storages.len(), 3);
}

#[test]
fn containers_named_as_their_apps_are_one_section_unless_their_sas_are_written() {
    let start = || daily("2026-11-01T22:30:00Z");
    let apps = |names: &[(&str, &str)]| -> Vec<FoundApp> {
        let of =
            |(app, container): &(&str, &str)| native(app, start(), Some(&address(container, "2027-06-01")));
        names.iter().map(of).collect()
    };
    let found = apps(&[("shop", "shop"), ("Wiki", "wiki"), ("blog", "backups")]);
    let (text, fleet) = valid(&drafted(&found));
    let container_of = |fleet: &Fleet, name: &str| {
        let app = fleet.apps.iter().find(|app| app.id.site().eq_ignore_ascii_case(name)).unwrap();
        let storage = &fleet.policies[app.policy.as_ref().unwrap()].policy_snapshot.storage;
        let storage = storage.for_app(&app.id);
        let own = storage.container().map(str::to_owned);
        own.unwrap_or_else(|| fleet.storages[&storage].container.name().to_owned())
    };
    let containers = ["shop", "wiki", "blog"].map(|name| container_of(&fleet, name));
    assert_eq!(containers, ["shop", "wiki", "backups"], "{text}");
    assert_eq!(fleet.storages.keys().map(ToString::to_string).collect::<Vec<_>>(), ["acct", "backups"]);
    let key =
        "# Set HOLDFAST_KEY_ACCT: a key of the storage account acct; Holdfast makes a SAS of each container";
    assert!(text.contains(key) && text.contains("net/{app}\"\n"), "{text}");

    let more = apps(&[("shop", "shop"), ("cart", "cart"), ("news", "old")]);
    let into = DraftOptions { fleet: Some(&fleet), ..options(SasChoice::AccountKey) };
    let added = draft(&more, &into);
    assert_eq!(added.storages.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["old"]);
    assert_eq!(added.policies.iter().map(|one| one.storage.as_str()).collect::<Vec<_>>(), ["acct", "old"]);

    let (text, fleet) = valid(&draft(&found, &options(SasChoice::Url)));
    assert_eq!(fleet.storages.len(), 3);
    let sas = "# Set HOLDFAST_SAS_SHOP: a SAS (sr=c, sp=rwdl) of the container https://acct.blob.core.windows.net/shop; not one";
    assert!(text.contains(sas), "{text}");
}

#[test]
fn a_fragment_keeps_the_names_and_the_apps_of_the_fleet_that_it_is_added_to() {
    let found = || {
        let good = address("backups", "2027-06-01");
        [
            native("shop", daily("2026-11-01T22:30:00Z"), Some(&good)),
            native("wiki", daily("2026-11-01T22:30:00Z"), Some(&good)),
        ]
    };
    let (text, fleet) = valid(&drafted(&found()[..1]));
    let options = DraftOptions { fleet: Some(&fleet), ..options(SasChoice::AccountKey) };
    let added = draft(&found(), &options);
    let text = format!("{text}\n{}", fragment(&added));
    let fleet = check_text("fleet.toml", &text, now()).fleet.unwrap_or_else(|| panic!("{text}"));
    assert_eq!((fleet.apps.len(), fleet.storages.len(), fleet.policies.len()), (2, 1, 2));
}

#[test]
fn a_terraform_state_is_taken_over_in_both_of_its_forms() {
    let values = json!({
        "id": "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/Shop",
        "service_plan_id": "/PLAN",
        "backup": [{
            "enabled": true,
            "storage_account_url": address("backups", "2027-06-01"),
            "schedule": [{
                "frequency_interval": 7, "frequency_unit": "Day", "keep_at_least_one_backup": true,
                "retention_period_days": 60, "start_time": "2026-11-04T03:30:00Z",
            }],
        }],
    });
    let free = json!({ "id": "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/free/slots/x",
        "service_plan_id": "/free", "backup": [] });
    let resource = |kind: &str, values: &serde_json::Value| json!({ "type": kind, "instances": [{ "attributes": values }], "values": values });
    let resources = [
        resource("azurerm_linux_web_app", &values),
        resource("azurerm_windows_web_app_slot", &free),
        resource("azurerm_service_plan", &json!({ "id": "/plan", "sku_name": "P1v3" })),
        resource("azurerm_service_plan", &json!({ "id": "/free", "sku_name": "F1" })),
        resource("azurerm_storage_account", &json!({ "id": "x", "primary_access_key": "secret" })),
    ];
    let state = json!({ "version": 4, "resources": resources });
    let shown = json!({ "values": { "root_module": { "child_modules": [{ "resources": resources }] } } });
    for form in [state, shown] {
        let draft = drafted(&from_terraform(&form.to_string()).unwrap());
        let (text, fleet) = valid(&draft);
        assert_eq!(fleet.policies[&PolicyName::new("weekly")].schedule.crontab.to_string(), "30 3 * * 3");
        assert_eq!(draft.left_out[0].why, "is in the tier F1, which has no backups");
        assert!(!text.contains("sig="), "{text}");
    }
    let other = rendered(&from_terraform("{}").unwrap_err());
    assert!(other.contains("terraform state pull"), "{other}");
    assert!(from_terraform("sig=x").is_err());
}

#[test]
fn a_file_that_exists_is_not_overwritten_and_an_invalid_one_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.toml");
    let (text, _) = valid(&drafted(&[]));
    assert!(write_new(&path, "[azure]\n", now()).is_err());
    assert!(!path.exists());
    check_new(&path).unwrap();
    write_new(&path, &text, now()).unwrap();
    let again = rendered(&write_new(&path, "other", now()).and_then(|()| check_new(&path)).unwrap_err());
    assert!(again.contains("would be invalid"), "{again}");
    let again = rendered(&write_new(&path, &text, now()).unwrap_err());
    assert!(again.contains("exists already") && again.contains("--fleet PATH"), "{again}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}
