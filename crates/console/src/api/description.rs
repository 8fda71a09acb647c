//! The description of the API in OpenAPI 3.1, from its handlers and their types.

use holdfast_control::views::fleet::Sort;
use utoipa::OpenApi;

use crate::api::{
    access, acts, approvals, audit, backup_acts, backups, catalog, config, deletions, drills, fleet, holds,
    letters, many, many_drills, many_holds, native_schedules, pauses, policies, reads, restores, revisions,
    selections, standing,
};
use crate::failure::Problem;
use crate::pages::coverage;

/// The calls and the types.
#[derive(OpenApi)]
#[openapi(
    info(title = "Holdfast", description = "Backs up fleets of Azure App Service apps.", license(name = "MIT OR Apache-2.0")),
    components(schemas(Problem<'static>, Sort)),
    paths(
        reads::overview,
        coverage::document,
        reads::apps,
        reads::app,
        reads::runs,
        reads::run,
        reads::audit,
        reads::openapi,
        backups::plan,
        backups::start_named,
        backups::start,
        backups::retry,
        pauses::begin,
        pauses::end,
        selections::select,
        acts::pause,
        acts::resume,
        acts::cancel,
        acts::acknowledge,
        restores::plan,
        restores::start,
        drills::plan,
        drills::start,
        many::plan,
        many::show,
        many::start,
        many_drills::plan,
        many_drills::show,
        many_drills::start,
        approvals::list,
        approvals::one,
        approvals::confirm,
        approvals::decline,
        approvals::withdraw,
        catalog::list,
        catalog::show,
        catalog::inventory,
        catalog::check,
        holds::list,
        holds::hold,
        holds::release,
        many_holds::plan,
        many_holds::hold,
        many_holds::release,
        backup_acts::reveal,
        backup_acts::adopt,
        backup_acts::verify,
        backup_acts::refresh_sas,
        deletions::plan,
        deletions::start,
        standing::fleet,
        standing::check,
        standing::of_app,
        standing::of_run,
        policies::effective,
        policies::discovery,
        fleet::problems,
        fleet::subscriptions,
        fleet::reopen,
        fleet::retention,
        fleet::schedules,
        fleet::forecast,
        fleet::storages,
        native_schedules::show,
        native_schedules::drift,
        native_schedules::plan,
        native_schedules::change,
        config::check,
        letters::list,
        letters::show,
        letters::retry,
        letters::remove,
        audit::begin,
        audit::look,
        audit::checkpoints,
        audit::sign,
        audit::export,
        revisions::list,
        revisions::show,
        revisions::changes,
        revisions::apply,
        access::whoami,
        access::list,
        access::create,
        access::revoke,
    )
)]
struct Description;

/// The description of the API, without what follows from the table of routes: permissions and errors.
pub fn api_description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}
