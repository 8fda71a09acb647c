use holdfast_model::{DatabaseKind, DatabaseRef};

use super::*;

const SHOP: &str = "{ type = \"SqlAzure\", name = \"shop\", connection_string = \"env:SHOP_DB\" }";

/// The example with these databases in its `[[app]]`.
fn listing(databases: &str) -> String {
    with("\n[[discover]]", &format!("databases = [{databases}]\n\n[[discover]]"))
}

#[test]
fn databases_arrive_with_their_references_and_a_warning_of_their_end() {
    let local = "{ type = \"localmysql\", name = \"blog\" }";
    let named = "{ type = \"MySql\", name = \"wiki\", connection_string = \"keyvault:https://v.vault.azure.net/secrets/w\", \
                 connection_string_name = \"Wiki\" }";
    let Checked { fleet, problems, .. } = look(&listing(&format!("{SHOP}, {local}, {named}")));
    let database = |kind, name: &str, reference: Option<&str>, setting: Option<&str>| DatabaseRef {
        kind,
        name: name.to_owned(),
        connection_string: reference.map(str::to_owned),
        connection_string_name: setting.map(str::to_owned),
    };
    let vault = Some("keyvault:https://v.vault.azure.net/secrets/w");
    assert_eq!(
        fleet.unwrap().apps[0].databases,
        [
            database(DatabaseKind::SqlAzure, "shop", Some("env:SHOP_DB"), None),
            database(DatabaseKind::LocalMySql, "blog", None, None),
            database(DatabaseKind::MySql, "wiki", vault, Some("Wiki")),
        ]
    );
    let told: Vec<_> = problems.iter().map(|p| (p.severity, p.key.as_str(), p.message.as_str())).collect();
    assert_eq!(
        told,
        [
            (
                Severity::Warning,
                "app[0].databases[0]",
                "`app[0].databases[0]`: Azure stops backing up linked databases on 2028-03-31 and no longer accepts new ones"
            ),
            (
                Severity::Warning,
                "app[0].databases[1]",
                "`app[0].databases[1]`: Azure backs up an in-app MySQL with the app, and needs no entry for it"
            ),
        ]
    );
}

#[test]
fn after_the_last_day_a_list_of_databases_is_an_error() {
    let errors_at = |now| {
        let problems = checked_at(now, &listing(SHOP), Secrets::Leave).problems;
        problems.into_iter().filter(|p| p.severity == Severity::Error).map(|p| p.message).collect::<Vec<_>>()
    };
    assert_eq!(errors_at("2028-03-31T23:59:59Z"), Vec::<String>::new());
    assert_eq!(
        errors_at("2028-04-01T00:00:00Z"),
        ["`app[0].databases[0]`: Azure has not backed up databases with apps since 2028-03-31"]
    );
}

#[test]
fn each_slip_in_a_database_is_one_error() {
    for (database, expected) in [
        (
            SHOP.replace("SqlAzure", "SqlAzur"),
            "expected one of SqlAzure, MySql, LocalMySql, PostgreSql, found \"SqlAzur\"; did you mean `SqlAzure`?",
        ),
        (SHOP.replace("\"shop\"", "\" \""), "expected the database's name, found nothing"),
        (SHOP.replace("name = \"shop\", ", ""), "is missing `name`: expected the database's name"),
        (
            "{ type = \"PostgreSql\", name = \"shop\" }".to_owned(),
            "is missing `connection_string`: expected a reference to a secret, `env:NAME`, `file:PATH` or `keyvault:URL`",
        ),
        (SHOP.replace("connection_string", "conection_string"), "did you mean `connection_string`?"),
        (
            SHOP.replace("SqlAzure", "LocalMySql"),
            "Azure backs up an in-app MySQL with the app, and a connection string breaks that",
        ),
        (
            "{ type = \"LocalMySql\", name = \"blog\", connection_string_name = \"Blog\" }".to_owned(),
            "Azure backs up an in-app MySQL with the app, and a connection string breaks that",
        ),
        (
            format!("{SHOP}, {}", SHOP.replace("\"shop\"", "\"Shop\"")),
            "`app[0].databases[1]`: the SqlAzure database `Shop` is listed already",
        ),
    ] {
        let found = errors(&listing(&database));
        assert!(found.len() == 1 && found[0].ends_with(expected), "{database}: {found:#?}");
    }
}

#[test]
fn a_connection_string_in_the_place_of_its_reference_is_refused_and_not_repeated() {
    let string = "Server=db.example.com;Uid=shop;Pwd=hunter2";
    let told = rendered(&listing(&SHOP.replace("env:SHOP_DB", string)));
    assert!(
        told.contains("expected a reference to a secret") && told.contains("not the secret itself"),
        "{told}"
    );
    assert!(!told.contains("hunter2") && !told.contains("db.example.com"), "{told}");
}

#[test]
fn an_unreadable_connection_string_is_an_error_unless_secrets_are_skipped() {
    let text = listing(&SHOP.replace("SHOP_DB", "HOLDFAST_NOBODY_SETS_THIS"));
    let told = checked(&text, Secrets::Read).problems;
    let is_told = |key| told.iter().any(|p| p.severity == Severity::Error && p.key == key);
    assert!(is_told("app[0].databases[0].connection_string"), "{told:#?}");
    assert!(look(&text).fleet.is_some());
}

#[test]
fn a_rule_that_finds_apps_can_name_no_databases() {
    let found = errors(&format!("{EXAMPLE}databases = [{SHOP}]\n"));
    assert_eq!(
        found.iter().map(|error| error.split_once(' ').unwrap().1).collect::<Vec<_>>(),
        ["`discover[0].databases[0]`: a rule cannot name databases, because it does not know its apps"]
    );
}
