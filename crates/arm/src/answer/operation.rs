//! Answers about what takes Azure a while.
//!
//! ARM's rule for it: a link in `Azure-AsyncOperation` comes before one in `Location`. App Service was seen to send
//! `Location` alone, to answer 202 with nothing there until it is done, and then 200 with the whole site. The
//! api-version of 2016 answers 200 with the operation's id in the body.

use holdfast_model::Timestamp;
use serde_json::Value;
use url::Url;

use super::Answer;
use crate::refusal::{header, retry_after, said};
use crate::scrub::brief;
use crate::wire::{self, Unreadable, text};
use crate::{Error, PUBLIC_ENDPOINT, Progress, Started, Target};

/// The longest link that is taken, which is what ARM promises to keep to.
const LINK_BYTES_MAX: usize = 4 << 10;

impl Answer {
    /// What a POST answers with that starts a restore. A link to the operation is data from outside: it must lead to
    /// where the question went, and to the same subscription, and only its path is kept, for its query may hold
    /// signatures.
    pub fn started(&self, target: &Target<'_>, now: Timestamp) -> Result<Started, Error> {
        self.accepted(target, now)?;
        let operation = self.operation_path(target).map_err(|e| self.unreadable(target, &e))?;
        let retry_after = retry_after(&self.headers, now);
        Ok(Started { operation, request_id: self.request_id(), retry_after })
    }

    /// What the GET of an operation answers with. An answer other than 2xx is an error, except for one that says that
    /// the operation failed: it is not about the GET.
    pub fn progress(&self, target: &Target<'_>, now: Timestamp) -> Result<Progress, Error> {
        let failed = || Progress::Failed { detail: failure(&self.body) };
        if [400, 409].contains(&self.status) && says_failed(&self.body) {
            return Ok(failed());
        }
        self.accepted(target, now)?;
        let body = wire::json_body(&self.body).unwrap_or_default();
        match (text(&body, "status"), self.status) {
            (Some(word), _) if is_failure(word) => Ok(failed()),
            (Some(word), _) if word.eq_ignore_ascii_case("Succeeded") => Ok(Progress::Done),
            (Some(_), _) | (None, 202) => {
                Ok(Progress::UnderWay { retry_after: retry_after(&self.headers, now) })
            }
            (None, _) => self.ended(&body).map(|()| Progress::Done).map_err(|e| self.unreadable(target, &e)),
        }
    }

    /// The path of the operation that has begun; `None` when it is done already.
    fn operation_path(&self, target: &Target<'_>) -> Result<Option<String>, Unreadable> {
        let by_location = if self.status == 202 { self.link("location")? } else { None };
        if let Some(link) = self.link("azure-asyncoperation")?.or(by_location) {
            return self.path_of(target, link).map(Some);
        }
        let body = wire::json_body(&self.body).unwrap_or_default();
        match (text(&body["properties"], "operationId"), target.app) {
            (Some(id), Some(app)) => self.path_of(target, &format!("{app}/operationresults/{id}")).map(Some),
            _ if self.status == 202 => Err(Unreadable("no link to the operation".to_owned())),
            _ => self.ended(&body).map(|()| None),
        }
    }

    /// The path of a link to an operation of the target's subscription.
    fn path_of(&self, target: &Target<'_>, link: &str) -> Result<String, Unreadable> {
        let refused = |why: &str| Unreadable(format!("the link to the operation {why}"));
        if link.len() > LINK_BYTES_MAX {
            return Err(refused("is too long"));
        }
        let public = || Url::parse(PUBLIC_ENDPOINT).map_err(|_| refused("is no URL"));
        let base = self.asked.clone().map_or_else(public, Ok)?;
        let url = base.join(link).map_err(|_| refused("is no URL"))?;
        let elsewhere = self.asked.as_ref().is_some_and(|asked| asked.origin() != url.origin());
        if elsewhere || !url.username().is_empty() || url.password().is_some() {
            return Err(refused(&format!("leads to another host, {}", url.host_str().unwrap_or("none"))));
        }
        if !is_operation(url.path(), target) {
            return Err(refused("leads out of the subscription"));
        }
        Ok(url.path().to_owned())
    }

    fn link(&self, name: &str) -> Result<Option<&str>, Unreadable> {
        if !self.headers.contains_key(name) {
            return Ok(None);
        }
        let no_text = || Unreadable("the link to the operation is no URL".to_owned());
        header(&self.headers, name).filter(|link| !link.is_empty()).ok_or_else(no_text).map(Some)
    }

    /// That this is what the end of an operation is answered with: nothing, or a resource. A proxy's page is neither.
    fn ended(&self, body: &Value) -> Result<(), Unreadable> {
        if self.body.is_empty() || text(body, "id").is_some() {
            return Ok(());
        }
        Err(Unreadable("the body tells of neither an operation nor a resource".to_owned()))
    }
}

/// Is this normalized path below the target's subscription?
pub(crate) fn is_operation(path: &str, target: &Target<'_>) -> bool {
    path.to_ascii_lowercase().starts_with(&format!("/subscriptions/{}/", target.subscription))
}

/// The words for a bad end: two of ARM's, in both of its spellings, and one of App Service's own.
fn is_failure(word: &str) -> bool {
    ["Failed", "Canceled", "Cancelled", "TimedOut"].iter().any(|failure| failure.eq_ignore_ascii_case(word))
}

/// Does the body of a refusal speak of the operation, and not of the GET that asked for it?
fn says_failed(body: &[u8]) -> bool {
    let status = wire::json_body(body).ok().and_then(|body| text(&body, "status").map(is_failure));
    status.unwrap_or_else(|| said(body).code.as_deref() == Some("ResourceOperationFailure"))
}

/// What Azure says about the failure: its code, its message, and what stands in the details, where the cause is.
fn failure(body: &[u8]) -> String {
    let said = said(body);
    let body = wire::json_body(body).unwrap_or_default();
    let listed = [&body["error"]["details"], &body["errors"]];
    let details = listed.into_iter().filter_map(Value::as_array).flatten();
    let details = details.filter_map(|detail| text(detail, "message").map(str::to_owned));
    let words: Vec<String> = [said.code, said.message].into_iter().flatten().chain(details).collect();
    if words.is_empty() { "azure gives no reason".to_owned() } else { brief(&words.join(": ")) }
}
