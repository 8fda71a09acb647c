//! Parts of a signed export, for the API and the page.

use holdfast_control::audit::{ExportFilter, ExportPart, PartPlace, export_part};

use crate::backup_request::SentForm;
use crate::failure::Failure;
use crate::pages::audit_query;
use crate::site::Site;

/// The filter of a query.
pub fn filter_of(sent: &SentForm) -> Result<ExportFilter, Failure> {
    let query = audit_query(&sent.to_query(&["person", "app", "kind"]))?;
    Ok(ExportFilter { acts: sent.value("acts") == "1", query })
}

/// The part of an export that begins at a place.
pub async fn part(
    site: &Site,
    filter: &ExportFilter,
    place: Option<PartPlace>,
) -> Result<ExportPart, Failure> {
    let key = site.azure().signing_key().await?;
    Ok(export_part(site.store(), filter, place, &key).await?)
}
