//! Restores and drills of many apps from pages: which point in time and where to, the plan of all, and its confirmation.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header::REFRESH;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use holdfast_control::restore::{APPS_MAX, ManyPlan, ManyRestores, ManyTargets, NEVER_RESTORED, RestorePlan};
use holdfast_control::selector::Selector;
use holdfast_control::views::matching;
use holdfast_model::{AppId, RunKind, StorageName, Timestamp, parse_timestamp};

use crate::backup_request::{Asked, SentForm};
use crate::caller::Caller;
use crate::failure::Failure;
use crate::layout::{Page, Shown, Tab};
use crate::many_restores::ManyConfirmed;
use crate::markup::{Markup, ago, counted, link, size};
use crate::once::of_form;
use crate::plans::PlanKey;
use crate::restore_kind::RestoreKind;
use crate::site::Site;

#[derive(Template)]
#[template(path = "many_form.html")]
struct Form {
    is_drill: bool,
    apps: String,
    most: usize,
    fields: Vec<(String, String)>,
    names: Vec<String>,
    more: usize,
}

#[derive(Template)]
#[template(path = "many_plan.html")]
struct PlanShown<'a> {
    question: String,
    kind: &'static str,
    is_over: bool,
    warnings: &'a [String],
    never: String,
    rows: Vec<Row>,
    left_out: Vec<(String, String)>,
    action: String,
    token: String,
    plan: String,
    word: String,
    button: String,
    /// Whether a second person must confirm it afterwards.
    waits: bool,
}

struct Row {
    name: String,
    href: String,
    backup: String,
    taken: Option<Markup>,
    size: String,
    into: String,
    databases: String,
    warnings: String,
}

#[derive(Template)]
#[template(
    source = "<h1>{{ title }}</h1>\n<p class=\"sub\">Azure is asked for each app. This page loads again by itself.</p>",
    ext = "html"
)]
struct Making {
    title: &'static str,
}

/// Names of apps that the form lists.
const NAMES: usize = 200;

/// Asks for the point in time, and where selected apps are restored to.
pub async fn form(
    State(site): State<Arc<Site>>,
    shown: Shown,
    uri: Uri,
    body: String,
) -> Result<Response, Failure> {
    let kind = RestoreKind::of_path(uri.path());
    let (asked, apps) = selected(&site, &SentForm::read(&body)).await?;
    let names: Vec<String> = apps.iter().take(NAMES).map(AppId::short_name).collect();
    let content = Form {
        is_drill: kind == RestoreKind::Drill,
        apps: counted(apps.len(), "app"),
        most: APPS_MAX,
        fields: SentForm::of_asked(&asked, None),
        more: apps.len() - names.len(),
        names,
    };
    let title = title(kind).into();
    Ok(shown.answer(&Page { title, tab: Tab::Fleet, as_of: None, live: None, content }))
}

/// Begins to plan, and leads to the plan.
pub async fn plan(
    State(site): State<Arc<Site>>,
    caller: Caller,
    uri: Uri,
    body: String,
) -> Result<Response, Failure> {
    let (kind, sent) = (RestoreKind::of_path(uri.path()), SentForm::read(&body));
    let (_, apps) = selected(&site, &sent).await?;
    let given = |name: &str| Some(sent.value(name).trim().to_owned()).filter(|value| !value.is_empty());
    let select = Selector { names: apps.iter().map(ToString::to_string).collect(), ..Selector::default() };
    let is_drill = kind == RestoreKind::Drill;
    let request = ManyRestores {
        at: match sent.value("at").trim() {
            "" => None,
            at => Some(
                parse_timestamp(at).map_err(|_| Failure::bad_query("The point in time is not RFC 3339."))?,
            ),
        },
        // The page shows what is replaced, and asks for its number.
        overwrite: true,
        ignore_databases: !is_drill && sent.value("databases") != "bring",
        ignore_conflicting_host_names: sent.value("hosts") == "ignore",
        plan: given("plan"),
        storage: given("storage").as_deref().map(StorageName::new),
        into: given("into"),
        probe: given("probe"),
        ..ManyRestores::new(select, targets(kind, &sent)?)
    };
    let PlanKey { id, .. } = site.plan_many(kind, &caller, request).await?;
    Ok(Redirect::to(&format!("{}/many/{id}", kind.path())).into_response())
}

fn targets(kind: RestoreKind, sent: &SentForm) -> Result<ManyTargets, Failure> {
    let name = sent.value("name").trim().to_owned();
    match (kind, sent.value("target")) {
        (RestoreKind::Drill, _) => Ok(ManyTargets::Scratch),
        (_, "same") => Ok(ManyTargets::InPlace),
        (_, "slot") if !name.is_empty() => Ok(ManyTargets::Slot(name)),
        (_, "new") if !name.is_empty() => Ok(ManyTargets::New(name)),
        _ => Err(Failure::bad_query("The target needs a name.")),
    }
}

fn title(kind: RestoreKind) -> &'static str {
    match kind {
        RestoreKind::Restore => "Restore apps",
        RestoreKind::Drill => "Drill apps",
    }
}

