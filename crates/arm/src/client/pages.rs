//! Lists of several pages.

use std::collections::BTreeSet;

use reqwest::Method;
use url::Url;

use super::ArmClient;
use crate::wire::{Page, Unreadable};
use crate::{ArmResponse, CallSubject, Error};

/// The most pages of one list. A longer list counts as endless.
const PAGES_MAX: usize = 1_000;

/// The most items of one list. Azure allows some thousand apps in a subscription.
const ITEMS_MAX: usize = 100_000;

/// The most bytes of all pages of one list, which are 13 KB for each of 20,000 sites.
const LIST_BYTES_MAX: usize = 256 << 20;

/// The size of a list so far.
#[derive(Debug, Default)]
struct ListSize {
    items: usize,
    bytes: usize,
}

impl ListSize {
    /// Adds a page. Fails once the list is too long to be held in memory.
    fn add(&mut self, items: usize, bytes: usize) -> Result<(), Unreadable> {
        self.items += items;
        self.bytes += bytes;
        if self.items > ITEMS_MAX || self.bytes > LIST_BYTES_MAX {
            let why = format!("the list is longer than {ITEMS_MAX} items or {LIST_BYTES_MAX} bytes");
            return Err(Unreadable(why));
        }
        Ok(())
    }
}

impl ArmClient {
    /// Reads a list to its end. `method` is for the first page: links to further pages are read with GET even where
    /// the list itself is a POST, as in Microsoft's generated clients.
    pub(super) async fn list<'a, T: Send>(
        &self,
        subject: &CallSubject<'a>,
        method: Method,
        first: Url,
        read: impl Fn(&ArmResponse<'a>) -> Result<Page<T>, Error> + Send,
    ) -> Result<Vec<T>, Error> {
        let (mut all, mut size) = (Vec::new(), ListSize::default());
        let mut seen = BTreeSet::new();
        let (mut method, mut url) = (method, first);
        loop {
            seen.insert(url.to_string());
            let response = self.call(subject, method, url, None).await?;
            let page = read(&response)?;
            size.add(page.items.len(), response.body_bytes()).map_err(|e| response.unreadable(&e))?;
            all.extend(page.items);
            let Some(next) = page.next else { return Ok(all) };
            method = Method::GET;
            url = self.next_page(&next, &seen).map_err(|e| response.unreadable(&e))?;
        }
    }

    /// The next page's URL. The link is data from outside: the token goes to the endpoint alone, and a link to a page
    /// that was read already fails the list.
    fn next_page(&self, link: &str, seen: &BTreeSet<String>) -> Result<Url, Unreadable> {
        let refused = |why: &str| Unreadable(format!("the link to the next page {why}"));
        let url = self.settings.endpoint.join(link).map_err(|_| refused("is no URL"))?;
        if url.origin() != self.settings.endpoint.origin()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(refused(&format!("leads to another host, {}", url.host_str().unwrap_or("none"))));
        }
        if seen.contains(url.as_str()) || seen.len() >= PAGES_MAX {
            return Err(refused("leads in a circle"));
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_given_up_at_its_first_page_beyond_256_mib_or_100000_items() {
        let mut size = ListSize::default();
        for _ in 0..256 {
            size.add(1, 1 << 20).unwrap();
        }
        assert!(size.add(0, 1).unwrap_err().0.contains("268435456 bytes"));
        let mut size = ListSize::default();
        size.add(100_000, 0).unwrap();
        assert!(size.add(1, 0).is_err());
    }
}
