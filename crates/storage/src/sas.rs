//! A parsed shared access signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::NaiveDate;
use holdfast_model::{SasFacts, SasWindow};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::container::Container;
use crate::fields::Fields;
use crate::invalid_key::KEY_BYTES;
use crate::permissions::Permissions;
use crate::sas_parts::{InvalidSas, Protocols, SignatureForm};
use crate::sas_text::bare_sas;
use crate::scope::Scope;
use crate::time::SasTime;

/// A SAS: its fields, and the text to present. Only [`Sas::url`] exposes the signature.
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
    /// `si`: a policy stored on the container may define what is absent here.
    pub(crate) has_policy: bool,
    /// `sip`: only some addresses may use it.
    pub(crate) has_addresses: bool,
    /// `skoid`: signed with a user delegation key, and not with the account's.
    pub(crate) is_delegated: bool,
    pub(crate) signature: SignatureForm,
    /// `sv`; `None` when it is not a date, as every version is.
    pub(crate) version: Option<NaiveDate>,
}

impl Sas {
    /// Parses a SAS: a query with or without its `?`, or a container's URL with one. Quotes, an assignment such as
    /// `SAS=`, and escapes such as `\u0026` are removed first.
    pub fn parse(text: &SecretString) -> Result<Self, InvalidSas> {
        let text = bare_sas(text.expose_secret());
        let text = text.expose_secret();
        if let Some(other) = other_kind(text) {
            return Err(other);
        }
        let (base, query) = match text.split_once('?') {
            Some((base, query)) => (base, query.trim_start_matches('?')),
            None if text.contains("://") && text.contains("sig=") => return Err(InvalidSas::NoQuestionMark),
            None if text.contains("://") => return Err(InvalidSas::Missing("sig")),
            None => ("", text),
        };
        let container =
            if base.is_empty() { None } else { Some(base.parse().map_err(InvalidSas::Container)?) };
        let fields = Fields::parse(query)?;
        let signature = SecretString::from(fields.get("sig").ok_or(InvalidSas::Missing("sig"))?);
        let version = fields.get("sv").ok_or(InvalidSas::Missing("sv"))?;
        Ok(Self {
            signature: SignatureForm::of(signature.expose_secret()),
            version: NaiveDate::parse_from_str(&version, "%Y-%m-%d").ok(),
            fingerprint: fingerprint(&signature),
            container,
            scope: fields.scope(),
            permissions: fields.get("sp").map(|text| Permissions::new(&text)),
            start: fields.time("st")?,
            expiry: fields.expiry()?,
            protocols: fields.protocols(),
            has_policy: fields.get("si").is_some(),
            has_addresses: fields.get("sip").is_some(),
            is_delegated: fields.get("skoid").is_some(),
            query: fields.into_query(),
        })
    }

    /// Parses a SAS for a container. One that comes with the URL of another container is an error.
    pub fn parse_for(text: &SecretString, container: &Container) -> Result<Self, InvalidSas> {
        let sas = Self::parse(text)?;
        sas.belongs_to(container)?;
        Ok(sas)
    }

    /// The container's URL with the SAS.
    pub fn url(&self, container: &Container) -> SecretString {
        SecretString::from(format!("{container}?{}", self.query.expose_secret()))
    }

    /// The container from the URL; `None` for a query alone.
    pub fn container(&self) -> Option<&Container> {
        self.container.as_ref()
    }

    /// The query, for a URL of a blob.
    pub(crate) fn query(&self) -> &SecretString {
        &self.query
    }

    /// The first 12 hex digits of the SHA-256 of the signature.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The window in which it is valid, as far as its fields say.
    pub fn window(&self) -> SasWindow {
        SasWindow { start: self.start.map(|time| time.at), expiry: self.expiry.map(|time| time.at) }
    }

