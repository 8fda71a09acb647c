//! Azure's own schedules: shown, compared with the policies, set and removed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use holdfast_access::Scope;
use holdfast_control::app_resolver::AppSelection;
use holdfast_control::counted;
use holdfast_control::native_schedule::{AppSchedule, ScheduleDrift, ShownSchedule};
use holdfast_control::operator_requests::ScheduleChange;
use holdfast_model::{AppId, NativeSchedule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::list::All;
use crate::api::named::app_of;
use crate::api::once::{ApiRequest, bad};
use crate::api::started::{started, starts};
use crate::caller::Caller;
use crate::done::{ActDone, Work};
use crate::failure::{ApiFailure, Failure};
use crate::site::Site;

/// Apps, or all of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "apps": ["shop"] }))]
pub struct SomeApps {
    /// Short names or ARM ids.
    #[serde(default)]
    pub(super) apps: Vec<String>,
    /// Whether every app is meant.
    #[serde(default)]
    pub(super) all: bool,
}

/// Apps whose schedules are set or removed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "apps": ["shop"], "confirm": 1 }))]
pub struct NewSchedules {
    /// Short names or ARM ids.
    #[serde(default)]
    apps: Vec<String>,
    /// Whether every app is meant.
    #[serde(default)]
    all: bool,
    /// Whether the schedules are removed; they are set as the policies say otherwise.
    #[serde(default)]
    remove: bool,
    /// The number of apps in the plan, to confirm.
    confirm: Option<usize>,
}

/// A schedule that is set or removed.
#[derive(Serialize, ToSchema)]
pub struct PlannedSchedule {
    /// The app.
    app: AppId,
    /// The schedule.
    schedule: NativeSchedule,
}

/// Azure's own schedules
///
/// Asks Azure for each app.
#[utoipa::path(
    post, path = "/api/v1/native-schedules/show", operation_id = "show_native_schedules", tag = "native schedules", request_body = SomeApps,
    responses((status = 200, description = "The schedules.", body = All<ShownSchedule>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "azure_unavailable"])))
)]
pub async fn show(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let SomeApps { apps, all } = request.json()?;
    let apps = selection(&site, &request.caller, (&apps, all)).await?;
    let value = site.azure.native_schedules(&request.caller.actor, &apps).await.map_err(Failure::from)?;
    Ok(Json(All { value }).into_response())
}

/// Compare Azure's own schedules with the policies
///
/// Records what was found.
#[utoipa::path(
    post, path = "/api/v1/native-schedules/drift", operation_id = "compare_native_schedules", tag = "native schedules", request_body = SomeApps,
    responses((status = 200, description = "The differences.", body = All<ScheduleDrift>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "azure_unavailable"])))
)]
pub async fn drift(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let SomeApps { apps, all } = request.json()?;
    let apps = selection(&site, &request.caller, (&apps, all)).await?;
    let value = site.azure.drift(&request.caller.actor, &apps, site.rng()?).await.map_err(Failure::from)?;
    site.expire();
    Ok(Json(All { value }).into_response())
}

/// Plan a change of Azure's own schedules
///
/// Changes nothing.
#[utoipa::path(
    post, path = "/api/v1/native-schedules/plan", operation_id = "plan_native_schedules", tag = "native schedules", request_body = NewSchedules,
    responses((status = 200, description = "The schedules that are set or removed.", body = All<PlannedSchedule>)),
    extensions(("x-codes" = json!(["invalid", "invalid_query", "no_such_app", "not_found", "ambiguous_app", "conflict", "azure_unavailable"])))
)]
pub async fn plan(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let (_, plan) = planned(&site, &request.caller, &request.json()?).await?;
    let row = |of: AppSchedule| PlannedSchedule { app: of.app.id, schedule: of.schedule };
    Ok(Json(All { value: plan.into_iter().map(row).collect() }).into_response())
}

/// Set or remove Azure's own schedules
///
/// Plans again, and starts what is planned where `confirm` is the number of its apps. Azure takes a backup at once when a schedule is enabled.
#[utoipa::path(
    post, path = "/api/v1/native-schedules", operation_id = "change_native_schedules", tag = "native schedules", request_body = NewSchedules,
    responses((status = 202, description = "What was started.", body = ActDone)),
    extensions(("x-once" = json!(true)), ("x-codes" = json!(["invalid", "invalid_query", "not_confirmed", "no_such_app", "not_found", "ambiguous_app", "conflict", "refused", "azure_unavailable"])))
)]
pub async fn change(State(site): State<Arc<Site>>, request: ApiRequest) -> Result<Response, ApiFailure> {
    let wanted: NewSchedules = request.json()?;
    let work = |site: Arc<Site>, _, caller: Caller| async move {
        let (change, plan) = planned(&site, &caller, &wanted).await?;
        let Some(first) = plan.first().filter(|_| wanted.confirm == Some(plan.len())) else {
            let detail =
                format!("The plan has {}, and `confirm` is another number.", counted(plan.len(), "app"));
            let failure = Failure::new(StatusCode::BAD_REQUEST, "not_confirmed", "Not confirmed", detail);
            return Err(failure.help("Send the number of apps, as the plan has them."));
        };
        let added = site.azure.change_schedules(&caller.actor, change, &plan, site.rng()?).await?;
        let what = if change == ScheduleChange::Push { "set" } else { "removed" };
        let sentence = format!("Azure's own schedule of {} is {what}.", counted(plan.len(), "app"));
        Ok(Work::Act(starts(&first.app.id, &added, &sentence)))
    };
    Ok(started(&request.once(&site, work).await?.work)?)
}

async fn planned(
    site: &Site,
    caller: &Caller,
    NewSchedules { apps, all, remove, .. }: &NewSchedules,
) -> Result<(ScheduleChange, Vec<AppSchedule>), Failure> {
    let change = if *remove { ScheduleChange::Remove } else { ScheduleChange::Push };
    let apps = selection(site, caller, (apps, *all)).await?;
    Ok((change, site.azure.plan_schedules(&caller.actor, change, &apps).await?))
}

/// The apps that are meant, which must be in the scope of the caller.
pub async fn selection(
    site: &Site,
    caller: &Caller,
    (apps, all): (&[String], bool),
) -> Result<AppSelection, Failure> {
    match (apps.is_empty(), all) {
        (true, true) if caller.principal.scope == Scope::ALL => Ok(AppSelection::All),
        (true, true) => Err(Failure::out_of_scope("this concerns all apps")),
        (false, false) => {
            let mut named = Vec::new();
            for name in apps {
                named.push(app_of(site, caller, name).await?.to_string());
            }
            Ok(AppSelection::Named(named))
        }
        _ => Err(bad("Give either apps, or `all`.")),
    }
}
