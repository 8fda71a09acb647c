//! Which databases come back with a backup. Azure takes all that are in it, or none.

use holdfast_model::{DatabaseFacts, DatabaseKind, DatabaseRef};

use crate::exit::{Exit, Failure};

/// What somebody wants of the databases in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Databases {
    /// None of them.
    Ignore,
    /// All of them; where names are given, they must be all of them.
    Bring(Vec<String>),
}

/// The databases of a restore, with where their secrets are: those of `known` that the backup holds.
pub fn brought_back(
    held: &[DatabaseFacts],
    known: &[DatabaseRef],
    wanted: &Databases,
) -> Result<Vec<DatabaseRef>, Failure> {
    let Databases::Bring(names) = wanted else { return Ok(Vec::new()) };
    if let Some(stranger) = names.iter().find(|name| !held.iter().any(|facts| is_named(facts, name))) {
        let what = format!("the backup holds no database `{stranger}`");
        return Err(Failure::new(Exit::Usage, what).help(holds(held)));
    }
    let left_out =
        held.iter().find(|facts| !names.is_empty() && !names.iter().any(|name| is_named(facts, name)));
    if let Some(left_out) = left_out {
        let what = format!("the database `{}` of the backup is left out", left_out.name);
        let help =
            "Azure brings all databases of a backup back or none: name them all, or say --ignore-databases";
        return Err(Failure::new(Exit::Usage, what).help(help));
    }
    held.iter().map(|facts| reference(facts, known)).collect()
}

fn is_named(facts: &DatabaseFacts, name: &str) -> bool {
    facts.name.eq_ignore_ascii_case(name)
}

fn reference(facts: &DatabaseFacts, known: &[DatabaseRef]) -> Result<DatabaseRef, Failure> {
    if let Some(known) = known.iter().find(|known| known.is(facts)) {
        return Ok(known.clone());
    }
    match DatabaseKind::from_word(&facts.kind) {
        // One inside the app needs no connection string.
        Some(kind @ DatabaseKind::LocalMySql) => {
            let (connection_string, connection_string_name) = (None, None);
            Ok(DatabaseRef { kind, name: facts.name.clone(), connection_string, connection_string_name })
        }
        _ => {
            let what = format!(
                "the backup holds the {} database `{}`, and the fleet file does not say how to reach it",
                facts.kind, facts.name
            );
            let help =
                "add it to the `databases` of the app, or say --ignore-databases to leave databases alone";
            Err(Failure::new(Exit::Usage, what).help(help))
        }
    }
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
    use crate::exit::render;

    use super::*;

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

    fn told(held: &[DatabaseFacts], names: &[&str]) -> String {
        let wanted = Databases::Bring(names.iter().map(|name| (*name).to_owned()).collect());
        render(&brought_back(held, &known(), &wanted).unwrap_err().into())
    }

    #[test]
    fn each_that_the_backup_holds_comes_back_with_its_secrets_place() {
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
    fn azure_is_not_asked_for_what_it_would_refuse() {
        let held = [facts("SqlAzure", "orders"), facts("LocalMySql", "localdb")];
        assert!(
            told(&held, &["order"]).contains("no database `order`\nhelp: it holds these: orders, localdb")
        );
        assert!(
            told(&held, &["orders"]).contains("`localdb` of the backup is left out\nhelp: Azure brings all")
        );
        assert!(told(&[], &["orders"]).contains("it holds no databases at all"));
        assert!(
            told(&[facts("MySql", "orders")], &[]).contains("does not say how to reach it"),
            "another kind"
        );
    }
}
