//! The databases that are backed up with an app.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The last day on which Azure takes databases along (MicrosoftDocs/azure-docs, `manage-backup.md`).
pub const DATABASES_END: NaiveDate = match NaiveDate::from_ymd_opt(2028, 3, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// What kind of database, in Azure's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DatabaseKind {
    /// Azure SQL.
    SqlAzure,
    /// MySQL on a server of its own.
    MySql,
    /// MySQL inside the app.
    LocalMySql,
    /// PostgreSQL.
    PostgreSql,
}

impl DatabaseKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::SqlAzure, Self::MySql, Self::LocalMySql, Self::PostgreSql];

    /// Azure's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SqlAzure => "SqlAzure",
            Self::MySql => "MySql",
            Self::LocalMySql => "LocalMySql",
            Self::PostgreSql => "PostgreSql",
        }
    }

    /// The kind of this word, in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for DatabaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A database of the fleet file. The connection string is not in it: only where it is to be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DatabaseRef {
    /// What kind.
    pub kind: DatabaseKind,
    /// Its name.
    pub name: String,
    /// Where its connection string is, such as `env:SHOP_DB`; `None` for one inside the app.
    pub connection_string: Option<String>,
    /// The name of the connection string in the app's settings, when it is there too.
    pub connection_string_name: Option<String>,
}

/// A database as a backup tells of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DatabaseFacts {
    /// Azure's word for its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl DatabaseRef {
    /// Is it the one that `facts` tells of?
    pub fn is(&self, facts: &DatabaseFacts) -> bool {
        self.name.eq_ignore_ascii_case(&facts.name) && self.kind.as_str().eq_ignore_ascii_case(&facts.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_told_by_its_kind_and_name_in_any_case() {
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
