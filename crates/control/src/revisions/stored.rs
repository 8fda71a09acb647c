//! A revision of the store, as it was made.

use holdfast_config::{Fleet, FleetText, Invalid, Secrets};
use holdfast_model::Timestamp;
use holdfast_store::{Revision, Store, sha256_hex};

use crate::{Error, ErrorKind};

/// The revision with this number, as it was made.
pub(super) async fn revision(store: &dyn Store, number: u64) -> Result<Revision, Error> {
    let Some(found) = store.revision(number).await? else {
        let what = format!("there is no revision {number} of the fleet");
        return Err(
            Error::new(ErrorKind::NotFound, what).help("`holdfast revisions list` shows those there are")
        );
    };
    if sha256_hex(found.text.as_bytes()) == found.head.sha256 {
        return Ok(found);
    }
    let what = format!("the text of revision {number} was changed since it was made: its hash is another");
    Err(Error::new(ErrorKind::Refused, what)
        .help("find out who wrote to the store; `holdfast apply` makes a new revision"))
}

/// The fleet of a revision, without reading secrets.
pub(super) fn fleet_of(revision: &Revision, now: Timestamp) -> Result<Fleet, Error> {
    let text = text_of(revision.clone());
    let checked = text.check(Secrets::Leave, now);
    checked.fleet.ok_or_else(|| Invalid(checked.problems).into())
}

/// The text of a revision under its name in problems.
pub(super) fn text_of(Revision { head, text }: Revision) -> FleetText {
    FleetText { name: format!("revision {}", head.number), text }
}
