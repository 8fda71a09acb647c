//! The fleet: every app as a row, searched, narrowed, sorted and paged by the address.

use std::sync::Arc;

use askama::Template;
use askama::filters::Safe;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use holdfast_control::views::SasState;
use holdfast_control::views::cause_advice::label;
use holdfast_control::views::fleet::{FleetPage, FleetQuery, FleetRow, Sort};
use holdfast_model::Timestamp;
use url::form_urlencoded;

use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::markup::charts::{age_bar, spark, strip};
use crate::markup::{Markup, Parts, ago, counted, link, mark, size, soon, span, thousands, time};
use crate::pages::facets;
use crate::pages::run_rows::empty;
use crate::site::Site;

/// Rows of a page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "fleet.html")]
struct Content {
    counts: String,
    store_away: bool,
    read: Markup,
    text: String,
    kept: Vec<(String, String)>,
    is_narrowed: bool,
    export: String,
    groups: Vec<facets::Group>,
    query: String,
    columns: Vec<Column>,
    rows: Vec<RowShown>,
    matching: String,
    first: Option<String>,
    next: Option<String>,
    page: usize,
}

struct Column {
    name: &'static str,
    href: Option<String>,
    order: Option<&'static str>,
    arrow: &'static str,
    is_number: bool,
}

struct RowShown {
    id: String,
    href: String,
    name: String,
    policy: String,
    mark: Markup,
    cause: Option<String>,
    last_good: Option<Markup>,
    strip: Markup,
    size: String,
    trend: Markup,
    next: Markup,
    sas: Markup,
    proven: Markup,
}

/// Serves the page.
pub async fn fleet(
    State(site): State<Arc<Site>>,
    RawQuery(query): RawQuery,
    shown: Shown,
) -> Result<Response, Failure> {
    let query = FleetQuery::from_url(&query.unwrap_or_default())?;
    let view = site.fleet(&query, ROWS).await?;
    let as_of = Some(view.as_of);
    let content = Content::of(&view, &query);
    Ok(shown.answer(&Page { title: "Fleet".into(), tab: Tab::Fleet, as_of, live: Some(10), content }))
}

impl Content {
    fn of(view: &FleetPage, query: &FleetQuery) -> Self {
        let whole = FleetQuery { after: None, ..query.clone() };
        let unfiltered = FleetQuery { sort: query.sort, reverse: query.reverse, ..FleetQuery::default() };
        let is_narrowed = whole != unfiltered;
        let next = |after: &String| link::fleet(&FleetQuery { after: Some(after.clone()), ..query.clone() });
        Self {
            counts: counts(view, query, is_narrowed),
            store_away: view.store_away,
            read: time(view.as_of, Parts::Short),
            text: query.text.clone(),
            kept: kept(&whole),
            is_narrowed,
            export: link::with_query("", &whole.to_url()),
            groups: facets::groups(&view.facets, &whole),
            query: whole.to_url(),
            columns: columns(&whole),
            rows: view.rows.iter().map(|app| row(app, view.as_of)).collect(),
            matching: thousands(view.matching),
            first: query.after.is_some().then(|| link::fleet(&whole)),
            next: view.next.as_ref().map(next),
            page: ROWS,
        }
    }
}

fn counts(view: &FleetPage, query: &FleetQuery, is_narrowed: bool) -> String {
    let apps = counted(view.enrolled, "app");
    let order = query.sort.label();
    let reversed = if query.reverse { ", reversed" } else { "" };
    if is_narrowed {
        let verb = if view.matching == 1 { "matches" } else { "match" };
        return format!("{} of {apps} {verb}, {order}{reversed}.", thousands(view.matching));
    }
    format!("{apps}, {order}{reversed}.")
}

/// The fields that a search keeps: all of the view but its text and its page.
fn kept(query: &FleetQuery) -> Vec<(String, String)> {
    let rest = FleetQuery { text: String::new(), ..query.clone() }.to_url();
    form_urlencoded::parse(rest.as_bytes()).into_owned().collect()
}

fn columns(query: &FleetQuery) -> Vec<Column> {
    let column = |(name, sort, is_number): (&'static str, Option<Sort>, bool)| {
        let is_current = sort == Some(query.sort);
        let reverse = is_current && !query.reverse;
        let href = |sort| link::fleet(&FleetQuery { sort, reverse, ..query.clone() });
        let (order, arrow) = match (is_current, query.reverse) {
            (false, _) => (None, ""),
            (true, false) => (Some("ascending"), " ↓"),
            (true, true) => (Some("descending"), " ↑"),
        };
        Column { name, href: sort.map(href), order, arrow, is_number }
    };
    [
        ("App", Some(Sort::Name), false),
        ("Policy", None, false),
        ("State", Some(Sort::Worst), false),
        ("Last good", Some(Sort::Age), false),
        ("30 days", None, false),
        ("Size", Some(Sort::Size), true),
        ("Next", Some(Sort::NextTick), true),
        ("SAS", Some(Sort::Sas), true),
        ("Proven", Some(Sort::Proven), true),
    ]
    .into_iter()
    .map(column)
    .collect()
}

fn row(app: &FleetRow, now: Timestamp) -> RowShown {
    let days: Vec<_> = app.days.iter().map(|day| day.result).collect();
    #[expect(clippy::cast_precision_loss, reason = "the height of a line")]
    let sizes: Vec<f64> = app.sizes.iter().map(|size| *size as f64).collect();
    RowShown {
        id: app.app.to_string(),
        href: link::app(&app.app),
        name: app.name.clone(),
        policy: app.policy.as_ref().map(ToString::to_string).unwrap_or_default(),
        mark: mark(app.severity, app.condition.label()),
        cause: app.cause.map(|cause| label(cause).to_owned()),
        last_good: app.last_good_at.map(|at| last_good(app, at, now)),
        strip: strip(&days),
        size: app.last_bytes.map(size).unwrap_or_default(),
        trend: spark(&sizes),
        next: app.next_tick.map_or_else(empty, |at| soon(at, now)),
        sas: sas(app, now),
        proven: app.proven_at.map_or_else(empty, |at| ago(at, now)),
    }
}

/// When the SAS expires, with a word where people should renew it.
fn sas(app: &FleetRow, now: Timestamp) -> Markup {
    match (app.sas, app.sas_expiry) {
        (Some(state), Some(at)) if state.needs_attention() => {
            let when = if at > now { soon(at, now) } else { ago(at, now) };
            Safe(format!("{}<small>{}</small>", mark(state.severity(), state.as_str()).0, when.0))
        }
        (Some(SasState::Valid), Some(at)) => soon(at, now),
        (Some(SasState::Minted), _) => Safe("minted".to_owned()),
        _ => empty(),
    }
}

/// The latest recovery point: its age against the objective, and when it was.
fn last_good(app: &FleetRow, at: Timestamp, now: Timestamp) -> Markup {
    Safe(format!("<span class=\"mid\">{} <span class=\"soft\">{}</span></span>", age(app).0, ago(at, now).0))
}

/// The age of the latest recovery point against the objective; nothing where there is none to compare with.
fn age(app: &FleetRow) -> Markup {
    let (Some(permille), Some(objective)) = (app.age_permille, app.objective_s) else { return empty() };
    let share = f64::from(permille) / 1_000.0;
    age_bar(share, &format!("{}% of an objective of {}", permille / 10, span(objective)))
}
