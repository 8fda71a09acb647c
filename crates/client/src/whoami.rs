//! Who the server takes the client for, and API tokens.

use std::time::Duration;

use holdfast_access::{ApiToken, Principal, Role};
use holdfast_control::Error;
use holdfast_model::{PolicyName, Timestamp, format_duration};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::query::Query;
use crate::reads::Listed;
use crate::server::Server;

/// Who the server takes the client for.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct WhoAmI {
    /// The name, the login, the role and the policies.
    #[serde(flatten)]
    pub principal: Principal,
    /// What the role may do.
    pub permissions: Vec<String>,
    /// When the token ends; `None` for another login.
    pub expires_at: Option<Timestamp>,
}

/// A token that was created.
#[derive(Deserialize)]
struct Created {
    token: String,
    #[serde(flatten)]
    row: ApiToken,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewToken<'a> {
    name: &'a str,
    role: Role,
    expires_in: String,
    policies: &'a [PolicyName],
}

impl Server {
    /// Who the server takes the client for.
    pub async fn whoami(&self) -> Result<WhoAmI, Error> {
        self.get(&["whoami"], Query::default()).await
    }

    /// The API tokens.
    pub async fn tokens(&self) -> Result<Listed<ApiToken>, Error> {
        self.get(&["tokens"], Query::default()).await
    }

    /// Creates a token, whose text is returned this once.
    pub async fn create_token(
        &self,
        (name, role, policies): (&str, Role, &[PolicyName]),
        life: Duration,
    ) -> Result<(ApiToken, SecretString), Error> {
        let new = NewToken { name, role, expires_in: format_duration(life), policies };
        let Created { token, row } = self.post(&["tokens"], &new).await?;
        Ok((row, token.into()))
    }

    /// Revokes a token.
    pub async fn revoke_token(&self, name: &str) -> Result<ApiToken, Error> {
        self.remove(&["tokens", name]).await
    }
}
