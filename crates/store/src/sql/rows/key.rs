//! Single columns that statements return.

use holdfast_model::RunId;

use crate::error::Result;
use crate::sql::row::{FromRow, Row};

/// The id of a run.
pub(crate) struct IdRow(pub RunId);

impl FromRow for IdRow {
    const KEY: &'static [&'static str] = &["id"];

    fn read(row: &Row<'_>) -> Result<Self> {
        row.id("id").map(Self)
    }
}

/// The text of an app.
pub(crate) struct AppText(pub String);

impl FromRow for AppText {
    const KEY: &'static [&'static str] = &["app"];

    fn read(row: &Row<'_>) -> Result<Self> {
        row.text("app").map(Self)
    }
}
