//! The resource that a SAS grants access to.

use std::fmt;

/// The resource that a SAS grants access to: `sr`, or `ss` and `srt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// A container.
    Container,
    /// One blob, or a version or snapshot of it.
    Blob,
    /// A directory of a container.
    Directory,
    /// A file share, or a file of it.
    FileShare,
    /// Services of a whole account: an account SAS.
    Account(AccountScope),
    /// Another value, or none.
    Unknown,
}

/// The fields of an account SAS. Other characters are dropped, so that they cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountScope {
    /// The letters of `ss`: `b`, `f`, `q` and `t`.
    pub services: String,
    /// The letters of `srt`: `s`, `c` and `o`.
    pub types: String,
    /// Whether it has `sr` too, which only a SAS for one resource has.
    pub has_sr: bool,
}

impl Scope {
    /// The scope by the values of `sr`, `ss` and `srt`. With `ss` or `srt` it is an account SAS, whatever `sr` says.
    pub(crate) fn of(sr: Option<&str>, ss: Option<&str>, srt: Option<&str>) -> Self {
        let letters = |text: Option<&str>, known: &str| -> String {
            known.chars().filter(|letter| text.is_some_and(|text| text.contains(*letter))).collect()
        };
        if ss.is_some() || srt.is_some() {
            let (services, types) = (letters(ss, "bqtf"), letters(srt, "sco"));
            return Self::Account(AccountScope { services, types, has_sr: sr.is_some() });
        }
        match sr {
            Some("c") => Self::Container,
            Some("b" | "bs" | "bv") => Self::Blob,
            Some("d") => Self::Directory,
            Some("s" | "f") => Self::FileShare,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container => f.write_str("a container"),
            Self::Blob => f.write_str("a single blob"),
            Self::Directory => f.write_str("a folder"),
            Self::FileShare => f.write_str("a file share"),
            Self::Account(account) => write!(f, "{account}"),
            Self::Unknown => f.write_str("no known resource"),
        }
    }
}

impl fmt::Display for AccountScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { services, types, has_sr } = self;
        f.write_str(match types.as_str() {
            _ if !services.contains('b') => "services of a storage account without its blobs",
            "o" => "the objects of a storage account only",
            "c" => "the containers of a storage account only",
            "s" => "the service of a storage account only",
            _ => "a whole storage account",
        })?;
        write!(f, " (an account SAS, ss={services} and srt={types}")?;
        f.write_str(if *has_sr { ", with a stray sr)" } else { ")" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ss_and_srt_make_an_account_sas_whatever_sr_says() {
        for (sr, ss, srt, described) in [
            (Some("c"), None, None, "a container"),
            (Some("bs"), None, None, "a single blob"),
            (Some("s"), None, None, "a file share"),
            (None, None, None, "no known resource"),
            (
                Some("b"),
                Some("b"),
                Some("o"),
                "the objects of a storage account only (an account SAS, ss=b and srt=o, with a stray sr)",
            ),
            (
                None,
                Some("b"),
                Some("o"),
                "the objects of a storage account only (an account SAS, ss=b and srt=o)",
            ),
            (
                None,
                Some("b"),
                Some("c"),
                "the containers of a storage account only (an account SAS, ss=b and srt=c)",
            ),
            (None, Some("qb"), Some("oc"), "a whole storage account (an account SAS, ss=bq and srt=co)"),
            (
                None,
                Some("f"),
                Some("sco"),
                "services of a storage account without its blobs (an account SAS, ss=f and srt=sco)",
            ),
        ] {
            assert_eq!(Scope::of(sr, ss, srt).to_string(), described);
        }
    }
}
