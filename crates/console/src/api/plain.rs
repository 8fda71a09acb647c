//! Answers of the HTTP library to requests that no handler sees, as problems.

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::Response;

use crate::api::once::bad;
use crate::failure::Failure;

/// The answer as a problem, where it says in plain text why a request cannot be read.
pub fn as_problem(method: &Method, answer: Response) -> Response {
    let is_text =
        answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !answer.status().is_client_error() || !is_text {
        return answer;
    }
    let failure = match answer.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let detail = "The body has more than 256 KiB, or with a fleet file more than 16 MiB.";
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Too much", detail)
        }
        _ if method == Method::POST => bad("The body or the address is not UTF-8."),
        _ => Failure::bad_query("The address is not UTF-8."),
    };
    failure.problem()
}
