//! The fleet as CSV and JSON: every row that the view has, on all its pages.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use holdfast_control::views::fleet::{FleetPage, FleetQuery, FleetRow};
use holdfast_model::{Timestamp, format_timestamp};

use crate::failure::Failure;
use crate::site::Site;

const COLUMNS: [&str; 14] = [
    "name",
    "policy",
    "tags",
    "condition",
    "cause",
    "last_good_at",
    "objective_s",
    "age_permille",
    "last_bytes",
    "next_tick",
    "sas_expiry",
    "sas",
    "proven_at",
    "app",
];

/// Serves the rows as CSV.
pub async fn csv(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let page = whole(&site, query).await?;
    let mut text = COLUMNS.join(",") + "\r\n";
    for row in &page.rows {
        let fields: Vec<String> = fields(row).iter().map(|field| quoted(field)).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"fleet.csv\""),
    ];
    Ok((headers, text).into_response())
}

/// Serves the rows as JSON.
pub async fn json(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    Ok(Json(whole(&site, query).await?).into_response())
}

async fn whole(site: &Site, query: Option<String>) -> Result<FleetPage, Failure> {
    let query = FleetQuery { after: None, ..FleetQuery::from_url(&query.unwrap_or_default())? };
    site.fleet(&query, usize::MAX).await
}

fn fields(row: &FleetRow) -> [String; 14] {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let time = |at: Option<Timestamp>| at.map(format_timestamp).unwrap_or_default();
    [
        row.name.clone(),
        row.policy.as_ref().map(ToString::to_string).unwrap_or_default(),
        row.tags.to_string(),
        row.condition.as_str().to_owned(),
        row.cause.map(|cause| cause.as_str().to_owned()).unwrap_or_default(),
        time(row.last_good_at),
        number(row.objective_s.and_then(|seconds| i64::try_from(seconds).ok())),
        number(row.age_permille.map(i64::from)),
        number(row.last_bytes),
        time(row.next_tick),
        time(row.sas_expiry),
        row.sas.map(|sas| sas.as_str().to_owned()).unwrap_or_default(),
        time(row.proven_at),
        row.app.to_string(),
    ]
}

/// A field of CSV. A text that a spreadsheet would take for a formula gets an apostrophe in front.
fn quoted(field: &str) -> String {
    let guard = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !field.contains([',', '"', '\n', '\r']) {
        return field.to_owned();
    }
    format!("\"{guard}{}\"", field.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_where_it_must_be_and_is_never_a_formula() {
        for (field, shown) in [
            ("shop", "shop"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=HYPERLINK(1)", "\"'=HYPERLINK(1)\""),
            ("-1", "\"'-1\""),
            ("@x", "\"'@x\""),
        ] {
            assert_eq!(quoted(field), shown);
        }
    }
}
