//! A request to back up apps: read from a form or a document, and carried out once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use holdfast_access::{Principal, Scope};
use holdfast_control::views::FleetReading;
use holdfast_control::views::actions::{BackupPreview, Selection};
use holdfast_control::views::fleet::FleetQuery;
use holdfast_model::AppId;
use url::form_urlencoded;

use crate::backups::{BackupRequest, BackupsDone};
use crate::caller::Caller;
use crate::failure::Failure;
use crate::forms::Permit;
use crate::site::Site;

/// The fields of a form that was sent.
#[derive(Debug, Default)]
pub struct SentForm(Vec<(String, String)>);

impl SentForm {
    /// Reads the body of a form.
    pub fn read(body: &str) -> Self {
        Self(form_urlencoded::parse(body.as_bytes()).into_owned().collect())
    }

    /// The first value of a field; empty where there is none.
    pub fn value(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// Every value of a field.
    pub fn values<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The fields that name the selection, for the next form.
    pub fn of_selection(selection: &Selection) -> Vec<(String, String)> {
        match selection {
            Selection::Apps(apps) => apps.iter().map(|app| ("app".to_owned(), app.to_string())).collect(),
            Selection::Matching { query, count } => vec![
                ("scope".to_owned(), "all".to_owned()),
                ("query".to_owned(), query.to_url()),
                ("matching".to_owned(), count.to_string()),
            ],
        }
    }

    /// The selection: the named apps, or every app that a query matches. `matching` counts those that match now.
    pub fn selection(&self, matching: impl FnOnce(&FleetQuery) -> usize) -> Result<Selection, Failure> {
        if self.value("scope") == "all" {
            let query = FleetQuery { after: None, ..FleetQuery::from_url(self.value("query"))? };
            let count = match self.value("matching") {
                "" => matching(&query),
                seen => seen.parse().map_err(|_| Failure::bad_query("The form's count cannot be read."))?,
            };
            return Ok(Selection::Matching { query, count });
        }
        let app = |id: &str| {
            id.parse::<AppId>().map_err(|_| Failure::bad_query("The form names an app by what is no ARM id."))
        };
        let apps: BTreeSet<AppId> = self.values("app").map(app).collect::<Result<_, _>>()?;
        if apps.is_empty() {
            let detail = "No app is selected, so there is nothing to back up.";
            let failure =
                Failure::new(StatusCode::BAD_REQUEST, "nothing_selected", "No app is selected", detail);
            return Err(failure.help("Select apps in the fleet, or back up all that match."));
        }
        Ok(Selection::Apps(apps))
    }
}

/// Carries out a request for which there is a permit, even if the client leaves meanwhile.
pub async fn carry_out(
    site: &Arc<Site>,
    (permit, caller): (Permit, Caller),
    selection: Selection,
    fingerprint: String,
) -> Result<Arc<BackupsDone>, Failure> {
    let (doing, kept) = (Arc::clone(site), permit.clone());
    let done = tokio::spawn(async move {
        let done = start(&doing, (&kept, &caller), selection, fingerprint).await;
        if done.is_err() {
            doing.forms.release(&kept);
        }
        done
    });
    let failed = |error| {
        tracing::error!(error = &error as &dyn std::error::Error, "failed to carry out a request");
        site.forms.release(&permit);
        let detail = "The request ended unexpectedly. Look at the activity before you ask again.";
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "It went wrong", detail)
    };
    done.await.map_err(failed)??;
    site.forms.result(&permit.id).ok_or_else(Failure::no_result)
}

async fn start(
    site: &Site,
    (permit, caller): (&Permit, &Caller),
    selection: Selection,
    fingerprint: String,
) -> Result<(), Failure> {
    let cached = site.reading_now().await?;
    if cached.store_away {
        return Err(Failure::store_away());
    }
    let preview = site.backups.preview(&cached.reading, &selection)?;
    in_scope(&caller.principal, &cached.reading, &preview)?;
    let actor = caller.actor.clone();
    let request = BackupRequest { selection, actor, key: permit.id.clone(), asked_at: permit.at };
    let started = site.backups.back_up(&cached.reading, request).await?;
    site.forms.finish(permit, BackupsDone { started, fingerprint });
    site.expire();
    Ok(())
}

/// Refuses a request about apps that are out of the principal's scope.
pub fn in_scope(
    principal: &Principal,
    reading: &FleetReading,
    preview: &BackupPreview,
) -> Result<(), Failure> {
    if principal.scope == Scope::ALL {
        return Ok(());
    }
    let left_out = preview.left_out.iter().map(|left| &left.app);
    for app in preview.starts.iter().chain(&preview.under_way).chain(left_out) {
        let policy = reading.status_of(app).and_then(|status| status.policy.as_ref());
        if !principal.scope.covers(policy) {
            let policy = policy.map_or("in no policy".to_owned(), |policy| format!("under policy {policy}"));
            return Err(Failure::out_of_scope(&format!("{} is {policy}", app.short_name())));
        }
    }
    Ok(())
}
