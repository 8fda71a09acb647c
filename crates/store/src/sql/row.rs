//! Reading rows. An unreadable value is named with its row and its column.

use std::fmt::Display;
use std::str::FromStr;

use holdfast_model::{Priority, RunId, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::columns::from_word;
use crate::error::{Error, Result};
use crate::unreadable::{UnreadableLog, UnreadableRow};

/// The raw columns of one row, as a driver decodes them.
pub(crate) trait Cells {
    fn text(&self, column: &str) -> Decoded<String>;
    fn int(&self, column: &str) -> Decoded<i64>;
    fn bool(&self, column: &str) -> Decoded<bool>;
    fn float(&self, column: &str) -> Decoded<f64>;
    /// The id of a run as text.
    fn id(&self, column: &str) -> Decoded<String>;
    fn time(&self, column: &str) -> Decoded<Timestamp>;
    /// A time as the text that the audit's hash covers.
    fn time_text(&self, column: &str) -> Decoded<String>;
    /// The names of the columns.
    fn names(&self) -> Vec<String>;
}

/// A decoded column; `None` for NULL.
pub(crate) type Decoded<T> = std::result::Result<Option<T>, sqlx::Error>;

/// What rows of a statement are read as.
pub(crate) trait FromRow: Sized + Send {
    /// The table of the row.
    const TABLE: &'static str = "runs";

    /// The columns whose values name the row in errors.
    const KEY: &'static [&'static str];

    fn read(row: &Row<'_>) -> Result<Self>;
}

/// One row of one operation.
pub(crate) struct Row<'r> {
    cells: &'r dyn Cells,
    table: &'static str,
    key: &'static [&'static str],
    operation: &'static str,
    log: &'r UnreadableLog,
}

/// Reads a row of an operation.
pub(crate) fn read_one<T: FromRow>(
    cells: &impl Cells,
    operation: &'static str,
    log: &UnreadableLog,
) -> Result<T> {
    T::read(&Row { cells, table: T::TABLE, key: T::KEY, operation, log })
}

impl Row<'_> {
    /// Reads the row as one of another table, for a statement that joins tables.
    pub fn read_as<T: FromRow>(&self) -> Result<T> {
        T::read(&Row { table: T::TABLE, key: T::KEY, ..*self })
    }

    pub fn text(&self, column: &str) -> Result<String> {
        self.required(column, self.cells.text(column))
    }

    pub fn maybe_text(&self, column: &str) -> Result<Option<String>> {
        self.optional(column, self.cells.text(column))
    }

    pub fn int(&self, column: &str) -> Result<i64> {
        self.required(column, self.cells.int(column))
    }

    pub fn maybe_int(&self, column: &str) -> Result<Option<i64>> {
        self.optional(column, self.cells.int(column))
    }

    pub fn bool(&self, column: &str) -> Result<bool> {
        self.required(column, self.cells.bool(column))
    }

    pub fn maybe_bool(&self, column: &str) -> Result<Option<bool>> {
        self.optional(column, self.cells.bool(column))
    }

    pub fn float(&self, column: &str) -> Result<f64> {
        self.required(column, self.cells.float(column))
    }

    pub fn time(&self, column: &str) -> Result<Timestamp> {
        self.required(column, self.cells.time(column))
    }

    pub fn maybe_time(&self, column: &str) -> Result<Option<Timestamp>> {
        self.optional(column, self.cells.time(column))
    }

    pub fn time_text(&self, column: &str) -> Result<String> {
        self.required(column, self.cells.time_text(column))
    }

    pub fn id_text(&self, column: &str) -> Result<String> {
        self.required(column, self.cells.id(column))
    }

    pub fn id(&self, column: &str) -> Result<RunId> {
        self.parsed(column, &self.id_text(column)?)
    }

    pub fn maybe_id(&self, column: &str) -> Result<Option<RunId>> {
        let id = self.optional(column, self.cells.id(column))?;
        id.map(|id| self.parsed(column, &id)).transpose()
    }

    /// Text that a type parses.
    pub fn parse<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T> {
        self.parsed(column, &self.text(column)?)
    }

    /// JSON text.
    pub fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.wrong(column, error))
    }

    /// JSON text, or NULL.
    pub fn maybe_json<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        let text = self.maybe_text(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| self.wrong(column, error))).transpose()
    }

    /// The serialized name of a plain enum.
    pub fn word<T: DeserializeOwned>(&self, column: &str) -> Result<T> {
        from_word(&self.text(column)?).map_err(|error| self.wrong(column, error))
    }

    /// The serialized name of a plain enum, or NULL.
    pub fn maybe_word<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>> {
        let word = self.maybe_text(column)?;
        word.map(|word| from_word(&word).map_err(|error| self.wrong(column, error))).transpose()
    }

    /// The rank of a priority.
    pub fn priority(&self, column: &str) -> Result<Priority> {
        let rank = self.int(column)?;
        let priority = Priority::ALL.into_iter().find(|priority| priority.rank() == rank);
        priority.ok_or_else(|| self.wrong(column, rank))
    }

    /// A count, which is never negative.
    pub fn count<T: TryFrom<i64>>(&self, column: &str) -> Result<T> {
        let count = self.int(column)?;
        T::try_from(count).map_err(|_| self.wrong(column, count))
    }

    /// The error of a column with this value or cause.
    pub fn wrong(&self, column: &str, what: impl Display) -> Error {
        let name = |column: &&str| {
            let texts = [self.cells.text(column), self.cells.id(column)];
            let number = self.cells.int(column).ok().flatten().map(|number| number.to_string());
            texts.into_iter().find_map(|text| text.ok().flatten()).or(number).unwrap_or_default()
        };
        let key = self.key.iter().map(name).collect();
        let row = UnreadableRow { table: self.table, key, column: column.to_owned(), why: what.to_string() };
        Error::Unreadable { operation: self.operation, row }
    }

    /// Every column as JSON, whatever it holds.
    pub fn dump(&self) -> Map<String, Value> {
        let dump = |name: String| {
            let value = self.plain(&name);
            (name, value)
        };
        self.cells.names().into_iter().map(dump).collect()
    }

    fn plain(&self, column: &str) -> Value {
        let Self { cells, .. } = self;
        let texts = [cells.text(column), cells.id(column), cells.time_text(column)];
        if let Some(text) = texts.into_iter().find_map(|text| text.ok().flatten()) {
            return text.into();
        }
        let int = || cells.int(column).ok().flatten().map(Value::from);
        let float = || cells.float(column).ok().flatten().map(Value::from);
        let bool = || cells.bool(column).ok().flatten().map(Value::from);
        int().or_else(float).or_else(bool).unwrap_or_default()
    }

    /// The value of a part that the row can do without. A part that cannot be read is logged and left out.
    pub fn or_none<T>(&self, part: Result<Option<T>>) -> Option<T> {
        part.unwrap_or_else(|error| {
            if let Error::Unreadable { row, .. } = error {
                self.log.warn(&row);
            }
            None
        })
    }

    fn parsed<T: FromStr<Err: Display>>(&self, column: &str, text: &str) -> Result<T> {
        text.parse().map_err(|error| self.wrong(column, error))
    }

    fn optional<T>(&self, column: &str, cell: Decoded<T>) -> Result<Option<T>> {
        cell.map_err(|error| self.wrong(column, error))
    }

    fn required<T>(&self, column: &str, cell: Decoded<T>) -> Result<T> {
        self.optional(column, cell)?.ok_or_else(|| self.wrong(column, "NULL"))
    }
}
