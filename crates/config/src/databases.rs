//! The key `databases` of an `[[app]]`.

use std::collections::BTreeSet;

use holdfast_model::{DATABASES_END, DatabaseKind, DatabaseRef, Timestamp};

use crate::diagnostics::{Diagnostics, Located};
use crate::nearest::did_you_mean;
use crate::section::Section;

/// The expected form of a list of databases.
pub const DATABASES: &str =
    "a list such as [{ type = \"SqlAzure\", name = \"shop\", connection_string = \"env:SHOP_DB\" }]";

/// Reads the databases that are backed up with an app.
pub fn databases(
    diagnostics: &mut Diagnostics<'_>,
    section: &mut Section<'_>,
    now: Timestamp,
) -> Vec<DatabaseRef> {
    let mut seen = BTreeSet::new();
    let mut databases = Vec::new();
    for (index, mut section) in section.sections(diagnostics, "databases", DATABASES).into_iter().enumerate()
    {
        if index == 0 {
            ending(diagnostics, &section, now);
        }
        let database = database(diagnostics, &mut section);
        if let Some(database) = database {
            if !seen.insert((database.kind, database.name.to_lowercase())) {
                let DatabaseRef { kind, name, .. } = &database;
                let message =
                    format_args!("`{}`: the {kind} database `{name}` is listed already", section.place.key);
                diagnostics.error(&section.place, message);
            }
            databases.push(database);
        }
        section.finish(diagnostics);
    }
    databases
}

fn database(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<DatabaseRef> {
    let kind = kind(diagnostics, section);
    let name = section.required(diagnostics, "name", "the database's name");
    let name = name.filter(|Located { value, place }| {
        if value.trim().is_empty() {
            diagnostics
                .error(place, format_args!("`{}`: expected the database's name, found nothing", place.key));
        }
        !value.trim().is_empty()
    });
    if kind == Some(DatabaseKind::LocalMySql) {
        in_app(diagnostics, section);
    }
    // A local MySQL is reached by the app's own settings.
    let needs_none = matches!(kind, None | Some(DatabaseKind::LocalMySql));
    section.know("connection_string");
    let has_one = section.has("connection_string") || !needs_none;
    let connection_string = has_one.then(|| section.secret(diagnostics, "connection_string"));
    let connection_string_name =
        section.text(diagnostics, "connection_string_name", "the name that the app's settings have for it");
    Some(DatabaseRef {
        kind: kind?,
        name: name?.value.to_owned(),
        connection_string: connection_string.flatten().map(|reference| reference.to_string()),
        connection_string_name: connection_string_name.map(|found| found.value.to_owned()),
    })
}

/// Reports an in-app MySQL. Azure backs it up with the app; settings of its own break that (Microsoft's
/// "Back up and restore your app in Azure App Service").
fn in_app(diagnostics: &mut Diagnostics<'_>, section: &Section<'_>) {
    let (place, key) = (&section.place, &section.place.key);
    let help = "remove this entry";
    if section.has("connection_string") || section.has("connection_string_name") {
        let message = format_args!(
            "`{key}`: Azure backs up an in-app MySQL with the app, and a connection string breaks that"
        );
        diagnostics.error_with_help(place, message, help);
    } else {
        let message =
            format_args!("`{key}`: Azure backs up an in-app MySQL with the app, and needs no entry for it");
        diagnostics.warning(place, message, Some(help.into()));
    }
}

fn kind(diagnostics: &mut Diagnostics<'_>, section: &mut Section<'_>) -> Option<DatabaseKind> {
    let words = || DatabaseKind::ALL.into_iter().map(DatabaseKind::as_str);
    let expected = format!("one of {}", words().collect::<Vec<_>>().join(", "));
    let Located { value, place } = section.required(diagnostics, "type", &expected)?;
    let kind = DatabaseKind::from_word(value);
    if kind.is_none() {
        let near = did_you_mean(value, words());
        let message = format_args!("`{}`: expected {expected}, found \"{value}\"{near}", place.key);
        diagnostics.error(&place, message);
    }
    kind
}

/// Reports the end of Azure's database backups: a warning before that date, and an error after it.
fn ending(diagnostics: &mut Diagnostics<'_>, section: &Section<'_>, now: Timestamp) {
    let (place, key) = (&section.place, &section.place.key);
    let help = "back up databases with their own services";
    if now.date_naive() > DATABASES_END {
        let message =
            format_args!("`{key}`: Azure has not backed up databases with apps since {DATABASES_END}");
        diagnostics.error_with_help(place, message, help);
    } else {
        let message = format_args!(
            "`{key}`: Azure stops backing up linked databases on {DATABASES_END} and no longer accepts new ones"
        );
        diagnostics.warning(place, message, Some(help.into()));
    }
}
