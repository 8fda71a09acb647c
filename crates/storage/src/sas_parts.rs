//! The parts of a SAS.

use std::fmt;

use crate::{Container, InvalidContainer};

/// The resource that a SAS grants access to (`sr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A container.
    Container,
    /// One blob, or a version or snapshot of it.
    Blob,
    /// A directory of a container.
    Directory,
    /// Services of a whole account (`ss`, `srt`).
    Account,
    /// Another value, or none.
    Unknown,
}

/// The letters of `sp`. Other characters are dropped, so that they cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions(String);

/// The protocols that `spr` allows: both when it is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Protocols {
    pub(crate) http: bool,
    pub(crate) https: bool,
}

/// The text is not a SAS. It is not repeated here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSas {
    /// A connection string was given.
    #[error("it is a connection string and not a SAS: give the SAS, or mint one with the account's key")]
    ConnectionString,
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

/// The most letters of `sp` that are kept. Azure defines fewer.
const PERMISSIONS_MAX: usize = 16;

impl Permissions {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.chars().filter(char::is_ascii_alphabetic).take(PERMISSIONS_MAX).collect())
    }

    pub(crate) fn hold(&self, letter: char) -> bool {
        self.0.contains(letter)
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
