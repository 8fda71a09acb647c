//! Removes what tools, shells and files put around a SAS or a key.

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

/// The fields of every kind of SAS.
const FIELDS: [&str; 24] = [
    "sig", "sv", "sr", "sp", "st", "se", "si", "sip", "spr", "ss", "srt", "sdd", "ses", "skoid", "sktid",
    "skt", "ske", "sks", "skv", "tn", "rscc", "rscd", "rsce", "rsct",
];

/// Opening and closing quotes.
const QUOTES: [(char, char); 5] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')];

/// Escapes of JSON, HTML and shells. None of the characters can be in a SAS or a key.
const ESCAPES: [(&str, &str); 8] = [
    ("&amp;", "&"),
    ("&#38;", "&"),
    ("&#x26;", "&"),
    ("^&", "&"),
    ("\\\"", "\""),
    ("\\/", "/"),
    ("\\&", "&"),
    ("\\=", "="),
];

/// Commands that assign a value to a name.
const COMMANDS: [&str; 4] = ["export", "set", "setx", "declare"];

/// The SAS in `text`, without quotes, an assignment such as `SAS=`, and escapes such as `\u0026`.
pub(crate) fn bare_sas(text: &str) -> SecretString {
    bare(text, |text| assigned(text).filter(|(name, rest)| !FIELDS.contains(name) && begins_sas(rest)))
}

/// The key in `text`, without quotes, an assignment such as `KEY=`, and escapes such as `\u002B`.
pub(crate) fn bare_key(text: &str) -> SecretString {
    // The `=` of a key stand at its end.
    bare(text, |text| assigned(text).filter(|(name, rest)| name.len() < 64 && rest.len() > 64))
}

fn bare(text: &str, assignment: impl for<'t> Fn(&'t str) -> Option<(&'t str, &'t str)>) -> SecretString {
    let mut bare = Zeroizing::new(text.to_owned());
    // Each pass makes the text shorter or is the last one.
    loop {
        let before = bare.len();
        let plain = unescaped(&bare);
        let inner = unquoted(trimmed(&plain));
        let rest = assignment(inner).map_or(inner, |(_, rest)| rest);
        bare = Zeroizing::new(trimmed(rest).to_owned());
        if bare.len() == before {
            return SecretString::from(bare.as_str());
        }
    }
}

/// The text without blanks, a byte order mark, and the mark between two entries of a list.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '\0'))
        .trim_end_matches([',', ';'])
}

fn unquoted(text: &str) -> &str {
    let inner = |(open, close): (char, char)| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        (!inner.trim_matches([open, close]).contains([open, close])).then_some(inner)
    };
    QUOTES.into_iter().find_map(inner).unwrap_or(text)
}

/// The name and the value of `NAME=VALUE`, `export NAME=VALUE`, `$env:NAME = VALUE` or `"NAME": VALUE`.
fn assigned(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("$env:").unwrap_or(text);
    let (left, value) = text.split_once(['=', ':'])?;
    let mut words = left.split_whitespace();
    let name = words.next_back()?.trim_matches(['"', '\'', '$']);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    let are_commands = words.all(|word| COMMANDS.iter().any(|command| command.eq_ignore_ascii_case(word)));
    (is_name && are_commands).then(|| (name, value.trim_start()))
}

/// Whether a text begins as a SAS or a URL does, perhaps in quotes.
fn begins_sas(text: &str) -> bool {
    let text =
        text.trim_start_matches(|c: char| QUOTES.iter().any(|(open, _)| *open == c)).trim_start_matches('?');
    let field = text.split_once('=').map_or("", |(field, _)| field);
    FIELDS.contains(&field) || text.starts_with("https://") || text.starts_with("http://")
}

fn unescaped(text: &str) -> Zeroizing<String> {
    let replace = |text: Zeroizing<String>, (from, to): &(&str, &str)| Zeroizing::new(text.replace(from, to));
    let plain = ESCAPES.iter().fold(Zeroizing::new(text.to_owned()), replace);
    let mut parts = plain.split("\\u");
    let mut decoded = Zeroizing::new(parts.next().unwrap_or_default().to_owned());
    for part in parts {
        match part.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32) {
            Some(c) if c.is_ascii_graphic() && c != '\\' => {
                decoded.push(c);
                decoded.push_str(&part[4..]);
            }
            _ => {
                decoded.push_str("\\u");
                decoded.push_str(part);
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const SAS: &str = "se=2027-01-31T00%3A00%3A00Z&sp=rwdl&sv=2022-11-02&sr=c&sig=c2ln%2Bbg%3D";
    const KEY: &str =
        "aG9sZGZhc3QtaW52ZW50ZWQtdGVzdC1rZXktb2Ytc2l4dHktZm91ci1ieXRlcy1hcy1henVyZXMtb3duLTAxeA==";

    #[test]
    fn a_sas_is_found_inside_what_tools_print() {
        let json = SAS.replace('&', "\\u0026");
        let url = format!("https://acct.blob.core.windows.net/backups?{SAS}");
        for text in [
            SAS.to_owned(),
            format!("\u{feff}{SAS}\r\n"),
            format!("\"{SAS}\"\n"),
            format!("'{SAS}'"),
            format!("“{SAS}”"),
            format!("\"{json}\""),
            json.replace('=', "\\u003d"),
            format!("\"sas\": \"{json}\","),
            format!("\"\\\"{json}\\\"\""),
            SAS.replace('&', "&amp;"),
            SAS.replace('&', "&#38;"),
            SAS.replace('&', "\\&"),
            SAS.replace('&', "^&"),
            format!("SAS={SAS}"),
            format!("AZURE_STORAGE_SAS_TOKEN=\"{SAS}\""),
            format!("export SAS='{SAS}';"),
            format!("set SAS={SAS}"),
            format!("$sas = \"{SAS}\""),
            format!("$env:SAS = \"{SAS}\""),
            format!("sas: {SAS}"),
            format!("\"SAS={SAS}\""),
        ] {
            assert_eq!(bare_sas(&text).expose_secret(), SAS, "{text}");
        }
        for text in
            [format!("\"{url}\""), format!("SAS_URL={url}"), url.replace('&', "\\u0026"), format!("`{url}`")]
        {
            assert_eq!(bare_sas(&text).expose_secret(), url, "{text}");
        }
        assert_eq!(bare_sas(&format!("SAS=?{SAS}")).expose_secret(), format!("?{SAS}"));
    }

    #[test]
    fn a_text_that_is_bare_already_stays_as_it_is() {
        for text in [
            "sv=sp=x&sig=eA",
            "x=y",
            "\"half a quote",
            "a\\u00zz",
            "https://acct.blob.core.windows.net/c?x=1",
            "",
        ] {
            assert_eq!(bare_sas(text).expose_secret(), text);
        }
    }

    #[test]
    fn a_key_is_found_inside_what_tools_print() {
        for text in [
            KEY.to_owned(),
            format!("\"{KEY}\"\n"),
            format!("STORAGE_KEY={KEY}"),
            format!("export STORAGE_KEY='{KEY}'"),
            format!("\"key1\": \"{KEY}\","),
            KEY.replace('=', "\\u003D"),
        ] {
            assert_eq!(bare_key(&text).expose_secret(), KEY, "{text}");
        }
        assert_eq!(
            bare_key("AccountName=a;AccountKey=c2VjcmV0").expose_secret(),
            "AccountName=a;AccountKey=c2VjcmV0"
        );
    }
}
