//! The databases that are backed up with an app.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use crate::words::words;

/// The last day on which Azure includes databases in backups (MicrosoftDocs/azure-docs, `manage-backup.md`).
pub const DATABASES_END: NaiveDate = match NaiveDate::from_ymd_opt(2028, 3, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// The kind of a database, as Azure names it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumCount,
    EnumString,
    IntoStaticStr,
    VariantArray,
    strum::Display,
    ToSchema,
)]
#[strum(ascii_case_insensitive)]
pub enum DatabaseKind {
    /// Azure SQL.
    SqlAzure,
    /// MySQL on its own server.
    MySql,
    /// MySQL inside the app.
    LocalMySql,
    /// PostgreSQL.
    PostgreSql,
}

words!(DatabaseKind);

impl DatabaseKind {
    /// The kind with this name, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

/// A database of the fleet file, with a reference to its connection string, never the string itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct DatabaseRef {
    /// Its kind.
    pub kind: DatabaseKind,
    /// Its name.
    pub name: String,
    /// A reference to its connection string, such as `env:SHOP_DB`; `None` for a database inside the app.
    pub connection_string: Option<String>,
    /// The name of the connection string in the app's settings, if it is there too.
    pub connection_string_name: Option<String>,
}

/// A database in a backup, as Azure reports it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct DatabaseFacts {
    /// Its kind, in Azure's spelling.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl DatabaseRef {
    /// Whether `facts` describe this database. Kind and name are compared without regard to case.
    pub fn is(&self, facts: &DatabaseFacts) -> bool {
        self.name.eq_ignore_ascii_case(&facts.name) && self.kind.as_str().eq_ignore_ascii_case(&facts.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_identified_by_its_kind_and_name_in_any_case() {
        let shop = DatabaseRef {
            kind: DatabaseKind::SqlAzure,
            name: "shop".into(),
            connection_string: Some("env:SHOP_DB".into()),
            connection_string_name: None,
        };
        assert!(shop.is(&DatabaseFacts { kind: "sqlazure".into(), name: "Shop".into() }));
        assert!(!shop.is(&DatabaseFacts { kind: "MySql".into(), name: "shop".into() }));
        assert_eq!(DatabaseKind::from_word("POSTGRESQL"), Some(DatabaseKind::PostgreSql));
        assert_eq!(DatabaseKind::from_word("Oracle"), None);
    }
}
