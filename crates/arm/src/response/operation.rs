//! Responses about long-running operations.
//!
//! ARM's rule: a link in `Azure-AsyncOperation` takes precedence over one in `Location`. In recordings, App Service sends
//! `Location` alone; the link answers 202 without a body until the operation ends, and then 200 with the whole site.
//! The api-version of 2016 answers 200 with the operation's id in the body.

use serde_json::Value;

use super::ArmResponse;
use crate::envelope::{Envelope, has_request_id};
use crate::headers::{header, retry_after};
use crate::scrub::brief;
use crate::wire::{self, Unreadable, text};
use crate::{Error, Progress, Started};

/// The longest accepted link: ARM documents this limit for its own links.
const LINK_BYTES_MAX: usize = 4 << 10;

impl ArmResponse<'_> {
    /// Reads the response to a POST that starts a restore. The link to the operation is data from outside: it must lead
    /// to the host of the request and to the same subscription. Only its path is kept, because its query may be signed.
    pub(crate) fn started(&self) -> Result<Started, Error> {
        self.accepted()?;
        let operation = self.operation_path().map_err(|e| self.unreadable(&e))?;
        let retry_after = retry_after(&self.response.headers, self.received);
        Ok(Started { operation, request_id: self.response.request_id(), retry_after })
    }

    /// Reads the response to the GET of an operation. A status other than 2xx is an error, unless the body says that the
    /// operation itself failed.
    pub(crate) fn progress(&self) -> Result<Progress, Error> {
        let failed = || Progress::Failed { detail: failure(&self.response.body) };
        let is_azures = has_request_id(&self.response.headers);
        if is_azures && [400, 409].contains(&self.response.status) && says_failed(&self.response.body) {
            return Ok(failed());
        }
        self.accepted()?;
        let body = wire::json_body(&self.response.body).unwrap_or_default();
        match (text(&body, "status"), self.response.status) {
            (Some(word), _) if is_failure(word) => Ok(failed()),
            (Some(word), _) if word.eq_ignore_ascii_case("Succeeded") => Ok(Progress::Done),
            (Some(_), _) | (None, 202) => {
                Ok(Progress::UnderWay { retry_after: retry_after(&self.response.headers, self.received) })
            }
            (None, _) => self.ended(&body).map(|()| Progress::Done).map_err(|e| self.unreadable(&e)),
        }
    }

    /// The path of the operation that was started; `None` when it has ended already.
    fn operation_path(&self) -> Result<Option<String>, Unreadable> {
        let by_location = if self.response.status == 202 { self.link("location")? } else { None };
        if let Some(link) = self.link("azure-asyncoperation")?.or(by_location) {
            return self.path_of(link).map(Some);
        }
        let body = wire::json_body(&self.response.body).unwrap_or_default();
        match (text(&body["properties"], "operationId"), self.subject.app) {
            (Some(id), Some(app)) => self.path_of(&format!("{app}/operationresults/{id}")).map(Some),
            _ if self.response.status == 202 => Err(Unreadable("no link to the operation".to_owned())),
            _ => self.ended(&body).map(|()| None),
        }
    }

    /// The path of a link to an operation of the subject's subscription.
    fn path_of(&self, link: &str) -> Result<String, Unreadable> {
        let refused = |why: &str| Unreadable(format!("the link to the operation {why}"));
        if link.len() > LINK_BYTES_MAX {
            return Err(refused("is too long"));
        }
        let url = self.asked.join(link).map_err(|_| refused("is no URL"))?;
        if self.asked.origin() != url.origin() || !url.username().is_empty() || url.password().is_some() {
            return Err(refused(&format!("leads to another host, {}", url.host_str().unwrap_or("none"))));
        }
        if !self.subject.contains_path(url.path()) {
            return Err(refused("leads out of the subscription"));
        }
        Ok(url.path().to_owned())
    }

    fn link(&self, name: &str) -> Result<Option<&str>, Unreadable> {
        if !self.response.headers.contains_key(name) {
            return Ok(None);
        }
        let no_text = || Unreadable("the link to the operation is no URL".to_owned());
        header(&self.response.headers, name).filter(|link| !link.is_empty()).ok_or_else(no_text).map(Some)
    }

    /// Accepts the body of an ended operation: nothing, or a resource. A proxy's page is neither.
    fn ended(&self, body: &Value) -> Result<(), Unreadable> {
        let is_empty = wire::is_blank(&self.response.body) && has_request_id(&self.response.headers);
        if is_empty || text(body, "id").is_some() {
            return Ok(());
        }
        Err(Unreadable("the body tells of neither an operation nor a resource".to_owned()))
    }
}

/// Whether the status means failure: two of ARM's, in both spellings of the second, and one of App Service's.
fn is_failure(word: &str) -> bool {
    ["Failed", "Canceled", "Cancelled", "TimedOut"].iter().any(|failure| failure.eq_ignore_ascii_case(word))
}

/// Whether a refusal's body is about the operation, and not about the GET that asked for it.
fn says_failed(body: &[u8]) -> bool {
    let status = wire::json_body(body).ok().and_then(|body| text(&body, "status").map(is_failure));
    status.unwrap_or_else(|| Envelope::read(body).code.as_deref() == Some("ResourceOperationFailure"))
}

/// Azure's code and message, and the messages in the details, which hold the cause.
fn failure(body: &[u8]) -> String {
    let said = Envelope::read(body);
    let body = wire::json_body(body).unwrap_or_default();
    let listed = [&body["error"]["details"], &body["errors"]];
    let details = listed.into_iter().filter_map(Value::as_array).flatten();
    let details = details.filter_map(|detail| text(detail, "message").map(str::to_owned));
    let words: Vec<String> = [said.code, said.message].into_iter().flatten().chain(details).collect();
    if words.is_empty() { "azure gives no reason".to_owned() } else { brief(&words.join(": ")) }
}
