//! The audit's events as lines of JSON, so that they can be verified without a database.

use holdfast_store::{ChainRow, Link, Store};
use serde::{Deserialize, Serialize};

use super::export_filter::ExportFilter;
use crate::Error;

/// Events per page.
const PAGE: u32 = 5_000;

/// One event. Each text is what the hash covers, byte for byte.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: i64,
    at: String,
    run_id: String,
    app: String,
    database_role: String,
    data: String,
    previous: String,
    hash: String,
}

/// Hands each event of the filter to `write` as a line of JSON, without a newline. Returns how many there are.
pub async fn export<E: From<Error>>(
    store: &dyn Store,
    filter: &ExportFilter,
    mut write: impl FnMut(&str) -> Result<(), E> + Send,
) -> Result<u64, E> {
    let (mut after, mut count) = (0, 0);
    loop {
        let page = store.chain(after, PAGE).await.map_err(Error::from)?;
        let Some(last) = page.last() else { return Ok(count) };
        // A number that was changed may not be the greatest of its page.
        after = after.max(last.link.seq);
        for row in page.into_iter().filter(|row| filter.has(row)) {
            write(&line(row))?;
            count += 1;
        }
    }
}

/// An event as a line, without a newline.
pub(super) fn line(row: ChainRow) -> String {
    let ChainRow { link, at, run_id, app, data, database_role } = row;
    let Link { seq, previous, hash } = link;
    let line = Line { seq, at, run_id, app, database_role, data, previous, hash };
    // Texts and numbers always serialize.
    serde_json::to_string(&line).unwrap_or_default()
}

/// Reads a line back.
pub(super) fn row(line: &str) -> Result<ChainRow, serde_json::Error> {
    let Line { seq, at, run_id, app, database_role, data, previous, hash } = serde_json::from_str(line)?;
    Ok(ChainRow { link: Link { seq, previous, hash }, at, run_id, app, data, database_role })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_byte_for_byte() {
        let data = "{\"detail\":\"\u{2028}\\u0000 \u{e9}\"}";
        let text = String::from;
        let row = ChainRow {
            link: Link { seq: 3, previous: text("p"), hash: text("h") },
            at: text("t"),
            run_id: text("r"),
            app: text("a"),
            data: text(data),
            database_role: text("holdfast"),
        };
        let written = line(row.clone());
        assert!(!written.contains('\n'));
        assert_eq!(super::row(&written).unwrap(), row);
    }
}
