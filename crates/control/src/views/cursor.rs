//! Opaque cursors of pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, ErrorKind};

/// The cursor that stands for a place.
pub fn encode(place: &impl Serialize) -> String {
    // Places are tuples of numbers and texts, so this cannot fail.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// The place that a cursor stands for.
pub fn decode<T: DeserializeOwned>(cursor: &str) -> Result<T, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(invalid)
}

/// The error of a cursor that belongs to no page of the list.
pub fn invalid() -> Error {
    let error = Error::new(ErrorKind::Invalid, "the cursor in the address belongs to no page of this list");
    error.help("open the list again from its first page")
}
