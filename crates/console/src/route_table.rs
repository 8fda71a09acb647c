//! The table of routes: each has the permission that it demands, and the router is built from it alone.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use axum::{Router, routing};
use holdfast_access::{Permission, Scope};

use crate::caller::{Caller, Through};
use crate::failure::Failure;
use crate::pages::login;
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

    /// Adds a route that reads what costs requests to Azure, and whose handler checks the app against the principal's scope.
    #[must_use]
    pub fn get_in_scope<H, T>(self, path: &'static str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, Arc<Site>>,
        T: 'static,
    {
        self.add(Method::GET, path, Demand::InScope(permission), routing::get(handler))
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

    /// Adds a route that removes, and is closed to principals whose acts are limited to policies.
    #[must_use]
    pub fn delete<H, T>(self, path: &'static str, permission: Permission, handler: H) -> Self
    where
        H: Handler<T, Arc<Site>>,
        T: 'static,
    {
        self.add(Method::DELETE, path, Demand::Permission(permission), routing::delete(handler))
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
                Some(failure) => answered(&request.uri().clone(), &failure),
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

/// The failure as the client wants it: a problem document for the API, else a page, which may ask for a login.
pub fn answered(uri: &Uri, failure: &Failure) -> Response {
    if Through::of(uri) == Through::Api {
        return failure.problem();
    }
    if failure.status == StatusCode::UNAUTHORIZED {
        let next = uri.path_and_query().map_or("/", PathAndQuery::as_str);
        return login::asked(next, None, failure.status);
    }
    failure.clone().into_response()
}

/// Why a caller may not use a route; `None` where it may.
fn refusal(demand: Demand, caller: Option<&Caller>) -> Option<Failure> {
    let (permission, checks_scope) = match demand {
        Demand::Nothing => return None,
        Demand::Permission(permission) => (permission, permission.only_reads()),
        Demand::InScope(permission) => (permission, true),
    };
    let Some(Caller { principal, .. }) = caller else { return Some(Failure::login_demanded()) };
    if !principal.may(permission) {
        return Some(Failure::not_permitted(principal, permission));
    }
    let is_limited = principal.scope != Scope::ALL && !checks_scope;
    is_limited.then(|| Failure::out_of_scope("this concerns all apps"))
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Failure::login_demanded)
    }
}
