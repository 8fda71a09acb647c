//! An answer, and what a call makes of it.

mod operation;
mod permissions;
mod schedule;
#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use operation::is_operation;

use holdfast_model::{Site, Timestamp};
use reqwest::header::HeaderMap;
use serde_json::Value;
use url::Url;

use crate::refusal::{header, refusal, retry_after};
use crate::wire::{self, Unreadable};
use crate::{Backup, BackupSecrets, Discovered, Error, ErrorKind, Target};

/// An answer, whatever its status. It is public for implementations of [`Arm`](crate::Arm) that have their answers
/// without HTTP, so that they mean the same.
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// What was asked, which links in the answer are measured by; `None` without HTTP.
    pub(crate) asked: Option<Url>,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The link to the next page, as the answer has it: data from outside.
    pub next: Option<String>,
}

impl Answer {
    /// An answer from its parts.
    pub fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { status, headers, body, asked: None }
    }

    /// The backup that POST /backup or GET /backups/{id} answers with. `now` is what a `Retry-After` date counts from.
    pub fn backup(&self, target: &Target<'_>, now: Timestamp) -> Result<Backup, Error> {
        self.accepted(target, now)?;
        let backup = wire::json_body(&self.body).and_then(|body| wire::backup(&body));
        let backup = backup.map_err(|e| self.unreadable(target, &e))?;
        Ok(Backup { request_id: self.request_id(), retry_after: retry_after(&self.headers, now), ..backup })
    }

    /// What DELETE /backups/{id} answers with: the backup as it now stands, or nothing.
    pub fn deleted(&self, target: &Target<'_>, now: Timestamp) -> Result<Option<Backup>, Error> {
        self.accepted(target, now)?;
        if self.body.is_empty() { Ok(None) } else { self.backup(target, now).map(Some) }
    }

    /// What POST /backups/{id}/list answers with, as documented: no recorded answer was found. Of the secrets in it the SAS alone is kept.
    pub fn backup_secrets(&self, target: &Target<'_>, now: Timestamp) -> Result<BackupSecrets, Error> {
        let backup = self.backup(target, now)?;
        let storage_url = wire::json_body(&self.body).ok().and_then(|body| wire::storage_url(&body));
        Ok(BackupSecrets { backup, storage_url })
    }

    /// What POST /discoverbackup answers with.
    pub fn discovered(&self, target: &Target<'_>, now: Timestamp) -> Result<Discovered, Error> {
        self.accepted(target, now)?;
        let found = wire::json_body(&self.body).and_then(|body| wire::discovered(&body));
        found.map_err(|e| self.unreadable(target, &e))
    }

    /// A page of GET /backups. An element that cannot be read fails the page: left out, it would look like a backup
    /// that is not there, and a second one would be started.
    pub fn backups(&self, target: &Target<'_>, now: Timestamp) -> Result<Page<Backup>, Error> {
        let page = self.page(target, now)?;
        let read = |item: &Value| {
            let backup = wire::backup(item).map_err(|e| self.unreadable(target, &e))?;
            Ok(Backup { request_id: self.request_id(), ..backup })
        };
        Ok(Page { items: page.items.iter().map(read).collect::<Result<_, Error>>()?, next: page.next })
    }

    /// One site.
    pub fn site(&self, target: &Target<'_>, now: Timestamp) -> Result<Site, Error> {
        self.accepted(target, now)?;
        let site = wire::json_body(&self.body).and_then(|body| wire::site(&body));
        site.map_err(|e| self.unreadable(target, &e))
    }

    /// A page of a subscription's sites. One whose id is not an app's is left out with a warning: it could not be
    /// backed up, and must not hide the others.
    pub fn sites(&self, target: &Target<'_>, now: Timestamp) -> Result<Page<Site>, Error> {
        let page = self.page(target, now)?;
        let sites: Vec<Site> = page.items.iter().filter_map(|item| wire::site(item).ok()).collect();
        let left_out = page.items.len() - sites.len();
        if left_out > 0 {
            tracing::warn!(subscription = %target.subscription, left_out, "listed sites have no usable id");
        }
        Ok(Page { items: sites, next: page.next })
    }

    /// The id by which Microsoft's support finds the request.
    pub fn request_id(&self) -> Option<String> {
        header(&self.headers, "x-ms-request-id").map(str::to_owned)
    }

    fn page(&self, target: &Target<'_>, now: Timestamp) -> Result<Page<Value>, Error> {
        self.accepted(target, now)?;
        wire::json_body(&self.body).and_then(wire::page).map_err(|e| self.unreadable(target, &e))
    }

    /// Anything but 2xx is an error.
    fn accepted(&self, target: &Target<'_>, now: Timestamp) -> Result<(), Error> {
        if (200..300).contains(&self.status) { Ok(()) } else { Err(refusal(target, self, now)) }
    }

    /// The error of a 2xx whose body is not what it should be. Whether Azure did what was asked cannot be told.
    pub(crate) fn unreadable(&self, target: &Target<'_>, why: &Unreadable) -> Error {
        let kind = header(&self.headers, "content-type").unwrap_or("no content type");
        let error =
            target.error(ErrorKind::Ambiguous, &format!("azure answered {} and {why} ({kind})", self.status));
        error.with_answer(self.status, None).with_request_id(self.request_id())
    }
}

/// Answers hold secrets, in bodies and in links: none of it is shown.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
