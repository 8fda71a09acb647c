//! The parts of a SAS.

use crate::container::Container;
use crate::invalid_container::InvalidContainer;

/// The protocols that `spr` allows: both when it is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Protocols {
    pub(crate) http: bool,
    pub(crate) https: bool,
}

/// The form of `sig`, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SignatureForm {
    /// How many letters it has.
    pub(crate) letters: usize,
    /// Whether it is the base64 of an HMAC-SHA256.
    pub(crate) is_whole: bool,
}

/// The letters of a signature: base64 of the 32 bytes of an HMAC-SHA256.
pub(crate) const SIGNATURE_LETTERS: usize = 44;

/// The text is not a SAS. It is not repeated here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSas {
    /// A connection string was given.
    #[error("it is a connection string and not a SAS: give the SAS, or mint one with the account's key")]
    ConnectionString,
    /// An account key was given.
    #[error("it is an account key and not a SAS: write `sas = {{ mint = \"account_key\", key = … }}`")]
    AccountKey,
    /// A JSON document was given.
    #[error("it is a JSON document: give only the SAS in it")]
    Document,
    /// The whole query is percent-encoded.
    #[error("it is percent-encoded as a whole (%26 for &): decode it once")]
    Encoded,
    /// The value of a field is percent-encoded twice.
    #[error("its `{0}` is percent-encoded twice (%253D for =): decode the SAS once")]
    EncodedTwice(&'static str),
    /// A URL and a SAS without the question mark between them.
    #[error("it is a URL and a SAS without a `?` between them")]
    NoQuestionMark,
    /// Characters that a URL cannot hold.
    #[error("it holds a space, a control character or another sign that no SAS holds: copy it again")]
    Characters,
    /// A required field is missing.
    #[error("it has no `{0}`: it was cut short, or is no SAS")]
    Missing(&'static str),
    /// A field occurs twice, and Azure may use either value.
    #[error("it has more than one `{0}`")]
    Repeated(&'static str),
    /// `st`, `se` or `ske` is not a time in a form that Azure's tools write.
    #[error("its `{0}` is not a time such as 2027-01-31T00:00:00Z")]
    Time(&'static str),
    /// The URL before the query is not that of a container.
    #[error("its URL cannot be used: {0}")]
    Container(InvalidContainer),
    /// The SAS is for another container than the fleet file names.
    #[error("it is for the container {found}, and the storage is {wanted}")]
    OtherContainer {
        /// The container in the SAS's URL.
        found: Box<Container>,
        /// The container in the fleet file.
        wanted: Box<Container>,
    },
}

impl SignatureForm {
    pub(crate) fn of(signature: &str) -> Self {
        let letters = signature.chars().count();
        let digits = signature.strip_suffix('=').unwrap_or(signature);
        let is_base64 = digits.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'+' || c == b'/');
        Self { letters, is_whole: letters == SIGNATURE_LETTERS && is_base64 }
    }
}
