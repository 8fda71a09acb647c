//! The table of routes: each has the permission that it demands, and the router is built from it alone.

use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use axum::{Router, routing};
use holdfast_access::{Permission, Scope};

use crate::caller::Caller;
use crate::failure::Failure;
use crate::refused::Refused;
use crate::site::Site;

/// What a route demands of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nothing: it is served to every client, as what the login page needs.
    Nothing,
    /// A principal with the permission. One whose acts are limited to policies may read.
    Permission(Permission),
    /// A principal with the permission; the handler checks each app against the principal's scope.
    InScope(Permission),
}

/// A route and what it demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRule {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// What it demands.
    pub demand: Demand,
}

/// The routes with their rules.
#[derive(Default)]
pub struct RouteTable {
    rules: Vec<RouteRule>,
    router: Router<Arc<Site>>,
}

impl RouteTable {
    /// Adds a route that reads.
    #[must_use]
    pub fn get<H, T>(self, path: &'static str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, Arc<Site>>,
        T: 'static,
    {
        self.add(Method::GET, path, Demand::Permission(permission), routing::get(handler))
    }

    /// Adds a route that acts, and is closed to principals whose acts are limited to policies.
    #[must_use]
    pub fn post<H, T>(self, path: &'static str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, Arc<Site>>,
        T: 'static,
    {
        self.add(Method::POST, path, Demand::Permission(permission), routing::post(handler))
    }

    /// Adds a route that acts, and whose handler checks each app against the principal's scope.
    #[must_use]
    pub fn post_in_scope<H, T>(self, path: &'static str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, Arc<Site>>,
        T: 'static,
    {
        self.add(Method::POST, path, Demand::InScope(permission), routing::post(handler))
    }

    /// Adds a route that every client may use.
    #[must_use]
    pub fn open<H, T>(self, method: Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Site>>,
        T: 'static,
    {
        let route = if method == Method::POST { routing::post(handler) } else { routing::get(handler) };
        self.add(method, path, Demand::Nothing, route)
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        demand: Demand,
        route: MethodRouter<Arc<Site>>,
    ) -> Self {
        let check = move |request: Request, next: Next| async move {
            match refusal(demand, request.extensions().get::<Caller>()) {
                None => next.run(request).await,
                Some(refused) => answered(request.uri(), refused),
            }
        };
        self.router = self.router.route(path, route.route_layer(from_fn(check)));
        self.rules.push(RouteRule { method, path, demand });
        self
    }

    /// The rules, in the order of the table.
    pub fn rules(self) -> Vec<RouteRule> {
        self.rules
    }

    /// The router.
    pub fn router(self) -> Router<Arc<Site>> {
        self.router
    }
}

/// The answer of a refusal: a problem document for the API, else a page. Its extension tells the gate, which records it.
pub fn answered(uri: &Uri, refused: Refused) -> Response {
    let is_api = uri.path().starts_with("/api/");
    let mut answer = if is_api { refused.failure.problem() } else { refused.failure.clone().into_response() };
    answer.extensions_mut().insert(refused);
    answer
}

/// Why a caller may not use a route; `None` where it may.
fn refusal(demand: Demand, caller: Option<&Caller>) -> Option<Refused> {
    let (permission, checks_scope) = match demand {
        Demand::Nothing => return None,
        Demand::Permission(permission) => (permission, permission.only_reads()),
        Demand::InScope(permission) => (permission, true),
    };
    let Some(Caller { principal, .. }) = caller else { return Some(Failure::login_demanded().into()) };
    if !principal.may(permission) {
        return Some(Refused::of(permission, Failure::not_permitted(principal, permission)));
    }
    let is_limited = principal.scope != Scope::ALL && !checks_scope;
    is_limited.then(|| Refused::of(permission, Failure::out_of_scope("it concerns all apps")))
}
