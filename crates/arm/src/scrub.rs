//! Removes secrets from texts of other origin.

/// The replacement for a secret.
const BLANK: &str = "[blanked]";

/// The keys of secrets without spaces, in lower case: in a SAS, a token request and a token response.
const WORD_KEYS: [&str; 20] = [
    "sig",
    "signature",
    "sharedaccesssignature",
    "client_secret",
    "clientsecret",
    "client-secret",
    "client_assertion",
    "clientassertion",
    "access_token",
    "accesstoken",
    "refresh_token",
    "refreshtoken",
    "id_token",
    "idtoken",
    "storageaccesskey",
    "primarykey",
    "secondarykey",
    "apikey",
    "api_key",
    "x-functions-key",
];

/// The keys of secrets that may hold any character but `;`: in a connection string.
const PHRASE_KEYS: [&str; 6] = ["accountkey", "account_key", "sharedaccesskey", "password", "passwd", "pwd"];

/// The words before a secret that follows without a sign: in the header `Authorization`.
const SCHEMES: [&str; 4] = ["bearer ", "sharedkey ", "sharedkeylite ", "authorization: basic "];

/// What stands between a key and its value, plain or encoded once, twice or as JSON escapes it.
const SIGNS: [&str; 6] = ["=", ":", "%3d", "%253d", "%25253d", "u003d"];

/// The characters that end a secret without spaces.
const WORD_ENDS: &[char] = &[' ', '\t', '\r', '\n', '&', ';', ',', '"', '\'', '<', '>'];

/// The characters that end a secret of a connection string.
const PHRASE_ENDS: &[char] = &[';', '"', '\'', '\r', '\n'];

/// The character that ends a password in a URL.
const URL_ENDS: &[char] = &['@'];

/// Blanks everything in `text` that looks like a SAS signature, an account key, a password or a token.
///
/// It errs towards blanking too much.
pub fn scrub(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut clean = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let Some((start, end)) = next_secret(&lower, at) else { break };
        clean.push_str(&text[at..start]);
        clean.push_str(BLANK);
        at = end;
    }
    clean.push_str(&text[at..]);
    clean
}

