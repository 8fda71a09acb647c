//! Columns of rows, as SQLite's driver decodes them.

use holdfast_model::{Timestamp, parse_timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row};

use crate::sql::row::{Cells, Decoded};

impl Cells for SqliteRow {
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
        self.text(column)
    }

    fn time(&self, column: &str) -> Decoded<Timestamp> {
        let parse = |text: String| parse_timestamp(&text).map_err(|error| sqlx::Error::Decode(error.into()));
        self.text(column)?.map(parse).transpose()
    }

    fn time_text(&self, column: &str) -> Decoded<String> {
        self.text(column)
    }

    fn names(&self) -> Vec<String> {
        self.columns().iter().map(|column| column.name().to_owned()).collect()
    }
}
