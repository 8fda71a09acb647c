//! Coverage: the apps that nothing backs up, and what to write into the fleet file.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use holdfast_control::coverage::Coverage;
use holdfast_control::views::coverage::{CoverageList, CoveragePage, coverage_page};
use serde::Serialize;
use utoipa::ToSchema;

use crate::background::{Dated, Known};
use crate::failure::{ApiFailure, Failure};
use crate::layout::{Page, Shown, Tab};
use crate::markup::{Markup, ago, link, thousands};
use crate::pages::run_rows::empty;
use crate::site::Site;

#[derive(Template)]
#[template(path = "coverage.html")]
struct Content {
    sentence: String,
    asked: Option<Markup>,
    listed: String,
    is_asking: bool,
    error: Option<String>,
    lists: Vec<ListShown>,
    unanswered: Vec<(String, String)>,
    left_out: Vec<String>,
}

struct ListShown {
    id: String,
    label: &'static str,
    count: String,
    rows: Vec<RowShown>,
    more: usize,
    toml: Option<String>,
}

struct RowShown {
    name: String,
    href: String,
    why: String,
    place: String,
    last_good: Markup,
}

/// The answer of the API before the first answer is known.
#[derive(Serialize, ToSchema)]
pub struct Asking {
    /// `asking_azure` or `forecasting`.
    status: &'static str,
    /// Why there was none the last time.
    error: Option<String>,
}

impl Asking {
    /// The answer while something is being done, with why it failed the last time.
    pub fn new(status: &'static str, error: Option<String>) -> Self {
        Self { status, error }
    }
}

/// Serves the page.
pub async fn coverage(State(site): State<Arc<Site>>, shown: Shown) -> Result<Response, Failure> {
    let (view, reading) = read(&site).await?;
    let as_of = Some(site.reading().await?.reading.at);
    let live = Some(if reading.is_asking { 5 } else { 60 });
    let content = Content::of(view.as_ref(), reading.is_asking, reading.error);
    Ok(shown.answer(&Page { title: "Coverage".into(), tab: Tab::Coverage, as_of, live, content }))
}

/// Which apps nothing backs up
///
/// Azure is asked in the background: until it has answered for the first time, the answer is 202.
#[utoipa::path(
    get, path = "/api/v1/coverage", operation_id = "coverage", tag = "fleet",
    responses((status = 200, description = "The gaps.", body = CoveragePage), (status = 202, description = "Azure is being asked.", body = Asking))
)]
pub async fn document(State(site): State<Arc<Site>>) -> Result<Response, ApiFailure> {
    let (view, reading) = read(&site).await?;
    if let Some(view) = view {
        return Ok(Json(view).into_response());
    }
    let asking = Asking::new("asking_azure", reading.error);
    Ok((StatusCode::ACCEPTED, [(RETRY_AFTER, "5")], Json(asking)).into_response())
}

async fn read(site: &Site) -> Result<(Option<CoveragePage>, Known<Coverage>), Failure> {
    let known = site.coverage.read();
    let reading = site.reading().await?.reading;
    let policies = site.policy_names();
    let view = |dated: &Dated<Coverage>| coverage_page((&dated.answer, dated.asked_at), &reading, &policies);
    Ok((known.answer.as_ref().map(view), known))
}

impl Content {
    fn of(view: Option<&CoveragePage>, is_asking: bool, error: Option<String>) -> Self {
        let Some(view) = view else {
            return Self {
                sentence: "Azure is asked for its apps.".to_owned(),
                asked: None,
                listed: String::new(),
                is_asking,
                error,
                lists: Vec::new(),
                unanswered: Vec::new(),
                left_out: Vec::new(),
            };
        };
        Self {
            sentence: view.sentence.clone(),
            asked: Some(crate::markup::time(view.asked_at, crate::markup::Parts::Short)),
            listed: thousands(view.listed),
            is_asking,
            error,
            lists: view.lists.iter().map(|of| list(of, view)).collect(),
            unanswered: view.unanswered.clone(),
            left_out: view.left_out.clone(),
        }
    }
}

/// Rows of a list that the page shows. The API has more.
const ROWS: usize = 100;

fn list(list: &CoverageList, view: &CoveragePage) -> ListShown {
    let rows: Vec<RowShown> = list
        .apps
        .iter()
        .take(ROWS)
        .map(|row| RowShown {
            name: row.name.clone(),
            href: link::app_by_id(&row.app),
            why: row.why.clone(),
            place: row.place.clone(),
            last_good: row.last_good_at.map_or_else(empty, |at| ago(at, view.asked_at)),
        })
        .collect();
    ListShown {
        id: format!("{:?}", list.kind).to_lowercase(),
        label: list.kind.label(),
        count: thousands(list.count),
        more: list.count - rows.len(),
        rows,
        toml: list.toml.clone(),
    }
}
