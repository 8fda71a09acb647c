//! A shared access signature, taken apart.

use std::fmt;

use holdfast_model::{SasFacts, SasWindow};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::fields::Fields;
use crate::time::SasTime;
use crate::{Container, InvalidContainer};

/// A SAS: what it says of itself, and the text to present. Nothing but [`Sas::url`] gives the signature away.
#[derive(Debug, Clone)]
pub struct Sas {
    query: SecretString,
    fingerprint: String,
    pub(crate) container: Option<Container>,
    pub(crate) scope: Scope,
    pub(crate) permissions: Option<Permissions>,
    pub(crate) start: Option<SasTime>,
    pub(crate) expiry: Option<SasTime>,
    pub(crate) protocols: Protocols,
    /// `si`: a policy stored on the container may hold what is absent here.
    pub(crate) has_policy: bool,
    /// `sip`: only some addresses may use it.
    pub(crate) has_addresses: bool,
}

/// What a SAS opens (`sr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A container.
    Container,
    /// One blob, or a version or snapshot of it.
    Blob,
    /// A folder of a container.
    Directory,
    /// Services of a whole account (`ss`, `srt`).
    Account,
    /// Another word, or none.
    Unknown,
}

/// The letters of `sp`: all of them that are letters, so that nothing else can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions(String);

/// The protocols that `spr` allows; both when it is absent.
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
    /// Characters that no URL holds.
    #[error("it holds a space, a control character or another sign that no SAS holds: copy it again")]
    Characters,
    /// A field that every SAS has.
    #[error("it has no `{0}`: it was cut short, or is no SAS")]
    Missing(&'static str),
    /// Two values of which Azure may take either.
    #[error("it has more than one `{0}`")]
    Repeated(&'static str),
    /// `st`, `se` or `ske` is in no form that Azure's tools write.
    #[error("its `{0}` is not a time such as 2027-01-31T00:00:00Z")]
    Time(&'static str),
    /// The URL before the query is not a container's.
    #[error("its URL will not do: {0}")]
    Container(InvalidContainer),
    /// It is for another container than the fleet file says.
    #[error("it is for the container {found}, and the storage is {wanted}")]
    OtherContainer {
        /// What the SAS is for.
        found: Box<Container>,
        /// What the fleet file says.
        wanted: Box<Container>,
    },
}

/// No more letters than this are shown of `sp`; Azure knows fewer.
const PERMISSIONS_MAX: usize = 16;

impl Sas {
    /// Takes a SAS apart: a query with or without its `?`, or a container's URL with one.
    pub fn parse(text: &SecretString) -> Result<Self, InvalidSas> {
        let text = text.expose_secret().trim();
        if text.contains("AccountKey=") || text.contains("SharedAccessSignature=") {
            return Err(InvalidSas::ConnectionString);
        }
        let (base, query) = match text.split_once('?') {
            Some((base, query)) => (base, query),
            None if text.contains("://") => return Err(InvalidSas::Missing("sig")),
            None => ("", text),
        };
        let container = if base.is_empty() { None } else { Some(parse_container(base)?) };
        let fields = Fields::parse(query)?;
        let signature = SecretString::from(fields.get("sig").ok_or(InvalidSas::Missing("sig"))?);
        fields.get("sv").ok_or(InvalidSas::Missing("sv"))?;
        Ok(Self {
            fingerprint: fingerprint(&signature),
            container,
            scope: fields.scope(),
            permissions: fields.get("sp").map(Permissions::new),
            start: fields.time("st")?,
            expiry: fields.expiry()?,
            protocols: fields.protocols(),
            has_policy: fields.get("si").is_some(),
            has_addresses: fields.get("sip").is_some(),
            query: fields.into_query(),
        })
    }

    /// The container's URL with the SAS.
    pub fn url(&self, container: &Container) -> SecretString {
        SecretString::from(format!("{container}?{}", self.query.expose_secret()))
    }

    /// The query, for a URL of a blob.
    pub(crate) fn query(&self) -> &SecretString {
        &self.query
    }

    /// The first 12 hex digits of the SHA-256 of the signature.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// When it holds, as far as it says so.
    pub fn window(&self) -> SasWindow {
        SasWindow { start: self.start.map(|time| time.at), expiry: self.expiry.map(|time| time.at) }
    }

    /// What may be written down about it.
    pub fn facts(&self) -> SasFacts {
        SasFacts { fingerprint: self.fingerprint.clone(), window: self.window() }
    }

    /// Refuses a SAS that came with the URL of another container.
    pub(crate) fn belongs_to(&self, wanted: &Container) -> Result<(), InvalidSas> {
        match &self.container {
            Some(found) if found != wanted => Err(InvalidSas::OtherContainer {
                found: Box::new(found.clone()),
                wanted: Box::new(wanted.clone()),
            }),
            _ => Ok(()),
        }
    }
}

impl Permissions {
    fn new(text: String) -> Self {
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

fn parse_container(base: &str) -> Result<Container, InvalidSas> {
    let url = Url::parse(base).map_err(|_| InvalidSas::Characters)?;
    url.try_into().map_err(InvalidSas::Container)
}

fn fingerprint(signature: &SecretString) -> String {
    let digest = Sha256::digest(signature.expose_secret());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
