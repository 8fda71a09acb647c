//! A result as people see it.

use super::table::Table;

/// A result as people see it.
#[derive(Debug)]
pub enum Screen {
    /// A table.
    Table(Table),
    /// Text.
    Text(String),
}

impl From<Table> for Screen {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl From<String> for Screen {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Screen {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
