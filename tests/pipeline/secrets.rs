//! Searches all output for secrets: logs, rows, the output of commands, metrics, telemetry and messages.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::pipeline_world::PipelineWorld;

/// The prefix of every signature in a query.
const MARKS: [&str; 3] = ["sig=", "sig%3D", "sig%3d"];
/// The minimum length of a secret. Shorter ones may occur by chance.
const LENGTH_MIN: usize = 7;

/// Secrets in all their encodings.
pub(crate) struct Secrets(BTreeSet<String>);

impl Secrets {
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut spellings: BTreeSet<String> = MARKS.map(str::to_owned).into();
        for secret in secrets {
            assert!(secret.len() >= LENGTH_MIN, "a secret is too short to search for");
            spellings.extend(percent_encoded(&secret));
            spellings.extend(in_base64(secret.as_bytes()));
            spellings.insert(in_hexadecimal(secret.as_bytes()));
            spellings.insert(secret);
        }
        Self(spellings)
    }

    /// Whether any secret is in this text.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|spelling| text.contains(spelling))
    }

    /// A description of each source whose text contains a secret.
    pub(crate) fn leaks_in<'w>(
        &self,
        written: impl IntoIterator<Item = &'w (String, String)>,
    ) -> Vec<String> {
        let found = written.into_iter().filter(|(_, text)| self.are_in(text));
        found.map(|(source, _)| format!("{source}: a secret leaked")).collect()
    }
}

/// The percent-encodings: minimal, full, double, and with lowercase digits.
fn percent_encoded(secret: &str) -> [String; 4] {
    let encode = |text: &str, keeps: fn(u8) -> bool| {
        let byte = |byte: u8| if keeps(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(byte).collect::<String>()
    };
    let all = encode(secret, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    let most = encode(secret, |byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte));
    let twice = all.replace('%', "%25");
    let small = secret.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02x}"),
    });
    [small.collect(), all, most, twice]
}

/// The base64 forms at each of the three alignments, without the digits that depend on adjacent bytes.
fn in_base64(secret: &[u8]) -> Vec<String> {
    let at = |before: usize| {
        let text = [&vec![0; before][..], secret].concat();
        let (first, last) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
        [STANDARD.encode(&text), URL_SAFE.encode(&text)].map(|encoded| encoded[first..last].to_owned())
    };
    (0..3).flat_map(at).collect()
}

/// The hex form in which PostgreSQL prints bytes.
fn in_hexadecimal(secret: &[u8]) -> String {
    secret
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// The names and texts of the files with one of these suffixes.
pub(crate) fn files(folder: &Path, ends: &[&str]) -> Vec<(String, String)> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let names = names.filter(|path| ends.iter().any(|end| path.display().to_string().ends_with(end)));
    let read = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    names.map(|path| (path.display().to_string(), read(&path))).collect()
}

/// The rows of every table and view, by name.
pub(crate) async fn rows(connection: &mut PgConnection) -> Vec<(String, String)> {
    let tables = "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
        WHERE table_schema NOT IN ('pg_catalog', 'information_schema')";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *connection).await.unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let all = format!("SELECT coalesce(string_agg(row::text, E'\\n'), '') FROM {table} row");
        let text = sqlx::query_scalar(AssertSqlSafe(all)).fetch_one(&mut *connection).await.unwrap();
        rows.push((table, text));
    }
    rows
}

/// Searches everything that was written in this world. Returns a description of each leak.
pub(crate) async fn got_out(world: &PipelineWorld) -> Vec<String> {
    let secrets = Secrets::new(world.secrets());
    let mut written = files(world.folder(), &[".log"]);
    let mut database = PgConnection::connect(world.database()).await.unwrap();
    written.extend(rows(&mut database).await);
    written.extend(world.metrics().await);
    written.extend(world.recorded());
    let bytes: usize = written.iter().map(|(_, text)| text.len()).sum();
    println!(
        "{} spellings of secrets looked for in {bytes} bytes of {} texts",
        secrets.0.len(),
        written.len()
    );
    secrets.leaks_in(&written)
}

#[cfg(test)]
mod tests {
    use holdfast_tests::postgres::Database;
    use holdfast_tests::rabbitmq::VirtualHost;

    use super::*;

    const SECRET: &str = "q83v/+EjRWeJq83v+w==";

    fn secrets() -> Secrets {
        Secrets::new([SECRET.to_owned()])
    }

    #[test]
    fn a_secret_is_found_in_every_spelling_and_nothing_else_is() {
        for text in [
            format!("?se=2026&{SECRET}&x"),
            "q83v%2F%2BEjRWeJq83v%2Bw%3D%3D".to_owned(),
            "q83v%2f%2bEjRWeJq83v%2bw%3d%3d".to_owned(),
            "q83v/%2BEjRWeJq83v%2Bw%3D%3D".to_owned(),
            "q83v%252F%252BEjRWeJq83v%252Bw%253D%253D".to_owned(),
            STANDARD.encode(format!("a{SECRET}z")),
            STANDARD.encode(format!("ab{SECRET}z")),
            URL_SAFE.encode(format!("abc{SECRET}zz")),
            in_hexadecimal(SECRET.as_bytes()),
            "?sig=anything".to_owned(),
        ] {
            assert!(secrets().are_in(&text), "{text}");
        }
        let harmless = format!("the fingerprint of {} is 4c4046a8803a", &SECRET[..10]);
        assert!(!secrets().are_in(&harmless));
    }

    #[test]
    fn a_secret_in_a_log_is_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("worker-1.1.log"), "all is well").unwrap();
        assert_eq!(secrets().leaks_in(&files(folder.path(), &[".log"])), Vec::<String>::new());
        std::fs::write(folder.path().join("worker-1.2.log"), format!("\u{1b}[2m{SECRET}\n")).unwrap();
        let found = secrets().leaks_in(&files(folder.path(), &[".log"]));
        assert!(found.len() == 1 && found[0].contains("worker-1.2.log"), "{found:?}");
    }

    #[tokio::test]
    async fn a_secret_in_a_row_or_a_message_is_found() {
        let (Some(database), Some(broker)) = (Database::new().await, VirtualHost::new()) else { return };
        let mut connection = database.raw().await;
        let plant = format!(
            "CREATE TABLE one (a jsonb, b bytea); CREATE TABLE other (c text);
             INSERT INTO one VALUES ('{{\"deep\": [\"{SECRET}\"]}}', NULL), (NULL, '{SECRET}'::bytea);
             INSERT INTO other VALUES ('nothing')"
        );
        sqlx::raw_sql(AssertSqlSafe(plant)).execute(&mut connection).await.unwrap();
        let rows = rows(&mut connection).await;
        assert_eq!(secrets().leaks_in(&rows), ["public.one: a secret leaked"]);
        let bytes = rows.iter().flat_map(|(_, text)| text.lines()).filter(|row| secrets().are_in(row));
        assert_eq!(bytes.count(), 2, "in JSON and in bytes");

        broker.tap("amq.direct", &["work"]);
        broker.publish_to("amq.direct", "work", b"harmless");
        let messages = |broker: &VirtualHost| vec![("messages".to_owned(), broker.tapped())];
        assert_eq!(secrets().leaks_in(&messages(&broker)), Vec::<String>::new());
        broker.publish_to("amq.direct", "work", SECRET.as_bytes());
        assert_eq!(secrets().leaks_in(&messages(&broker)), ["messages: a secret leaked"]);
    }
}