/// The selected apps, in the order of their names.
pub(super) async fn selected(site: &Site, sent: &SentForm) -> Result<(Asked, Vec<AppId>), Failure> {
    let cached = site.reading_now().await?;
    if cached.store_away {
        return Err(Failure::store_away());
    }
    let asked = sent.asked(|query| matching(&cached.reading, query).len())?;
    let Asked::Apps(selection) = &asked else {
        return Err(Failure::bad_query("The form names runs, and this is about apps."));
    };
    let mut apps = selection.apps(&cached.reading)?;
    apps.sort_by_key(AppId::short_name);
    Ok((asked, apps))
}

/// Shows a plan, once it is made.
pub async fn show(
    State(site): State<Arc<Site>>,
    caller: Caller,
    Path(id): Path<String>,
    uri: Uri,
    shown: Shown,
) -> Result<Response, Failure> {
    let kind = RestoreKind::of_path(uri.path());
    let title = title(kind);
    let key = PlanKey { id, owner: caller.identity(), kind };
    let Some(ready) = site.plans.find(&key).await? else {
        let content = Making { title: "The plan is being made" };
        let page = Page { title: title.into(), tab: Tab::Fleet, as_of: None, live: None, content };
        return Ok(([(REFRESH, "1")], shown.answer(&page)).into_response());
    };
    let token = site.forms.issue(&caller.binding).ok_or_else(Failure::no_randomness)?;
    let (plan, four_eyes) = (&ready.plan, site.azure().four_eyes());
    let waits = plan.starts.iter().any(|plan| plan.waits_for_approval(four_eyes).is_some());
    let content = PlanShown { waits, token, plan: key.id, ..PlanShown::of(kind, plan, ready.as_of) };
    let as_of = Some(ready.as_of);
    Ok(shown.answer(&Page { title: title.into(), tab: Tab::Fleet, as_of, live: None, content }))
}

/// Starts a confirmed plan, and leads to the result.
pub async fn start(
    State(site): State<Arc<Site>>,
    caller: Caller,
    uri: Uri,
    body: String,
) -> Result<Response, Failure> {
    let (kind, sent) = (RestoreKind::of_path(uri.path()), SentForm::read(&body));
    let asked = ManyConfirmed {
        plan: sent.value("plan").to_owned(),
        confirm: number(&sent)?,
        reason: Some(sent.value("reason").to_owned()).filter(|reason| !reason.is_empty()),
    };
    let (doing, person) = (Arc::clone(&site), caller.clone());
    let work = |_| async move { doing.start_many(kind, &person, &asked).await };
    let id = of_form(&site, &caller, &sent, work).await?;
    Ok(Redirect::to(&format!("/acts/{id}/result")).into_response())
}

/// The number that was typed to confirm.
pub(super) fn number(sent: &SentForm) -> Result<usize, Failure> {
    sent.value("confirm").replace([',', ' '], "").parse().map_err(|_| not_a_number())
}

fn not_a_number() -> Failure {
    let detail = "What was typed is not a number, so nothing was started.";
    let failure = Failure::new(StatusCode::BAD_REQUEST, "not_confirmed", "Not confirmed", detail);
    failure.help("Go back, and type the number that the page shows.")
}

impl<'a> PlanShown<'a> {
    fn of(kind: RestoreKind, plan: &'a ManyPlan, now: Timestamp) -> Self {
        let left_out = plan.left_out.iter().map(|left| (left.app.short_name(), left.why.clone()));
        let word = plan.word();
        Self {
            question: plan.question(),
            kind: plan.kind.as_str(),
            is_over: plan.starts.iter().any(|plan| plan.target.exists),
            warnings: &plan.warnings,
            never: NEVER_RESTORED.join(", "),
            rows: plan.starts.iter().map(|plan| row(plan, now)).collect(),
            left_out: left_out.collect(),
            action: format!("{}/many", kind.path()),
            button: match plan.kind {
                RunKind::Drill => format!("Start {}", counted(plan.starts.len(), "drill")),
                _ => format!("Restore {}", counted(plan.starts.len(), "app")),
            },
            word,
            token: String::new(),
            plan: String::new(),
            waits: false,
        }
    }
}

fn row(plan: &RestorePlan, now: Timestamp) -> Row {
    let names: Vec<&str> = plan.databases.iter().map(|database| database.name.as_str()).collect();
    Row {
        name: plan.source.short_name(),
        href: link::app_by_id(&plan.source),
        backup: plan.backup.id.map_or_else(|| "a blob".to_owned(), |id| id.to_string()),
        taken: plan.backup.taken_at.map(|at| ago(at, now)),
        size: plan.backup.size_bytes.map(size).unwrap_or_default(),
        into: if plan.target.exists { plan.word() } else { format!("{}, which is created", plan.word()) },
        databases: match (plan.backup.databases.is_empty(), names.is_empty()) {
            (true, _) => "none".to_owned(),
            (false, true) => "left as they are".to_owned(),
            (false, false) => format!("{}: replaced too", names.join(", ")),
        },
        warnings: plan.warnings.join("; "),
    }
}
