//! The response to a call, and what it means.

mod operation;
mod permissions;
mod schedule;
#[cfg(test)]
mod tests;

use holdfast_model::{Site, Timestamp};
use serde_json::Value;
use url::Url;

use crate::envelope::has_request_id;
use crate::headers::{header, retry_after};
use crate::refusal::refusal;
use crate::scrub::brief;
use crate::wire::{self, Page, Unreadable};
use crate::{
    Backup, BackupSecrets, CallSubject, Discovered, Error, ErrorKind, SiteList, Subscription,
    TransportResponse,
};

/// A listed site, or the name of a resource that is left out.
pub(crate) type ListedSite = Result<Site, LeftOut>;

/// The name of a listed resource whose id is not an app's.
#[derive(Debug)]
pub(crate) struct LeftOut(String);

impl FromIterator<ListedSite> for SiteList {
    fn from_iter<T: IntoIterator<Item = ListedSite>>(listed: T) -> Self {
        let mut list = Self::default();
        for site in listed {
            match site {
                Ok(site) => list.sites.push(site),
                Err(LeftOut(name)) => list.left_out.push(name),
            }
        }
        list
    }
}

/// The response to a call, whatever its status, with what is needed to read it.
pub(crate) struct ArmResponse<'a> {
    pub(crate) subject: CallSubject<'a>,
    /// The URL of the request. Links in the response must lead to the same host.
    pub(crate) asked: Url,
    /// When it arrived. A `Retry-After` that is a date counts from then.
    pub(crate) received: Timestamp,
    pub(crate) response: TransportResponse,
}

impl ArmResponse<'_> {
    /// The size of the body.
    pub(crate) fn body_bytes(&self) -> usize {
        self.response.body.len()
    }

    /// Reads the response to POST /backup or GET /backups/{id}.
    pub(crate) fn backup(&self) -> Result<Backup, Error> {
        let backup = self.read(wire::backup)?;
        let retry_after = retry_after(&self.response.headers, self.received);
        Ok(Backup { request_id: self.response.request_id(), retry_after, ..backup })
    }

    /// Reads the response to DELETE /backups/{id}: the backup with its new status, or nothing.
    pub(crate) fn deleted(&self) -> Result<Option<Backup>, Error> {
        if self.is_empty_success()? { Ok(None) } else { self.backup().map(Some) }
    }

    /// Reads the response to POST /backups/{id}/list, as documented: no recording was found. Of the secrets in it, only
    /// the SAS is kept.
    pub(crate) fn backup_secrets(&self) -> Result<BackupSecrets, Error> {
        let backup = self.backup()?;
        let storage_url = wire::json_body(&self.response.body).ok().and_then(|body| wire::storage_url(&body));
        Ok(BackupSecrets { backup, storage_url })
    }

    /// Reads the response to POST /discoverbackup.
    pub(crate) fn discovered(&self) -> Result<Discovered, Error> {
        self.read(wire::discovered)
    }

    /// Reads a page of GET /backups. An element that cannot be read fails the page: without it a backup would seem
    /// absent, and another one would be started.
    pub(crate) fn backups(&self) -> Result<Page<Backup>, Error> {
        let page = self.page()?;
        let read = |item: &Value| {
            let backup = wire::backup(item).map_err(|e| self.unreadable(&e))?;
            Ok(Backup { request_id: self.response.request_id(), ..backup })
        };
        Ok(Page { items: page.items.iter().map(read).collect::<Result<_, Error>>()?, next: page.next })
    }

    /// Reads one site.
    pub(crate) fn site(&self) -> Result<Site, Error> {
        self.read(wire::site)
    }

    /// Reads a page of sites. A site without an app's id is left out by name: it cannot be backed up, and must not hide
    /// the others.
    pub(crate) fn sites(&self) -> Result<Page<ListedSite>, Error> {
        let page = self.page()?;
        let read = |item: &Value| {
            wire::site(item).map_err(|_| {
                let name = wire::text(item, "id").or_else(|| wire::text(item, "name"));
                LeftOut(brief(name.unwrap_or("a resource without id and name")))
            })
        };
        Ok(Page { items: page.items.iter().map(read).collect(), next: page.next })
    }

    /// Reads a page of subscriptions.
    pub(crate) fn subscriptions(&self) -> Result<Page<Subscription>, Error> {
        let page = self.page()?;
        let items = page.items.iter().map(wire::subscription).collect::<Result<_, _>>();
        Ok(Page { items: items.map_err(|e| self.unreadable(&e))?, next: page.next })
    }

    /// Reads the body of a 2xx as JSON.
    fn read<T>(&self, read: impl FnOnce(&Value) -> Result<T, Unreadable>) -> Result<T, Error> {
        self.accepted()?;
        let read = wire::json_body(&self.response.body).and_then(|body| read(&body));
        read.map_err(|e| self.unreadable(&e))
    }

    fn page(&self) -> Result<Page<Value>, Error> {
        self.accepted()?;
        wire::json_body(&self.response.body).and_then(wire::page).map_err(|e| self.unreadable(&e))
    }

    /// Refuses any status but 2xx, and says whether the response has no body. An empty response says that Azure did
    /// something only if it has Azure's request id.
    fn is_empty_success(&self) -> Result<bool, Error> {
        self.accepted()?;
        let is_empty = wire::is_blank(&self.response.body);
        if is_empty && !has_request_id(&self.response.headers) {
            let why = "the body is empty, and no request id says that azure sent it";
            return Err(self.unreadable(&Unreadable(why.to_owned())));
        }
        Ok(is_empty)
    }

    /// Refuses any status but 2xx.
    fn accepted(&self) -> Result<(), Error> {
        if (200..300).contains(&self.response.status) {
            return Ok(());
        }
        Err(refusal(&self.subject, &self.response, self.received))
    }

    /// The error of a 2xx whose body is not as expected. Azure may or may not have done what was asked.
    pub(crate) fn unreadable(&self, why: &Unreadable) -> Error {
        let (status, headers) = (self.response.status, &self.response.headers);
        let kind = header(headers, "content-type").unwrap_or("no content type");
        let speaker = if has_request_id(headers) { "azure" } else { "a gateway or proxy" };
        let error = self
            .subject
            .error(ErrorKind::Ambiguous, &format!("{speaker} answered {status} and {why} ({kind})"));
        error.with_answer(status, None).with_request_id(self.response.request_id())
    }
}
