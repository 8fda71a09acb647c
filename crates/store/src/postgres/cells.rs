//! Columns of rows, as PostgreSQL's driver decodes them.

use holdfast_model::{Timestamp, format_timestamp};
use sqlx::postgres::PgRow;
use sqlx::types::Uuid;
use sqlx::{Column, Row};

use crate::sql::row::{Cells, Decoded};

impl Cells for PgRow {
    fn text(&self, column: &str) -> Decoded<String> {
        self.try_get(column)
    }

    fn int(&self, column: &str) -> Decoded<i64> {
        self.try_get(column)
    }

    fn bool(&self, column: &str) -> Decoded<bool> {
        self.try_get(column)
    }

    fn float(&self, column: &str) -> Decoded<f64> {
        self.try_get(column)
    }

    fn id(&self, column: &str) -> Decoded<String> {
        let id: Option<Uuid> = self.try_get(column)?;
        Ok(id.map(|id| id.to_string()))
    }

    fn time(&self, column: &str) -> Decoded<Timestamp> {
        self.try_get(column)
    }

    fn time_text(&self, column: &str) -> Decoded<String> {
        // No writer stores finer times than milliseconds, so a finer one was changed afterwards and must show.
        let text = |at: Timestamp| match at.timestamp_subsec_nanos() % 1_000_000 {
            0 => format_timestamp(at),
            _ => at.to_rfc3339(),
        };
        Ok(self.time(column)?.map(text))
    }

    fn names(&self) -> Vec<String> {
        self.columns().iter().map(|column| column.name().to_owned()).collect()
    }
}
