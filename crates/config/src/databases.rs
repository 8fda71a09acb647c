//! The key `databases` of an `[[app]]`.

use std::collections::BTreeSet;

use holdfast_model::{DATABASES_END, DatabaseKind, DatabaseRef, Timestamp};

use super::reader::Section;
use super::report::{Found, Report};
use super::suggest::did_you_mean;

/// What a list of databases looks like.
pub const DATABASES: &str =
    "a list such as [{ type = \"SqlAzure\", name = \"shop\", connection_string = \"env:SHOP_DB\" }]";

/// Reads the databases that are backed up with an app.
pub fn databases(report: &mut Report<'_>, section: &mut Section<'_>, now: Timestamp) -> Vec<DatabaseRef> {
    let mut seen = BTreeSet::new();
    let mut databases = Vec::new();
    for (index, mut section) in section.sections(report, "databases", DATABASES).into_iter().enumerate() {
        if index == 0 {
            ending(report, &section, now);
        }
        let database = database(report, &mut section);
        if let Some(database) = database {
            if !seen.insert((database.kind, database.name.to_lowercase())) {
                let DatabaseRef { kind, name, .. } = &database;
                let message =
                    format_args!("`{}`: the {kind} database `{name}` is listed already", section.place.key);
                report.error(&section.place, message);
            }
            databases.push(database);
        }
        section.finish(report);
    }
    databases
}

fn database(report: &mut Report<'_>, section: &mut Section<'_>) -> Option<DatabaseRef> {
    let kind = kind(report, section);
    let name = section.required(report, "name", "the database's name");
    let name = name.filter(|Found { value, place }| {
        if value.trim().is_empty() {
            report.error(place, format_args!("`{}`: expected the database's name, found nothing", place.key));
        }
        !value.trim().is_empty()
    });
    // One inside the app is reached by the app's own settings.
    let needs_none = matches!(kind, None | Some(DatabaseKind::LocalMySql));
    let has_one = section.has("connection_string") || !needs_none;
    let connection_string = has_one.then(|| section.secret(report, "connection_string"));
    let connection_string_name =
        section.text(report, "connection_string_name", "the name that the app's settings have for it");
    Some(DatabaseRef {
        kind: kind?,
        name: name?.value.to_owned(),
        connection_string: connection_string.flatten().map(|reference| reference.to_string()),
        connection_string_name: connection_string_name.map(|found| found.value.to_owned()),
    })
}

fn kind(report: &mut Report<'_>, section: &mut Section<'_>) -> Option<DatabaseKind> {
    let words = || DatabaseKind::ALL.into_iter().map(DatabaseKind::as_str);
    let expected = format!("one of {}", words().collect::<Vec<_>>().join(", "));
    let Found { value, place } = section.required(report, "type", &expected)?;
    let kind = DatabaseKind::from_word(value);
    if kind.is_none() {
        let near = did_you_mean(value, words());
        let message = format_args!("`{}`: expected {expected}, found \"{value}\"{near}", place.key);
        report.error(&place, message);
    }
    kind
}

/// Azure stops taking databases along: a warning until then, and after that an error, because whoever wrote the list
/// believes them to be safe.
fn ending(report: &mut Report<'_>, section: &Section<'_>, now: Timestamp) {
    let (place, key) = (&section.place, &section.place.key);
    let help = "back databases up with their own services";
    if now.date_naive() > DATABASES_END {
        let message = format_args!("`{key}`: Azure has taken no databases along since {DATABASES_END}");
        report.error_with_help(place, message, help);
    } else {
        let message = format_args!(
            "`{key}`: Azure stops taking linked databases along on {DATABASES_END} and no longer takes new ones"
        );
        report.warning(place, message, Some(help.into()));
    }
}
