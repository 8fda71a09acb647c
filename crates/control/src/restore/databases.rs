//! Which databases a restore restores: all databases of a backup, or none.

use holdfast_model::{DatabaseFacts, DatabaseKind, DatabaseRef};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// Which databases of a backup a restore restores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Databases {
    /// None of them.
    Ignore,
    /// All of them; where names are given, they must be all of them.
    Bring(Vec<String>),
}

/// The databases of a restore, with references to their secrets: those of `known` that the backup holds.
pub fn brought_back(
    held: &[DatabaseFacts],
    known: &[DatabaseRef],
    wanted: &Databases,
) -> Result<Vec<DatabaseRef>, Error> {
    let Databases::Bring(names) = wanted else { return Ok(Vec::new()) };
    if let Some(unknown) = names.iter().find(|name| !held.iter().any(|facts| is_named(facts, name))) {
        let what = format!("the backup holds no database `{unknown}`");
        return Err(Error::new(ErrorKind::Invalid, what).help(holds(held)));
    }
    let left_out =
        held.iter().find(|facts| !names.is_empty() && !names.iter().any(|name| is_named(facts, name)));
    if let Some(left_out) = left_out {
        let what = format!("the database `{}` of the backup is left out", left_out.name);
        let advice =
            "Azure restores all databases of a backup or none: name them all, or give --ignore-databases";
        return Err(Error::new(ErrorKind::Invalid, what).help(advice));
    }
    held.iter().map(|facts| reference(facts, known)).collect()
}

fn is_named(facts: &DatabaseFacts, name: &str) -> bool {
    facts.name.eq_ignore_ascii_case(name)
}

fn reference(facts: &DatabaseFacts, known: &[DatabaseRef]) -> Result<DatabaseRef, Error> {
    if let Some(known) = known.iter().find(|known| known.is(facts)) {
        return Ok(known.clone());
    }
    // One inside the app needs no connection string.
    if let Some(kind @ DatabaseKind::LocalMySql) = DatabaseKind::from_word(&facts.kind) {
        let (connection_string, connection_string_name) = (None, None);
        return Ok(DatabaseRef { kind, name: facts.name.clone(), connection_string, connection_string_name });
    }
    let what = format!(
        "the backup holds the {} database `{}`, and the fleet file does not say how to reach it",
        facts.kind, facts.name
    );
    let advice =
        "add it to the `databases` of the app, or give --ignore-databases to leave databases as they are";
    Err(Error::new(ErrorKind::Invalid, what).help(advice))
}

fn holds(held: &[DatabaseFacts]) -> String {
    if held.is_empty() {
        return "it holds no databases at all".to_owned();
    }
    let names: Vec<&str> = held.iter().map(|facts| facts.name.as_str()).collect();
    format!("it holds these: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::rendered;

    fn facts(kind: &str, name: &str) -> DatabaseFacts {
        DatabaseFacts { kind: kind.into(), name: name.into() }
    }

    fn known() -> [DatabaseRef; 1] {
        [DatabaseRef {
            kind: DatabaseKind::SqlAzure,
            name: "orders".into(),
            connection_string: Some("env:ORDERS".into()),
            connection_string_name: None,
        }]
    }

    fn refusal(held: &[DatabaseFacts], names: &[&str]) -> String {
        let wanted = Databases::Bring(names.iter().map(|name| (*name).to_owned()).collect());
        rendered(&brought_back(held, &known(), &wanted).unwrap_err())
    }

    #[test]
    fn each_database_of_the_backup_is_restored_with_the_reference_to_its_secret() {
        let held = [facts("sqlazure", "Orders"), facts("LocalMySql", "localdb")];
        let brought = brought_back(&held, &known(), &Databases::Bring(Vec::new())).unwrap();
        assert_eq!(brought[0], known()[0]);
        assert_eq!(
            (brought[1].kind, brought[1].connection_string.as_ref()),
            (DatabaseKind::LocalMySql, None)
        );
        assert_eq!(brought_back(&held, &known(), &Databases::Ignore).unwrap(), []);
    }

    #[test]
    fn a_choice_that_azure_would_refuse_is_refused_before() {
        let held = [facts("SqlAzure", "orders"), facts("LocalMySql", "localdb")];
        assert!(
            refusal(&held, &["order"]).contains("no database `order`\nhelp: it holds these: orders, localdb")
        );
        assert!(
            refusal(&held, &["orders"])
                .contains("`localdb` of the backup is left out\nhelp: Azure restores all")
        );
        assert!(refusal(&[], &["orders"]).contains("it holds no databases at all"));
        assert!(
            refusal(&[facts("MySql", "orders")], &[]).contains("does not say how to reach it"),
            "another kind"
        );
    }
}
