//! The protections of the store that the database knows.

use crate::error::Result;
use crate::safeguard::Safeguard;
use crate::sql::row::{FromRow, Row};
use crate::sql::session::Session;

pub(super) const SAFEGUARDS: &str = "read the store's protections";

impl FromRow for Safeguard {
    const TABLE: &'static str = "pg_catalog";
    const KEY: &'static [&'static str] = &["name"];

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            name: row.text("name")?,
            says: row.text("says")?,
            cure: row.maybe_text("cure")?,
            is_serious: row.bool("is_serious")?,
        })
    }
}

pub(super) async fn list<S: Session>(session: &mut S) -> Result<Vec<Safeguard>> {
    match S::DIALECT.safeguards {
        Some(statement) => session.fetch(statement, Vec::new()).await,
        None => Ok(Vec::new()),
    }
}
