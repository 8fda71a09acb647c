//! The sites themselves, which can be probed: `/_site/NAME`, and `/_site/NAME/SLOT`.

use holdfast_model::AppId;

use super::Azure;
use crate::request::decode;
use crate::{Method, Request, Response};

impl Azure {
    /// Answers 200 for a running site, 503 during a restore, and 500 if a test has broken it.
    pub(super) fn probe(&mut self, request: &Request) -> Response {
        self.counters.call("probe");
        if !matches!(request.method, Method::Get | Method::Head) {
            return Response::new(405);
        }
        let mut parts = request.path.split('/').skip(2).map(decode).filter(|part| !part.is_empty());
        let (name, slot) = (parts.next().unwrap_or_default(), parts.next());
        // A site's name is its host's name, so no two sites have the same.
        let is = |app: &&AppId| {
            app.site().eq_ignore_ascii_case(&name)
                && app.slot().map(str::to_ascii_lowercase) == slot.as_deref().map(str::to_ascii_lowercase)
        };
        let status = match self.sites.keys().find(is) {
            None => 404,
            Some(app) if self.restores.of_target(app).is_some() => 503,
            Some(app) if self.broken.contains(app) => 500,
            Some(_) => 200,
        };
        Response::new(status)
    }

    /// Makes an app answer 500 from now on, whatever is restored into it, even before it exists.
    pub fn break_site(&mut self, app: &AppId) {
        self.broken.insert(app.clone());
    }

    /// Makes a broken app answer again.
    pub fn mend_site(&mut self, app: &AppId) {
        self.broken.remove(app);
    }
}
