//! The frame of every page: head, navigation, content and foot.

use askama::Template;
use askama::filters::Safe;
use axum::extract::FromRequestParts;
use axum::http::request::Parts as RequestParts;
use axum::response::{Html, IntoResponse, Response};
use holdfast_access::LoginMethod;
use holdfast_model::Timestamp;
use std::convert::Infallible;

use crate::assets;
use crate::caller::{self, Caller};
use crate::markup::{Markup, Parts, time};

/// A page of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// `/`
    Overview,
    /// `/fleet`
    Fleet,
    /// `/activity`
    Activity,
    /// `/coverage`
    Coverage,
    /// `/capacity`
    Capacity,
    /// `/audit`
    Audit,
    /// No page of the navigation.
    None,
    /// A page for a client that may see no other.
    Closed,
}

const TABS: [(Tab, &str, &str); 6] = [
    (Tab::Overview, "/", "Overview"),
    (Tab::Fleet, "/fleet", "Fleet"),
    (Tab::Activity, "/activity", "Activity"),
    (Tab::Coverage, "/coverage", "Coverage"),
    (Tab::Capacity, "/capacity", "Capacity"),
    (Tab::Audit, "/audit", "Audit"),
];

/// A page without its frame.
#[derive(Debug)]
pub struct Page<C> {
    /// The title, without the program's name.
    pub title: String,
    /// The page of the navigation that is marked.
    pub tab: Tab,
    /// The time of what the page shows; `None` for a page that shows no data.
    pub as_of: Option<Timestamp>,
    /// The interval in seconds at which the script refreshes it; `None` for never.
    pub live: Option<u16>,
    /// The content.
    pub content: C,
}

#[derive(Template)]
#[template(path = "layout.html")]
struct Layout<'a> {
    title: &'a str,
    current: Tab,
    tabs: &'a [(Tab, &'static str, &'static str)],
    is_local: bool,
    logged_in: Option<String>,
    logout_token: String,
    style: String,
    script: String,
    icon: String,
    as_of: Option<Markup>,
    live: Option<u16>,
    /// Whether all that it shows is in the reading of the fleet, whose changes the stream tells.
    is_streamed: bool,
    content: Markup,
}

impl<C: Template> Page<C> {
    /// The whole document.
    pub fn document(&self) -> Response {
        let caller = caller::current();
        let principal = caller.as_ref().map(|caller| &caller.principal);
        let is_login = |local| {
            let login = principal.as_ref().map(|principal| principal.login == LoginMethod::Local);
            self.tab != Tab::Closed && login == Some(local)
        };
        let layout = |content| Layout {
            title: &self.title,
            current: self.tab,
            tabs: if self.tab == Tab::Closed { &[] } else { &TABS },
            is_local: is_login(true),
            logged_in: principal.as_ref().filter(|_| is_login(false)).map(ToString::to_string),
            logout_token: caller.as_ref().map_or_else(String::new, Caller::logout_token),
            style: assets::style(),
            script: assets::script(),
            icon: assets::icon(),
            as_of: self.as_of.map(|at| time(at, Parts::Clock)),
            live: self.live,
            is_streamed: matches!(self.tab, Tab::Overview | Tab::Fleet),
            content: Safe(content),
        };
        rendered(self.content.render().and_then(|content| layout(content).render()))
    }

    /// The content alone, with its time, for the page's script.
    fn fragment(&self) -> Response {
        let as_of = self.as_of.map(|at| time(at, Parts::Clock).0).unwrap_or_default();
        let with_time = |content| format!("<span hidden data-asof>{as_of}</span>{content}");
        rendered(self.content.render().map(with_time))
    }
}

fn rendered(html: askama::Result<String>) -> Response {
    match html {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "failed to render a page");
            (axum::http::StatusCode::INTERNAL_SERVER_ERROR, "the page could not be rendered\n")
                .into_response()
        }
    }
}

/// How much of a page a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The document.
    Document,
    /// The content alone: the page's script refreshes it.
    Content,
}

impl Shown {
    /// The page, as far as it is asked for.
    pub fn answer<C: Template>(self, page: &Page<C>) -> Response {
        match self {
            Self::Document => page.document(),
            Self::Content => page.fragment(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Shown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut RequestParts, _state: &S) -> Result<Self, Infallible> {
        let is_content = parts.headers.get("x-fragment").is_some_and(|value| value == "main");
        Ok(if is_content { Self::Content } else { Self::Document })
    }
}