    /// The facts about it that are not secret.
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

/// Names a text that is no SAS, but something else that people put in its place.
fn other_kind(text: &str) -> Option<InvalidSas> {
    let is_encoded = || ["%26", "%3D", "%3d"].iter().any(|code| text.contains(code));
    if text.contains("AccountKey=") || text.contains("SharedAccessSignature=") {
        Some(InvalidSas::ConnectionString)
    } else if text.starts_with(['{', '[']) {
        Some(InvalidSas::Document)
    } else if BASE64.decode(text).map(Zeroizing::new).is_ok_and(|key| key.len() == KEY_BYTES) {
        Some(InvalidSas::AccountKey)
    } else {
        (!text.contains('=') && is_encoded()).then_some(InvalidSas::Encoded)
    }
}

fn fingerprint(signature: &SecretString) -> String {
    let digest = Sha256::digest(signature.expose_secret());
    let mut start = [0; 8];
    start[2..].copy_from_slice(&digest[..6]);
    format!("{:012x}", u64::from_be_bytes(start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::InvalidContainer;
    use crate::time::format_sas_time;

    const CONTAINER: &str = "https://acct.blob.core.windows.net/backups";

    fn sas(text: &str) -> Result<Sas, InvalidSas> {
        Sas::parse(&SecretString::from(text))
    }

    fn container() -> Container {
        CONTAINER.parse().unwrap()
    }

    fn expiry_of(query: &str) -> String {
        format_sas_time(sas(query).unwrap().window().expiry.unwrap())
    }

    #[test]
    fn a_query_and_a_url_are_the_same_sas() {
        let query = "se=2023-02-05T01%3A11Z&sp=rwdl&sv=2021-06-08&sr=c&sig=aGVsbG8%3D";
        let texts = [
            query.to_owned(),
            format!("?{query}\n"),
            format!("{CONTAINER}?{query}"),
            format!("{CONTAINER}/?{query}"),
        ];
        for text in texts {
            let sas = sas(&text).unwrap();
            assert_eq!(sas.belongs_to(&container()), Ok(()));
            assert_eq!(sas.url(&container()).expose_secret(), format!("{CONTAINER}?{query}"));
            assert_eq!(sas.fingerprint(), "333d6b3a3c1f", "{text}");
        }
    }

    #[test]
    fn expiries_on_record_are_read() {
        for (written, utc) in [
            ("2016-09-15T22%3A46%3A54Z", "2016-09-15T22:46:54Z"),
            ("2023-02-05T01%3A11Z", "2023-02-05T01:11:00Z"),
            ("2027-04-10T11%3A00%3A00%2B12%3A00", "2027-04-09T23:00:00Z"),
            ("2027-04-10T11:00:00+12:00", "2027-04-09T23:00:00Z"),
            ("2027-04-10T11:00:00 12:00", "2027-04-09T23:00:00Z"),
            ("2027-04-10", "2027-04-10T00:00:00Z"),
        ] {
            assert_eq!(expiry_of(&format!("sv=2022-11-02&sr=c&se={written}&sig=eA")), utc, "{written}");
        }
    }

    #[test]
    fn a_plus_that_was_decoded_to_a_space_is_mended_in_what_is_sent() {
        let mended = "sv=1&se=2027-04-10T11%3A00%3A00%2B12%3A00&sig=a%2Bb%2Fc%3D";
        for text in [
            "sv=1&se=2027-04-10T11:00:00+12:00&sig=a+b/c=",
            "sv=1&se=2027-04-10T11:00:00%2012:00&sig=a%20b%2Fc%3D",
            "sv=1&se=2027-04-10T11:00:00 12:00&sig=a b/c=",
            mended,
        ] {
            assert_eq!(sas(text).unwrap().query().expose_secret(), mended);
        }
    }

    #[test]
    fn fields_that_are_not_read_here_are_sent_as_they_came() {
        let query = "sv=1&rscd=a+b%20c&x&sdd=%41&sig=eA%3D%3D";
        let sent = "sv=1&rscd=a+b%20c&x=&sdd=%41&sig=eA%3D%3D";
        assert_eq!(sas(query).unwrap().query().expose_secret(), sent);
    }

    #[test]
    fn a_stored_policy_may_stand_for_permissions_and_expiry() {
        let sas = sas("sv=2022-11-02&sr=c&si=backups&sig=eA").unwrap();
        assert!(sas.has_policy && sas.permissions.is_none());
        assert_eq!(sas.window(), SasWindow { start: None, expiry: None });
    }

    #[test]
    fn what_is_no_sas_is_refused_with_its_reason() {
        let connection =
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=eA==;EndpointSuffix=core.windows.net";
        for (text, reason) in [
            ("", InvalidSas::Missing("sig")),
            (CONTAINER, InvalidSas::Missing("sig")),
            ("not-a-sas-query", InvalidSas::Missing("sig")),
            ("sv=2022-11-02&sr=c&sig=", InvalidSas::Missing("sig")),
            ("sr=c&sig=eA", InvalidSas::Missing("sv")),
            ("sv=1&sig=eA&sig=eB", InvalidSas::Repeated("sig")),
            ("sv=1&sig=eA&se=soon", InvalidSas::Time("se")),
            ("sv=1&sig=eA\nsp=rwdl", InvalidSas::Characters),
            ("sv=1&sig=%ff", InvalidSas::Characters),
            ("sv=1&s p=r&sig=eA", InvalidSas::Characters),
            (connection, InvalidSas::ConnectionString),
            (
                "https://a.blob.core.windows.net/c1s/b.zip?sv=1&sig=eA",
                InvalidSas::Container(InvalidContainer::Path),
            ),
        ] {
            assert_eq!(sas(text).unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn what_is_something_else_is_named() {
        let key = BASE64.encode([7; 64]);
        let query = "sv=2022-11-02&sr=c&sig=c2lnbmF0dXJl";
        for (text, reason) in [
            (key.clone(), InvalidSas::AccountKey),
            (format!("\"{key}\""), InvalidSas::AccountKey),
            (format!("AccountKey={key}"), InvalidSas::ConnectionString),
            (format!("{{\"sas\": \"{query}\"}}"), InvalidSas::Document),
            (query.replace('&', "%26").replace('=', "%3D"), InvalidSas::Encoded),
            (format!("{query}%253D"), InvalidSas::EncodedTwice("sig")),
            (format!("{query}&se=2027-01-31T00%253A00Z"), InvalidSas::EncodedTwice("se")),
            (format!("{CONTAINER}{query}"), InvalidSas::NoQuestionMark),
            (
                format!("https://acct.file.core.windows.net/backups?{query}"),
                InvalidSas::Container(InvalidContainer::Service("file")),
            ),
        ] {
            assert_eq!(sas(&text).unwrap_err(), reason, "{text}");
        }
    }

    #[test]
    fn what_tools_put_around_a_sas_is_removed() {
        let query = "sv=2022-11-02&sr=c&sig=aGVsbG8%3D";
        let url = format!("{CONTAINER}?{query}");
        for text in [
            format!("\"{query}\"\n"),
            query.replace('&', "\\u0026"),
            format!("\"{}\"", url.replace('&', "\\u0026")),
            format!("SAS={query}"),
            format!("AZURE_STORAGE_SAS_TOKEN='?{query}'"),
            query.replace('&', "&amp;"),
            format!("{CONTAINER}??{query}"),
            format!("{CONTAINER}?restype=container&comp=list&{query}"),
            format!("\u{feff}{query}"),
        ] {
            assert_eq!(sas(&text).unwrap().url(&container()).expose_secret(), url, "{text}");
        }
    }

    #[test]
    fn a_sas_of_another_container_is_refused() {
        let other = sas("https://acct.blob.core.windows.net/other?sv=1&sig=c2lnbmF0dXJl").unwrap();
        let error = other.belongs_to(&container()).unwrap_err().to_string();
        assert!(
            error.contains("/other") && error.contains(CONTAINER) && !error.contains("c2lnbmF0dXJl"),
            "{error}"
        );
    }

    #[test]
    fn only_letters_of_sp_are_shown() {
        let sas = sas("sv=1&sp=r-c2lnbmF0dXJl-c2lnbmF0dXJl&sig=c2lnbmF0dXJl").unwrap();
        assert_eq!(sas.permissions.unwrap().to_string(), "rclnbmFdXJlclnbm");
    }

    const SIGNATURE: &str = "c2lnbmF0dXJlOTg3NjU0MzIxMA";

    /// Pieces that come together as a SAS more often than random letters do.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just(SIGNATURE.to_owned()),
            prop::sample::select(vec![
                "sig=", "sv=1", "sp=", "se=", "st=", "sr=", "si=", "&", "?", "+", "%", "#", " "
            ])
            .prop_map(str::to_owned),
            prop::sample::select(vec![
                CONTAINER,
                "2027-04-10T11:00:00+12:00",
                "2027-04-10",
                "T",
                "é",
                "AccountKey="
            ])
            .prop_map(str::to_owned),
            ".{0,8}",
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_text_panics_and_none_shows_its_signature(text in pieces()) {
            let shown = match sas(&text) {
                Ok(sas) => format!("{sas:?} {:?} {:?}", sas.facts(), sas.belongs_to(&container())),
                Err(error) => format!("{error} {error:?}"),
            };
            prop_assert!(!shown.contains(SIGNATURE), "{}", shown);
        }

        #[test]
        fn what_is_sent_is_the_same_sas_again(text in pieces()) {
            if let Ok(first) = sas(&text) {
                let again = Sas::parse(first.query()).unwrap();
                prop_assert_eq!(first.facts(), again.facts());
                prop_assert_eq!(first.query().expose_secret(), again.query().expose_secret());
            }
        }
    }
}
