//! Creates a container.

use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use crate::delegation::API_VERSION;
use crate::http::{is_error, no_answer, refusal};
use crate::{Container, Refusal};

const CREATING: &str = "creating the container";

/// What permits the creation. A SAS of a container does not.
pub(crate) enum Authority {
    /// A SAS of the account.
    Sas(SecretString),
    /// A token of Entra.
    Token(SecretString),
}

/// Creates the container without public access. One that exists stays as it is.
pub(crate) async fn create(
    client: &Client,
    container: &Container,
    authority: &Authority,
) -> Result<(), Refusal> {
    let mut url = container.url().clone();
    let request = match authority {
        Authority::Sas(sas) => {
            url.set_query(Some(&format!("restype=container&{}", sas.expose_secret())));
            client.put(url)
        }
        Authority::Token(token) => {
            url.set_query(Some("restype=container"));
            client.put(url).bearer_auth(token.expose_secret()).header("x-ms-version", API_VERSION)
        }
    };
    let answer = request.header("content-length", "0").send().await;
    let answer = answer.map_err(|error| no_answer(CREATING, error))?;
    match answer.status() {
        StatusCode::CREATED => Ok(()),
        StatusCode::CONFLICT if is_error(&answer, "ContainerAlreadyExists") => Ok(()),
        // A container of this name that was deleted keeps the name for some seconds.
        StatusCode::CONFLICT => Err(Refusal::Busy { operation: CREATING, status: 409 }),
        _ => Err(refusal(CREATING, &answer)),
    }
}
