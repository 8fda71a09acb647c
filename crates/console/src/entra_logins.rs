//! Logins by Entra ID: of people through their browser, and of programs on the API.

use std::fmt;
use std::sync::Arc;

use axum::http::StatusCode;
use holdfast_access::{LoginMethod, Principal};
use holdfast_entra::{Entra, Error, LoginAttempt};
use holdfast_model::Clock;
use url::Url;

use crate::failure::{Failure, sentence};
use crate::forms::hex;
use crate::logins::{Client, Logins};
use crate::pending_logins::{PendingLogin, PendingLogins};

/// The name in the audit of a client that proved none.
const UNKNOWN: &str = "unknown";

/// Logs people and programs in by Entra ID.
pub struct EntraLogins {
    entra: Entra,
    pending: PendingLogins,
}

/// A login that a person began.
pub struct Begun {
    /// Where Entra asks the person.
    pub url: Url,
    /// The value of the cookie that ties the answer to the browser.
    pub cookie: String,
}

/// What a browser brings back from Entra.
#[derive(Debug, Clone, Copy)]
pub struct Return<'r> {
    /// The value of the cookie.
    pub cookie: &'r str,
    /// The state of the login.
    pub state: &'r str,
    /// The code, or the error and its description.
    pub outcome: Result<&'r str, (&'r str, &'r str)>,
}

/// A login that ended well.
pub struct LoggedIn {
    /// The value of the cookie of the session.
    pub session: String,
    /// The path to which it leads.
    pub next: String,
}

impl EntraLogins {
    /// Logins by Entra ID.
    pub fn new(entra: Entra, clock: Arc<dyn Clock>) -> Self {
        Self { entra, pending: PendingLogins::new(clock) }
    }

    /// The address of the console at which a login begins.
    pub fn begin_url(&self) -> Url {
        self.entra.begin_url()
    }

    /// Begins the login of a person who goes on to `next`.
    pub async fn begin(&self, logins: &Logins, next: &str, client: Client) -> Result<Begun, Failure> {
        logins.has_attempts(client)?;
        let attempt = LoginAttempt::of([logins.random_bits()?, logins.random_bits()?, logins.random_bits()?]);
        let url = self.entra.login_url(&attempt).await.map_err(|_| Failure::entra_away())?;
        let cookie = hex(&logins.random_bits()?);
        self.pending.add(&cookie, PendingLogin { attempt, next: next.to_owned() });
        Ok(Begun { url, cookie })
    }

    /// Ends the login of a person: begins a session, and says where it leads.
    pub async fn end(&self, logins: &Logins, back: Return<'_>, client: Client) -> Result<LoggedIn, Failure> {
        logins.has_attempts(client)?;
        let Some(PendingLogin { attempt, next }) = self.pending.take(back.cookie, back.state) else {
            let why = "the answer of Entra ID is of no login that this browser began";
            logins.count_failure(client.actor(UNKNOWN, LoginMethod::Oidc), why, client).await;
            return Err(Failure::no_such_login());
        };
        let principal = match back.outcome {
            Ok(code) => self.entra.log_in(code, &attempt).await,
            Err((error, description)) => Err(Error::denied(error, description)),
        };
        match principal {
            Ok(principal) => Ok(LoggedIn { session: logins.begin(principal, None, client).await?, next }),
            Err(error) => Err(refused(logins, &error, LoginMethod::Oidc, client).await),
        }
    }

    /// The principal of an access token. A good one goes on where others at its address failed too often: a signature cannot be guessed.
    pub async fn bearer(&self, logins: &Logins, token: &str, client: Client) -> Result<Principal, Failure> {
        match self.entra.bearer(token).await {
            Ok(principal) => Ok(principal),
            Err(error) => Err(refused(logins, &error, LoginMethod::Entra, client).await),
        }
    }
}

/// Counts and records a failed login. An outage of Entra does not count against the address.
async fn refused(logins: &Logins, error: &Error, login: LoginMethod, client: Client) -> Failure {
    match error {
        Error::Unavailable(_) | Error::ReadSecret(_) => Failure::entra_away(),
        Error::NoRole(name) => {
            logins.refused(client.actor(name, login), "login", &error.to_string()).await;
            Failure::no_role(name)
        }
        Error::Denied(_) | Error::Refused(_) => {
            if let Err(blocked) = logins.has_attempts(client) {
                return blocked;
            }
            logins.count_failure(client.actor(UNKNOWN, login), &error.to_string(), client).await;
            Failure::entra_refused(error)
        }
    }
}

impl Failure {
    /// The person came back without a login that was begun in this browser.
    fn no_such_login() -> Self {
        let detail = "This login was not begun in this browser, or more than ten minutes ago, or it has ended already. \
                      Log in again.";
        Self::new(StatusCode::UNAUTHORIZED, "login_demanded", "Log in", detail)
    }

    /// Entra, or the token, gives no login.
    fn entra_refused(error: &Error) -> Self {
        let detail = sentence(&error.to_string());
        Self::new(StatusCode::UNAUTHORIZED, "invalid_token", "Not logged in", detail)
            .help("Get a new access token for the application of Holdfast in its tenant.")
    }

    /// The principal has no role.
    fn no_role(name: &str) -> Self {
        let detail = format!("{name} has none of the app roles viewer, operator, restorer and admin.");
        Self::new(StatusCode::FORBIDDEN, "not_permitted", "No role", detail)
            .help("Assign one of them in Entra ID, at the enterprise application of Holdfast.")
    }

    /// Entra does not answer, or the process cannot ask it. The cause is in the log alone: it may name files of this machine.
    fn entra_away() -> Self {
        let detail =
            "Entra ID cannot be asked now, so nobody can log in by it. The log of the process says why.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "entra_unavailable", "Entra ID is away", detail)
            .help("Try again in a moment. API tokens log in without Entra ID.")
    }
}

impl fmt::Debug for EntraLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntraLogins").finish_non_exhaustive()
    }
}
