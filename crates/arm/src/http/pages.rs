//! Lists of several pages.

use std::collections::BTreeSet;

use reqwest::Method;
use url::Url;

use crate::wire::Unreadable;
use crate::{Answer, Error, HttpArm, Page, Target};

/// The pages of one list that are followed before it counts as endless.
const PAGES_MAX: usize = 1_000;

impl HttpArm {
    /// Reads a list to its end. `method` is for the first page: the links to the others are GETs even where the list
    /// itself is had by a POST, which is how Microsoft's generated clients follow them.
    pub(super) async fn list<T: Send>(
        &self,
        target: &Target<'_>,
        method: Method,
        first: Url,
        read: impl Fn(&Answer) -> Result<Page<T>, Error> + Send,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        let (mut method, mut url) = (method, first);
        loop {
            seen.insert(url.to_string());
            let answer = self.call(target, method, url, None).await?;
            let page = read(&answer)?;
            all.extend(page.items);
            let Some(next) = page.next else { return Ok(all) };
            method = Method::GET;
            url = self.next_page(&next, &seen).map_err(|e| answer.unreadable(target, &e))?;
        }
    }

    /// The next page's URL, which is data from an answer: the token goes nowhere but to the endpoint, and a link that
    /// leads back ends the list.
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