/// [`scrub`], on one line and shortened for an error's text.
pub(crate) fn brief(text: &str) -> String {
    const CHARS_MAX: usize = 400;
    // Cutting first could leave half a secret, which is not recognized as one.
    let clean = scrub(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match clean.char_indices().nth(CHARS_MAX) {
        Some((cut, _)) => format!("{}…", &clean[..cut]),
        None => clean,
    }
}

/// The start and end of the first secret at or after `at`.
fn next_secret(lower: &str, at: usize) -> Option<(usize, usize)> {
    let found = |start: Option<usize>, ends| start.map(|start| (start, end_of_secret(lower, start, ends)));
    let words = WORD_KEYS.iter().map(|key| found(after_key(lower, at, key), WORD_ENDS));
    let phrases = PHRASE_KEYS.iter().map(|key| found(after_key(lower, at, key), PHRASE_ENDS));
    let schemes = SCHEMES
        .iter()
        .map(|scheme| found(lower[at..].find(scheme).map(|i| at + i + scheme.len()), WORD_ENDS));
    // A JSON web token begins with `{"`, and base64 makes `eyJ` of it.
    let token = lower[at..].find("eyj").map(|i| at + i);
    let others = [found(token, WORD_ENDS), found(password_of_url(lower, at), URL_ENDS)];
    words.chain(phrases).chain(schemes).chain(others).flatten().min()
}

/// The start of the value of `key`, if `key` and `=` or `:` follow at or after `at`, quoted or encoded in any way.
fn after_key(lower: &str, at: usize, key: &str) -> Option<usize> {
    lower[at..].match_indices(key).find_map(|(i, _)| {
        let rest = lower[at + i + key.len()..].trim_start_matches([' ', '"', '\'', '\\']);
        let value = SIGNS.iter().find_map(|sign| rest.strip_prefix(sign))?;
        Some(lower.len() - value.trim_start_matches([' ', '\\']).len())
    })
}

/// The start of the password in `scheme://user:password@host`.
fn password_of_url(lower: &str, at: usize) -> Option<usize> {
    lower[at..].match_indices("://").find_map(|(i, sign)| {
        let user = at + i + sign.len();
        let authority = lower[user..].split(['/', '?', ' ', '"', '\'']).next()?;
        let colon = authority[..authority.rfind('@')?].find(':')?;
        Some(user + colon + 1)
    })
}

/// The end of the secret that begins at `start`. A quoted one ends at its quote.
fn end_of_secret(lower: &str, start: usize, ends: &[char]) -> usize {
    let rest = &lower[start..];
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let length = match quote {
        Some(quote) => rest[1..].find(quote).map(|i| i + 2),
        None => rest.find(ends),
    };
    start + length.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_is_blanked_at_any_position() {
        for (text, clean) in [
            (
                "see https://a/b?sp=rwdl&sig=aB/c%3D&se=1 now",
                "see https://a/b?sp=rwdl&sig=[blanked]&se=1 now",
            ),
            ("SIG=ab%2Bc", "SIG=[blanked]"),
            ("url%3Fsig%3DaBc", "url%3Fsig%3D[blanked]"),
            (
                "AccountName=x;AccountKey=abc==;EndpointSuffix=y",
                "AccountName=x;AccountKey=[blanked];EndpointSuffix=y",
            ),
            ("Server=db;Password = p@s, s!;X=1", "Server=db;Password = [blanked];X=1"),
            ("Pwd='a;b c';X=1", "Pwd=[blanked];X=1"),
            (r#"{"access_token": "abc","n":1}"#, r#"{"access_token": [blanked],"n":1}"#),
            (r#"{\"sig\":\"abc\"}"#, r#"{\"sig\":\[blanked]}"#),
            ("authorization: Bearer abc.def", "authorization: Bearer [blanked]"),
            ("Authorization: SharedKey acct:aGVsbG8= x", "Authorization: SharedKey [blanked] x"),
            ("SharedKeyLite acct:aGVsbG8=", "SharedKeyLite [blanked]"),
            ("authorization: Basic dTpw", "authorization: Basic [blanked]"),
            ("the Basic and Standard tiers", "the Basic and Standard tiers"),
            ("clientSecret=a8Q~x&z", "clientSecret=[blanked]&z"),
            (r#"{"clientSecret":"a8Q~x"}"#, r#"{"clientSecret":[blanked]}"#),
            ("next%3Fsig%253DaB%252Fc end", "next%3Fsig%253D[blanked] end"),
            ("sig%25253DaBc", "sig%25253D[blanked]"),
            (r#""a?sig\u003daBc\u0026x""#, r#""a?sig\u003d[blanked]""#),
            ("storageAccessKey: abc", "storageAccessKey: [blanked]"),
            ("refresh_token=abc", "refresh_token=[blanked]"),
            ("got eyJhbGciOi.J9.x back", "got [blanked] back"),
            ("mysql://root:hunter2@db/shop", "mysql://root:[blanked]@db/shop"),
            ("nothing to hide, signature aside", "nothing to hide, signature aside"),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }

    #[test]
    fn a_long_text_is_cut_after_it_is_blanked() {
        let text = format!("{}?sig={}", "é".repeat(399), "s".repeat(1_000));
        let brief = brief(&text);
        assert_eq!(brief.chars().count(), 401);
        assert!(!brief.contains("ss"), "{brief}");
    }

    proptest! {
        #[test]
        fn no_signature_survives_whatever_stands_around_it(
            before in ".{0,40}", after in "[&; \"'].{0,40}",
        ) {
            let text = format!("{before}?sig=5uPerSecret%2F{after}");
            prop_assert!(!scrub(&text).contains("5uPerSecret"), "{text}");
        }

        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            brief(&text);
        }
    }
}
