//! The fields of a SAS's query: decoded, mended, and written again.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

use crate::InvalidSas;
use crate::sas::{Protocols, Scope};
use crate::time::SasTime;

/// The fields of a query in the order they came, decoded.
pub(crate) struct Fields(Vec<(String, SecretString)>);

/// The fields that are read here, each of which may occur once.
const READ: [&str; 12] = ["sig", "sv", "sr", "sp", "st", "se", "ske", "si", "sip", "spr", "ss", "srt"];

/// What stays as it is in a value of a query.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Fields {
    pub(crate) fn parse(query: &str) -> Result<Self, InvalidSas> {
        // A space can stand here only for a `+` that somebody decoded; it is put right below.
        if !query.bytes().all(|byte| byte == b' ' || (byte.is_ascii_graphic() && byte != b'#')) {
            return Err(InvalidSas::Characters);
        }
        let mut fields = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8().map_err(|_| InvalidSas::Characters)?;
            fields.push((name.to_owned(), SecretString::from(value.as_ref())));
        }
        let count = |name: &str| fields.iter().filter(|(field, _)| field == name).count();
        match READ.into_iter().find(|name| count(name) > 1) {
            Some(name) => Err(InvalidSas::Repeated(name)),
            None => Ok(Self(fields)),
        }
    }

    /// The decoded value; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(field, _)| field == name)?;
        let value = value.expose_secret();
        (!value.is_empty()).then(|| mend(name, value))
    }

    pub(crate) fn time(&self, name: &'static str) -> Result<Option<SasTime>, InvalidSas> {
        self.get(name).map(|text| SasTime::parse(&text).ok_or(InvalidSas::Time(name))).transpose()
    }

    /// `se`; or `ske`, when the user delegation key behind the SAS lapses before it.
    pub(crate) fn expiry(&self) -> Result<Option<SasTime>, InvalidSas> {
        let (own, key) = (self.time("se")?, self.time("ske")?);
        Ok(match (own, key) {
            (Some(own), Some(key)) if key.at < own.at => Some(key),
            (own, _) => own,
        })
    }

    pub(crate) fn scope(&self) -> Scope {
        match self.get("sr").as_deref() {
            Some("c") => Scope::Container,
            Some("b" | "bs" | "bv") => Scope::Blob,
            Some("d") => Scope::Directory,
            None if self.get("srt").is_some() => Scope::Account,
            _ => Scope::Unknown,
        }
    }

    pub(crate) fn protocols(&self) -> Protocols {
        self.get("spr").map_or(Protocols { http: true, https: true }, |text| {
            let allows = |wanted| text.split(',').any(|protocol| protocol.trim() == wanted);
            Protocols { http: allows("http"), https: allows("https") }
        })
    }

    pub(crate) fn into_query(self) -> SecretString {
        let write = |(name, value): &(String, SecretString)| {
            let value = mend(name, value.expose_secret());
            format!("{name}={}", utf8_percent_encode(&value, VALUE))
        };
        SecretString::from(self.0.iter().map(write).collect::<Vec<_>>().join("&"))
    }
}

/// Signatures and times hold `+` and never a space: a space was a `+` that somebody decoded as forms do.
fn mend(name: &str, value: &str) -> String {
    match name {
        "sig" | "st" | "se" | "ske" | "skt" => value.replace(' ', "+"),
        _ => value.to_owned(),
    }
}
