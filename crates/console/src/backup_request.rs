//! A request to back up apps: read from a form or a document, and carried out once.

use axum::http::StatusCode;
use holdfast_access::{Principal, Scope};
use holdfast_control::retry::{self, RetrySelection, RunSelection};
use holdfast_control::views::FleetReading;
use holdfast_control::views::actions::{BackupPreview, BackupsStarted, LeftOut, Selection};
use holdfast_control::views::activity::ActivityQuery;
use holdfast_control::views::fleet::FleetQuery;
use holdfast_model::{AppId, RunId};
use std::collections::BTreeSet;
use url::form_urlencoded;

use crate::backups::BackupRequest;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::forms::Permit;
use crate::pages::{activity_query, activity_url};
use crate::site::Site;

/// The apps that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Apps.
    Apps(Selection),
    /// The apps of runs that did not succeed.
    Runs(RunSelection),
}

/// The apps that were found for what is asked.
#[derive(Debug)]
pub struct Resolved {
    /// The apps.
    pub selection: Selection,
    /// Apps of the runs that are not backed up again, each with the reason.
    pub left_out: Vec<LeftOut>,
    /// The number of runs, where runs were selected.
    pub runs: Option<usize>,
}

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

    /// The fields with these names as a query string.
    pub fn to_query(&self, names: &[&str]) -> String {
        let fields = self.0.iter().filter(|(field, _)| names.contains(&field.as_str()));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    }

    /// The fields that name what is asked for, for the next form. `runs` is the number of runs that were found.
    pub fn of_asked(asked: &Asked, runs: Option<usize>) -> Vec<(String, String)> {
        let selection = match asked {
            Asked::Apps(selection) => selection,
            Asked::Runs(RunSelection::Runs(runs)) => {
                let run = |run: &RunId| ("run".to_owned(), run.to_string());
                let scope = ("scope".to_owned(), "runs".to_owned());
                return std::iter::once(scope).chain(runs.iter().map(run)).collect();
            }
            Asked::Runs(RunSelection::Matching { query, .. }) => {
                return vec![
                    ("scope".to_owned(), "all-runs".to_owned()),
                    ("activity".to_owned(), activity_url(query)),
                    ("matching".to_owned(), runs.unwrap_or_default().to_string()),
                ];
            }
        };
        match selection {
            Selection::Apps(apps) => apps.iter().map(|app| ("app".to_owned(), app.to_string())).collect(),
            Selection::Matching { query, count } => vec![
                ("scope".to_owned(), "all".to_owned()),
                ("query".to_owned(), query.to_url()),
                ("matching".to_owned(), count.to_string()),
            ],
        }
    }

    /// What is asked for: apps, or the apps of runs. `matching` counts the apps that match a query now.
    pub fn asked(&self, matching: impl FnOnce(&FleetQuery) -> usize) -> Result<Asked, Failure> {
        let runs = match self.value("scope") {
            "runs" => self.runs()?,
            "all-runs" => {
                let query = ActivityQuery { after: None, ..activity_query(self.value("activity"))? };
                let count = match self.value("matching") {
                    "" => None,
                    seen => Some(seen.parse().map_err(|_| bad_count())?),
                };
                RunSelection::Matching { query, count }
            }
            _ => return Ok(Asked::Apps(self.selection(matching)?)),
        };
        Ok(Asked::Runs(runs))
    }

    fn runs(&self) -> Result<RunSelection, Failure> {
        let run = |id: &str| id.parse::<RunId>().map_err(|_| Failure::no_run(id));
        let runs: BTreeSet<RunId> = self.values("run").map(run).collect::<Result<_, _>>()?;
        if runs.is_empty() {
            let detail = "No run is selected, so there is nothing to retry.";
            let failure =
                Failure::new(StatusCode::BAD_REQUEST, "nothing_selected", "No run is selected", detail);
            return Err(failure.help("Select runs in the activity, or retry all that match."));
        }
        Ok(RunSelection::Runs(runs))
    }

    /// The selection: the named apps, or every app that a query matches. `matching` counts those that match now.
    fn selection(&self, matching: impl FnOnce(&FleetQuery) -> usize) -> Result<Selection, Failure> {
        if self.value("scope") == "all" {
            let query = FleetQuery { after: None, ..FleetQuery::from_url(self.value("query"))? };
            let count = match self.value("matching") {
                "" => matching(&query),
                seen => seen.parse().map_err(|_| bad_count())?,
            };
            return Ok(Selection::Matching { query, count });
        }
        let app = |id: &str| {
            id.parse::<AppId>().map_err(|_| Failure::bad_query("The form names an app by what is no ARM id."))
        };
        let apps: BTreeSet<AppId> = self.values("app").map(app).collect::<Result<_, _>>()?;
        if apps.is_empty() {
            let detail = "No app is selected, so there is nothing to do.";
            let failure =
                Failure::new(StatusCode::BAD_REQUEST, "nothing_selected", "No app is selected", detail);
            return Err(failure.help("Select apps in the fleet, or take all that match."));
        }
        Ok(Selection::Apps(apps))
    }
}

fn bad_count() -> Failure {
    Failure::bad_query("The form's count cannot be read.")
}

/// Starts the backups of a request.
pub async fn start(
    site: &Site,
    (permit, caller): (&Permit, &Caller),
    asked: Asked,
) -> Result<BackupsStarted, Failure> {
    let cached = site.reading_now().await?;
    if cached.store_away {
        return Err(Failure::store_away());
    }
    let Resolved { selection, left_out, .. } = site.resolve(&cached.reading, asked).await?;
    let preview = site.backups().preview(&cached.reading, &selection)?;
    in_scope(&caller.principal, &cached.reading, &preview)?;
    let actor = caller.actor.clone();
    let (key, asked_at, request) = (permit.id.clone(), permit.at, permit.request.clone());
    let request = BackupRequest { selection, actor, key, asked_at, request, left_out };
    Ok(site.backups().back_up(&cached.reading, request).await?)
}

impl Site {
    /// The apps that are asked for. Those of runs are read from the store.
    pub(crate) async fn resolve(&self, reading: &FleetReading, asked: Asked) -> Result<Resolved, Failure> {
        let runs = match asked {
            Asked::Apps(selection) => {
                return Ok(Resolved { selection, left_out: Vec::new(), runs: None });
            }
            Asked::Runs(runs) => runs,
        };
        let RetrySelection { runs, apps, left_out } = retry::select(self.store(), reading, &runs).await?;
        Ok(Resolved { selection: apps, left_out, runs: Some(runs) })
    }
}

/// Refuses a request about apps that are out of the principal's scope.
pub fn in_scope(
    principal: &Principal,
    reading: &FleetReading,
    preview: &BackupPreview,
) -> Result<(), Failure> {
    let left_out = preview.left_out.iter().map(|left| &left.app);
    apps_in_scope(principal, reading, preview.starts.iter().chain(&preview.under_way).chain(left_out))
}

/// The same for apps.
pub fn apps_in_scope<'a>(
    principal: &Principal,
    reading: &FleetReading,
    apps: impl IntoIterator<Item = &'a AppId>,
) -> Result<(), Failure> {
    if principal.scope == Scope::ALL {
        return Ok(());
    }
    for app in apps {
        let policy = reading.status_of(app).and_then(|status| status.policy.as_ref());
        if !principal.scope.covers(policy) {
            let policy = policy.map_or("in no policy".to_owned(), |policy| format!("under policy {policy}"));
            return Err(Failure::out_of_scope(&format!("{} is {policy}", app.short_name())));
        }
    }
    Ok(())
}
