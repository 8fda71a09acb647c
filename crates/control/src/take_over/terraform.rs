//! The apps and their native schedules in a state of Terraform.

use std::collections::BTreeMap;

use holdfast_model::{AppId, FrequencyUnit, NativeSchedule, Site, parse_timestamp};
use holdfast_storage::ObservedSchedule;
use secrecy::SecretString;
use serde_json::Value;

use super::look::FoundApp;
use crate::error::{Error, ErrorKind};

/// The types of the provider `azurerm` that are apps with a `backup` block.
const APPS: [&str; 10] = [
    "azurerm_linux_web_app",
    "azurerm_windows_web_app",
    "azurerm_linux_web_app_slot",
    "azurerm_windows_web_app_slot",
    "azurerm_linux_function_app",
    "azurerm_windows_function_app",
    "azurerm_linux_function_app_slot",
    "azurerm_windows_function_app_slot",
    "azurerm_app_service",
    "azurerm_app_service_slot",
];

/// The type of an App Service plan.
const PLAN: &str = "azurerm_service_plan";

/// Reads the apps of a state: the file `terraform.tfstate`, `terraform state pull` or `terraform show -json`.
pub fn from_terraform(text: &str) -> Result<Vec<FoundApp>, Error> {
    let help = "give the output of `terraform state pull` or `terraform show -json`";
    let state: Value = serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("the Terraform state is no JSON: {error}")).help(help)
    })?;
    let resources = resources(&state);
    if resources.is_empty() && state.get("resources").is_none() && state.get("values").is_none() {
        return Err(Error::new(ErrorKind::Invalid, "the JSON is no Terraform state").help(help));
    }
    let plans: BTreeMap<String, &str> = resources.iter().filter_map(|resource| plan(resource)).collect();
    let apps = resources.iter().filter(|(kind, _)| APPS.contains(kind));
    apps.map(|(kind, values)| app(kind, values, &plans)).collect()
}

/// The type and the values of each resource.
fn resources(state: &Value) -> Vec<(&str, &Value)> {
    let mut found = Vec::new();
    for resource in list(state, "resources") {
        let kind = text(resource, "type");
        found.extend(list(resource, "instances").iter().map(|instance| (kind, &instance["attributes"])));
    }
    let mut modules = vec![&state["values"]["root_module"]];
    while let Some(module) = modules.pop() {
        let resources = list(module, "resources").iter();
        found.extend(resources.map(|resource| (text(resource, "type"), &resource["values"])));
        modules.extend(list(module, "child_modules"));
    }
    found
}

fn plan<'s>((kind, values): &(&str, &'s Value)) -> Option<(String, &'s str)> {
    (*kind == PLAN).then(|| (text(values, "id").to_lowercase(), text(values, "sku_name")))
}

fn app(kind: &str, values: &Value, plans: &BTreeMap<String, &str>) -> Result<FoundApp, Error> {
    let id: AppId = text(values, "id").parse().map_err(|error| {
        Error::new(ErrorKind::Invalid, format!("a resource of the type {kind} has no usable id: {error}"))
            .help("`terraform apply` creates what has no id yet")
    })?;
    let plan = text(values, "service_plan_id").to_lowercase();
    let tier = plans.get(&plan).map(|tier| (*tier).to_owned());
    let site = Site { tier, ..Site::new(id) };
    Ok(FoundApp { site, schedule: Ok(list(values, "backup").first().and_then(schedule)) })
}

/// The schedule of a `backup` block.
fn schedule(backup: &Value) -> Option<ObservedSchedule> {
    let schedule = list(backup, "schedule").first()?;
    let number = |key: &str| schedule[key].as_u64().and_then(|number| u32::try_from(number).ok());
    let is_hours = text(schedule, "frequency_unit").eq_ignore_ascii_case("hour");
    let native = NativeSchedule {
        enabled: backup["enabled"].as_bool().unwrap_or(true),
        every: number("frequency_interval")?,
        unit: if is_hours { FrequencyUnit::Hour } else { FrequencyUnit::Day },
        retention_days: number("retention_period_days").unwrap_or(30),
        keep_at_least_one: schedule["keep_at_least_one_backup"].as_bool().unwrap_or(false),
        start: parse_timestamp(text(schedule, "start_time")).ok(),
    };
    let url = backup["storage_account_url"].as_str().map(SecretString::from);
    Some(ObservedSchedule::new(native, url.as_ref(), Vec::new()))
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}
