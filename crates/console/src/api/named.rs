//! What a request names: parameters and apps.

use axum::extract::RawQuery;
use holdfast_model::AppId;

use crate::acts::About;
use crate::backup_request::SentForm;
use crate::caller::Caller;
use crate::failure::Failure;
use crate::site::{NamedApp, Site};

/// The parameters of a query.
pub fn given(RawQuery(query): RawQuery) -> SentForm {
    SentForm::read(&query.unwrap_or_default())
}

/// The value of a parameter, where there is one.
pub fn named<'q>(query: &'q SentForm, name: &str) -> Option<&'q str> {
    Some(query.value(name)).filter(|value| !value.is_empty())
}

/// A number of at most `most`; `usual` where none is given.
pub fn count(query: &SentForm, name: &str, usual: u32, most: u32) -> Result<u32, Failure> {
    let Some(text) = named(query, name) else { return Ok(usual) };
    let number = text.parse().ok().filter(|number| *number <= most);
    number.ok_or_else(|| Failure::bad_query(format!("`{name}` is no number of 0 to {most}.")))
}

/// The number of a backup.
pub fn number(text: &str) -> Result<i64, Failure> {
    text.parse().map_err(|_| Failure::bad_query("The number of the backup cannot be read."))
}

/// The one app that a name means, which must be in the scope of the caller.
pub async fn app_of(site: &Site, caller: &Caller, name: &str) -> Result<AppId, Failure> {
    if name.is_empty() {
        return Err(Failure::bad_query("`app` is missing: name an app."));
    }
    let app = site.one(name).await?;
    site.in_scope(caller, &About::App(app.clone())).await?;
    Ok(app)
}

/// The app that a query names, where it names one.
pub async fn wanted(site: &Site, query: &SentForm) -> Result<Option<AppId>, Failure> {
    match query.value("app") {
        "" => Ok(None),
        name => site.one(name).await.map(Some),
    }
}

impl Site {
    /// The one app that a name means.
    pub(crate) async fn one(&self, name: &str) -> Result<AppId, Failure> {
        match self.named(name).await? {
            NamedApp::One(id) => Ok(id),
            NamedApp::Several(ids) => Err(Failure::of_name(&ids, name)),
        }
    }
}
