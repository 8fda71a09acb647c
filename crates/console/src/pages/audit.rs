//! The audit: what people did, and the state of the chain.

use std::sync::Arc;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use holdfast_control::audit::ExportFilter;
use holdfast_control::views::Severity;
use holdfast_control::views::audit_page::{AuditPage, AuditQuery, AuditRow};
use holdfast_model::{AppId, Timestamp};
use holdfast_store::CheckpointStatus;
use url::form_urlencoded::{Serializer, parse};

use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::{Markup, Parts, ago, link, mark, thousands, time};
use crate::pages::activity_url::known;
use crate::pages::person::{beside, without_person};
use crate::pages::run_rows::empty;
use crate::site::Site;

#[derive(Template)]
#[template(path = "audit.html")]
struct Content {
    summary: String,
    is_narrowed: bool,
    person: String,
    checkpoints: Vec<CheckpointShown>,
    rows: Vec<RowShown>,
    next: Option<String>,
    /// The signed export of what the page shows, on all its pages.
    export: String,
    view: AuditPage,
}

struct CheckpointShown {
    mark: Markup,
    destination: String,
    when: Markup,
    error: Option<String>,
}

struct RowShown {
    seq: String,
    run_href: String,
    at: Markup,
    person: String,
    person_href: String,
    beside: String,
    what: String,
    app: Option<(String, String)>,
}

/// Serves the page.
pub async fn audit(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    shown: Shown,
) -> Result<Response, Failure> {
    let query = from_url(&query.unwrap_or_default())?;
    let view = site.audit(&query).await?;
    let as_of = Some(view.as_of);
    let content = Content::of(view, &query);
    Ok(shown.answer(&Page { title: "Audit".into(), tab: Tab::Audit, as_of, live: None, content }))
}

/// The query of a query string. Names that it does not know are ignored; an unknown value is an error.
pub fn from_url(text: &str) -> Result<AuditQuery, Failure> {
    let mut query = AuditQuery::default();
    for (name, value) in parse(text.as_bytes()).filter(|(_, value)| !value.is_empty()) {
        match &*name {
            "person" => query.person = Some(value.into_owned()),
            "app" => query.app = Some(known::<AppId>(&name, &value)?),
            "kind" => query.kind = Some(value.into_owned()),
            "after" => query.after = Some(value.into_owned()),
            _ => {}
        }
    }
    Ok(query)
}

/// The query string, without the question mark.
pub fn to_url(query: &AuditQuery) -> String {
    let mut pairs = Serializer::new(String::new());
    let app = query.app.as_ref().map(ToString::to_string);
    let values = [("person", &query.person), ("app", &app), ("kind", &query.kind), ("after", &query.after)];
    for (name, value) in values {
        if let Some(value) = value {
            pairs.append_pair(name, value);
        }
    }
    pairs.finish()
}

impl Content {
    fn of(view: AuditPage, query: &AuditQuery) -> Self {
        let first = AuditQuery { after: None, ..query.clone() };
        let next = |after: &String| {
            link::with_query("/audit", &to_url(&AuditQuery { after: Some(after.clone()), ..query.clone() }))
        };
        Self {
            summary: summary(&view, query),
            is_narrowed: first != AuditQuery::default(),
            person: query.person.clone().unwrap_or_default(),
            checkpoints: view.checkpoints.iter().map(|one| checkpoint(one, view.as_of)).collect(),
            rows: view.rows.iter().map(row).collect(),
            next: view.next.as_ref().map(next),
            export: {
                let filter = ExportFilter { acts: true, query: first.clone() };
                link::with_query("/audit/export", &filter.to_text())
            },
            view,
        }
    }
}

fn summary(view: &AuditPage, query: &AuditQuery) -> String {
    let mut text = "What people did".to_owned();
    if let Some(app) = &query.app {
        text = format!("{text} about {}", app.short_name());
    }
    if let Some(person) = &query.person {
        text = format!("{text}, as {person}");
    }
    format!(
        "{text}, the newest first. The chain has {} events.",
        thousands(u64::try_from(view.last_seq).unwrap_or(0))
    )
}

fn checkpoint(status: &CheckpointStatus, now: Timestamp) -> CheckpointShown {
    let (severity, word) = match (status.failed_since, status.written_at) {
        (Some(_), _) => (Severity::Bad, "not written"),
        (None, Some(_)) => (Severity::Ok, "written"),
        (None, None) => (Severity::Muted, "not written yet"),
    };
    let when = status.failed_since.or(status.written_at);
    CheckpointShown {
        mark: mark(severity, word),
        destination: status.destination.clone(),
        when: when.map_or_else(empty, |at| ago(at, now)),
        error: status.error.clone(),
    }
}

fn row(row: &AuditRow) -> RowShown {
    let query = AuditQuery { person: Some(row.person.clone()), ..AuditQuery::default() };
    RowShown {
        seq: thousands(u64::try_from(row.seq).unwrap_or(0)),
        run_href: link::run(row.run_id),
        at: time(row.at, Parts::Short),
        person: row.person.clone(),
        person_href: link::with_query("/audit", &to_url(&query)),
        beside: beside(&row.claim, &row.person).to_owned(),
        what: without_person(&row.what, &row.person),
        app: row.app.as_ref().map(|app| (link::app(app), app.short_name())),
    }
}
