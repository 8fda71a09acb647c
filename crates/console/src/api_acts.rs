//! Acts on one app or one run: `POST /api/v1/apps/{id}/pause`, `/resume`, `POST /api/v1/runs/{id}/cancel`, `/acknowledge`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use crate::acts::{Act, ActKind};
use crate::api_once::{ApiRequest, bad};
use crate::done::Work;
use crate::failure::{ApiFailure, Failure};
use crate::site::{NamedApp, Site};

/// Acts on the app of the path, whose last segment is the act.
pub async fn on_app(
    State(site): State<Arc<Site>>,
    Path(path): Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    let (name, kind) = path.rsplit_once('/').unwrap_or(("", &path));
    let kind = kind.parse().ok().filter(|kind| matches!(kind, ActKind::Pause | ActKind::Resume));
    let kind = kind.ok_or_else(Failure::no_page)?;
    let app = match site.named(name).await? {
        NamedApp::One(id) => id.to_string(),
        NamedApp::Several(ids) => return Err(Failure::several(name, &ids).into()),
    };
    Ok(act(&site, kind, ("app", app), request).await?)
}

/// Acts on the run of the path, whose last segment is the act.
pub async fn on_run(
    State(site): State<Arc<Site>>,
    Path(run): Path<String>,
    request: ApiRequest,
) -> Result<Response, ApiFailure> {
    let kind = request.path.rsplit('/').next().unwrap_or_default().parse()?;
    Ok(act(&site, kind, ("run", run), request).await?)
}

/// Acts on what `about` names. The fields of the body are those of the form: `reason` or `note`, `for` or `until`.
async fn act(
    site: &Arc<Site>,
    kind: ActKind,
    about: (&'static str, String),
    request: ApiRequest,
) -> Result<Response, Failure> {
    let mut fields: BTreeMap<String, String> = request.json()?;
    let known: &[&str] = match kind {
        ActKind::Pause => &["reason", "for", "until"],
        ActKind::Acknowledge => &["note"],
        _ => &["reason"],
    };
    if let Some(unknown) = fields.keys().find(|name| !known.contains(&name.as_str())) {
        let unknown = format!("The body has the field `{unknown}`, and may have {}.", known.join(", "));
        return Err(bad(unknown));
    }
    if let Some(note) = fields.remove("note") {
        fields.insert("reason".to_owned(), note);
    }
    fields.insert(about.0.to_owned(), about.1);
    let act = Act::read(kind, |name| fields.get(name).map_or("", String::as_str))?;
    let done = request
        .once(site, |site, _, caller| async move { act.perform(&site, &caller).await.map(Work::Act) })
        .await?;
    match &done.work {
        Work::Act(done) => Ok(Json(done).into_response()),
        Work::Backups(_) => Err(Failure::no_result()),
    }
}
