//! The entries of a table of apps: CSV with the columns app, resource group, subscription and policy.

use std::collections::BTreeSet;

use holdfast_model::AppId;

use super::render::entry;
use crate::error::{Error, ErrorKind};

const HELP: &str =
    "the first line names the columns: app,resource_group,subscription,policy; a slot is `shop/staging`";

/// The columns, by the names that people give them.
const COLUMNS: [&str; 4] = ["app", "resourcegroup", "subscription", "policy"];

/// The `[[app]]` entries, as TOML, and how many they are.
pub fn from_csv(text: &str) -> Result<(String, usize), Error> {
    let mut table =
        csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
    let headers = table.headers().map_err(|error| invalid(&format!("the table cannot be read: {error}")))?;
    let names: Vec<String> = headers.iter().map(column).collect();
    let mut places = [0; COLUMNS.len()];
    for (place, wanted) in places.iter_mut().zip(COLUMNS) {
        let found = names.iter().position(|name| name == wanted);
        *place = found.ok_or_else(|| invalid(&format!("the table has no column `{wanted}`")))?;
    }
    let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
    for row in table.records() {
        let row = row.map_err(|error| invalid(&format!("the table cannot be read: {error}")))?;
        let line = row.position().map_or(0, csv::Position::line);
        let [app, group, subscription, policy] = places.map(|place| row.get(place).unwrap_or_default());
        let id = app_id(app, group, subscription).map_err(|why| invalid(&format!("line {line}: {why}")))?;
        if policy.is_empty() {
            return Err(invalid(&format!("line {line}: {} has no policy", id.short_name())));
        }
        if !seen.insert(id.clone()) {
            return Err(invalid(&format!("line {line}: {} is listed already", id.short_name())));
        }
        entries.push(entry(&id.to_string(), policy));
    }
    Ok((entries.join("\n"), entries.len()))
}

/// The name of a column without case and without what is between words; spreadsheets begin with a byte order mark.
fn column(name: &str) -> String {
    let name = name.trim_start_matches('\u{feff}').to_lowercase();
    name.chars().filter(|c| c.is_alphanumeric()).collect()
}

fn app_id(app: &str, group: &str, subscription: &str) -> Result<AppId, String> {
    let site = match app.split_once('/') {
        Some((site, slot)) => format!("{site}/slots/{slot}"),
        None => app.to_owned(),
    };
    let id =
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Web/sites/{site}");
    id.parse().map_err(|error: holdfast_model::InvalidAppId| error.to_string())
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, what).help(HELP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::rendered;

    #[test]
    fn each_row_is_an_entry_and_columns_may_be_named_as_people_do() {
        let table = "\u{feff}App,Resource group,Subscription,Policy,Team\nshop,rg-a,0a0a,gold,x\n\"wiki/staging\", rg-b ,0a0a,silver\n";
        let (text, entries) = from_csv(table).unwrap();
        assert_eq!(entries, 2);
        assert_eq!(
            text,
            "[[app]]\nid = \"/subscriptions/0a0a/resourceGroups/rg-a/providers/Microsoft.Web/sites/shop\"\npolicy = \"gold\"\n\n\
             [[app]]\nid = \"/subscriptions/0a0a/resourceGroups/rg-b/providers/Microsoft.Web/sites/wiki/slots/staging\"\npolicy = \"silver\"\n"
        );
    }

    #[test]
    fn a_row_that_is_no_app_is_named_by_its_line() {
        let of = |rows: &str| {
            rendered(&from_csv(&format!("app,resource_group,subscription,policy\n{rows}")).unwrap_err())
        };
        assert!(of("shop,,0a0a,gold\n").starts_with("error: line 2: "), "{}", of("shop,,0a0a,gold\n"));
        assert!(of("a,g,s,gold\na,G,S,gold\n").contains("line 3: a is listed already"));
        assert!(of("a,g,s,\n").contains("line 2: a has no policy"));
        assert!(rendered(&from_csv("app;group\n").unwrap_err()).contains("no column `app`"));
    }
}
