//! The fields of a SAS's query: decoded, repaired, and written again.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

use crate::sas_parts::{InvalidSas, Protocols};
use crate::scope::Scope;
use crate::time::SasTime;

/// The fields of a query in their order, still encoded.
pub(crate) struct Fields(Vec<(String, SecretString)>);

/// The fields that are read here. Each may occur once.
const READ: [&str; 12] = ["sig", "sv", "sr", "sp", "st", "se", "ske", "si", "sip", "spr", "ss", "srt"];

/// The fields whose values never hold a `%`.
const PLAIN: [&str; 10] = ["sig", "sv", "sr", "sp", "st", "se", "ske", "spr", "ss", "srt"];

/// Fields that make the URL of a container one of an operation, such as listing it. No SAS has them.
const OPERATION: [&str; 2] = ["restype", "comp"];

/// The characters that stay unencoded in a value of a query.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Fields that hold `+` and never a space: a space was a `+` that was decoded as in a form.
const HOLDS_NO_SPACE: [&str; 5] = ["sig", "st", "se", "skt", "ske"];

impl Fields {
    pub(crate) fn parse(query: &str) -> Result<Self, InvalidSas> {
        // A space can only be a decoded `+`, which is repaired below.
        if !query.bytes().all(|byte| byte == b' ' || (byte.is_ascii_graphic() && byte != b'#')) {
            return Err(InvalidSas::Characters);
        }
        let mut fields = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if OPERATION.contains(&name) {
                continue;
            }
            percent_decode_str(value).decode_utf8().map_err(|_| InvalidSas::Characters)?;
            if name.contains(' ') {
                return Err(InvalidSas::Characters);
            }
            fields.push((name.to_owned(), SecretString::from(value)));
        }
        let count = |name: &str| fields.iter().filter(|(field, _)| field == name).count();
        if let Some(name) = READ.into_iter().find(|name| count(name) > 1) {
            return Err(InvalidSas::Repeated(name));
        }
        let fields = Self(fields);
        let is_encoded = |name: &&str| fields.get(name).is_some_and(|value| is_encoded(&value));
        match PLAIN.into_iter().find(is_encoded) {
            Some(name) => Err(InvalidSas::EncodedTwice(name)),
            None => Ok(fields),
        }
    }

    /// The decoded value; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(field, _)| field == name)?;
        let value = percent_decode_str(value.expose_secret()).decode_utf8_lossy();
        let mended =
            if HOLDS_NO_SPACE.contains(&name) { value.replace(' ', "+") } else { value.into_owned() };
        (!mended.is_empty()).then_some(mended)
    }

    pub(crate) fn time(&self, name: &'static str) -> Result<Option<SasTime>, InvalidSas> {
        self.get(name).map(|text| SasTime::parse(&text).ok_or(InvalidSas::Time(name))).transpose()
    }

    /// `se`; or `ske`, when the user delegation key behind the SAS expires earlier.
    pub(crate) fn expiry(&self) -> Result<Option<SasTime>, InvalidSas> {
        let (own, key) = (self.time("se")?, self.time("ske")?);
        Ok(match (own, key) {
            (Some(own), Some(key)) if key.at < own.at => Some(key),
            (own, _) => own,
        })
    }

    pub(crate) fn scope(&self) -> Scope {
        let [sr, ss, srt] = ["sr", "ss", "srt"].map(|name| self.get(name));
        Scope::of(sr.as_deref(), ss.as_deref(), srt.as_deref())
    }

    pub(crate) fn protocols(&self) -> Protocols {
        self.get("spr").map_or(Protocols { http: true, https: true }, |text| {
            let allows = |wanted| text.split(',').any(|protocol| protocol.trim() == wanted);
            Protocols { http: allows("http"), https: allows("https") }
        })
    }

    pub(crate) fn into_query(self) -> SecretString {
        let write = |(name, value): &(String, SecretString)| match self.get(name) {
            Some(mended) if HOLDS_NO_SPACE.contains(&name.as_str()) => format!("{name}={}", encode(&mended)),
            // The other fields are passed on unchanged.
            _ => format!("{name}={}", value.expose_secret().replace(' ', "%20")),
        };
        SecretString::from(self.0.iter().map(write).collect::<Vec<_>>().join("&"))
    }
}

/// Whether a decoded value still holds a percent-encoded character.
fn is_encoded(value: &str) -> bool {
    let is_hex = |digits: &str| digits.bytes().all(|c| c.is_ascii_hexdigit());
    value.split('%').skip(1).any(|rest| rest.get(..2).is_some_and(is_hex))
}

/// A value, encoded for a query.
pub(crate) fn encode(value: &str) -> impl Display {
    utf8_percent_encode(value, VALUE)
}
