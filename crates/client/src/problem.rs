//! What a server says of a failure (RFC 9457), as the error of a command.

use holdfast_control::{Error, ErrorKind};
use serde::Deserialize;

use crate::address::ServerAddress;

#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
    help: Option<String>,
}

/// The error of an answer that is no success.
pub fn error(address: &ServerAddress, status: u16, body: &[u8]) -> Error {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        let what = format!("{address} answered {status} without saying why");
        return Error::new(ErrorKind::Store, what).help("check that --server is the address of a Holdfast");
    };
    let Problem { code, detail, help } = problem;
    let error = Error::new(kind(status, &code), detail);
    let help = match status {
        401 => Some(format!("log in with `holdfast login --server {address}`, or set HOLDFAST_TOKEN")),
        _ => help,
    };
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

fn kind(status: u16, code: &str) -> ErrorKind {
    match (status, code) {
        (_, "azure_unavailable") => ErrorKind::Azure,
        (_, "broker_unavailable") => ErrorKind::Broker,
        (404, _) => ErrorKind::NotFound,
        (409, _) => ErrorKind::Conflict,
        (401 | 403 | 422 | 429, _) => ErrorKind::Refused,
        (400..500, _) => ErrorKind::Invalid,
        _ => ErrorKind::Store,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_keeps_its_sentence_its_advice_and_its_kind() {
        let address = ServerAddress::parse("https://hf.example").unwrap();
        let body = br#"{"type":"about:blank","title":"Not found","status":404,"code":"not_found","detail":"no app `shup`","help":"did you mean `shop`?"}"#;
        let error = error(&address, 404, body);
        assert_eq!((error.to_string().as_str(), error.kind()), ("no app `shup`", ErrorKind::NotFound));
        assert_eq!(error.advice(), Some("did you mean `shop`?"));
        for (status, code, wanted) in [
            (400, "invalid", ErrorKind::Invalid),
            (409, "conflict", ErrorKind::Conflict),
            (422, "refused", ErrorKind::Refused),
            (403, "not_permitted", ErrorKind::Refused),
            (502, "azure_unavailable", ErrorKind::Azure),
            (503, "store_unavailable", ErrorKind::Store),
            (503, "broker_unavailable", ErrorKind::Broker),
        ] {
            assert_eq!(kind(status, code), wanted, "{status}");
        }
    }

    #[test]
    fn an_answer_of_something_else_names_the_server_and_not_its_words() {
        let address = ServerAddress::parse("https://hf.example").unwrap();
        let error = error(&address, 404, b"<html>nginx");
        assert_eq!(error.to_string(), "https://hf.example answered 404 without saying why");
    }
}
