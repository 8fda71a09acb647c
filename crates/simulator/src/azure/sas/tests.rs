use holdfast_model::parse_timestamp;

use super::*;

const KEY: &[u8] = b"holdfast-invented-test-key-000001";
const AT: &str = "2026-06-01T12:00:00Z";

fn asked<'a>(permissions: &'a [&'a str], blob: Option<&'a str>) -> SasUse<'a> {
    let at = parse_timestamp(AT).unwrap();
    SasUse { account: "acct", container: "backups", blob, permissions, https: true, at }
}

/// A query that says `fields` and is signed for them, line by line as Microsoft's page has it.
fn signed(fields: &[(&str, &str)]) -> String {
    let field = |name: &str| fields.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| *value);
    let text = format!(
        "{}\n{}\n{}\n/blob/acct/backups\n{}\n{}\n{}\n{}\n{}\n\n\n\n\n\n\n",
        field("sp"),
        field("st"),
        field("se"),
        field("si"),
        field("sip"),
        field("spr"),
        field("sv"),
        field("sr"),
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    mac.update(text.as_bytes());
    let signature = BASE64.encode(mac.finalize().into_bytes());
    let escape =
        |text: &str| text.replace('%', "%25").replace('+', "%2B").replace('=', "%3D").replace('&', "%26");
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", escape(value)));
    pairs.chain([format!("sig={}", escape(&signature))]).collect::<Vec<_>>().join("&")
}

fn good() -> Vec<(&'static str, &'static str)> {
    vec![("sv", "2022-11-02"), ("st", "2026-06-01T00:00Z"), ("se", "2026-06-02"), ("sr", "c"), ("sp", "rwdl")]
}

fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    good().into_iter().filter(|(key, _)| *key != name).chain([(name, value)]).collect()
}

/// The pair of query and key that Azurite 3.37.0 took; the storage crate has the same one, from its own side.
#[test]
fn a_signature_that_a_real_blob_server_took_is_taken() {
    let query = "sv=2022-11-02&st=2026-01-01T00%3A00%3A00Z&se=2099-01-01T00%3A00%3A00Z&sr=c&sp=rwdl\
                 &spr=https%2Chttp&sig=WN2aH0424%2BgGH1ZdIr73OVfWhBIAP9tRbO%2B889C9X%2Bg%3D";
    let asked = SasUse { account: "devstoreaccount1", ..asked(&["r", "w", "d", "l"], None) };
    assert_eq!(check(KEY, query, &asked), Ok(()));
    assert_eq!(check(b"another key", query, &asked), Err(Refusal::Signature));
    // A `+` that was not encoded reads as a space.
    let careless = query.replace("%2B", "+");
    assert_eq!(check(KEY, &careless, &asked), Err(Refusal::Signature));
}

#[test]
fn each_field_is_checked() {
    for (fields, kind) in [
        (good(), Ok(())),
        (with("st", ""), Ok(())),
        (with("st", "2026-06-01T12:00:01Z"), Err(Refusal::NotYet)),
        (with("st", "2026-06-01T12:00:00Z"), Ok(())),
        (with("se", "2026-06-01T12:00:00Z"), Err(Refusal::Expired)),
        (with("se", "2026-06-01T12:00:00.0000001Z"), Ok(())),
        (with("se", "2026-06-01T12:01Z"), Ok(())),
        (with("se", "2027-04-10T11:00:00+12:00"), Err(Refusal::Malformed)),
        (with("se", ""), Err(Refusal::Malformed)),
        (with("se", "tomorrow"), Err(Refusal::Malformed)),
        (with("sp", "rl"), Err(Refusal::Permission)),
        (with("sp", ""), Err(Refusal::Permission)),
        (with("sp", "racwdl"), Ok(())),
        (with("sp", "lrwd"), Err(Refusal::Malformed)),
        (with("sp", "rrwdl"), Err(Refusal::Malformed)),
        (with("sp", "rwdlz"), Err(Refusal::Malformed)),
        (with("sr", "b"), Err(Refusal::Resource)),
        (with("sr", ""), Err(Refusal::Resource)),
        (with("spr", "https"), Ok(())),
        (with("spr", "http"), Err(Refusal::Malformed)),
        (with("sip", "10.0.0.1"), Err(Refusal::Address)),
        (with("si", "policy"), Err(Refusal::Malformed)),
        (with("sv", "2015-04-05"), Err(Refusal::Malformed)),
        (with("skoid", "x"), Err(Refusal::Malformed)),
        (with("ss", "b"), Err(Refusal::Malformed)),
    ] {
        let query = signed(&fields);
        assert_eq!(check(KEY, &query, &asked(&["r", "w", "d", "l"], None)), kind, "{fields:?}");
    }
    let http = SasUse { https: false, ..asked(&["r"], None) };
    assert_eq!(check(KEY, &signed(&with("spr", "https")), &http), Err(Refusal::Protocol));
}

#[test]
fn whatever_is_altered_after_signing_is_refused() {
    let query = signed(&good());
    for (from, to) in [
        ("sp=rwdl", "sp=racwdl"),
        ("se=2026-06-02", "se=2099-06-02"),
        ("st=2026-06-01T00:00Z", "st=2020-06-01T00:00Z"),
        ("sv=2022-11-02", "sv=2021-06-08"),
        ("sr=c", "sr=c&spr=https,http"),
        ("sr=c", "sr=c&rsct=text/html"),
        ("sr=c", "sr=c&ses=scope"),
    ] {
        let altered = query.replace(from, to);
        assert_ne!(altered, query);
        assert_eq!(check(KEY, &altered, &asked(&["r"], None)), Err(Refusal::Signature), "{to}");
    }
    for (account, container) in [("acct", "others"), ("other", "backups")] {
        let elsewhere = SasUse { account, container, ..asked(&["r"], None) };
        assert_eq!(check(KEY, &query, &elsewhere), Err(Refusal::Signature));
    }
}

#[test]
fn a_field_that_stands_twice_is_refused_and_no_query_panics() {
    let query = signed(&good());
    for field in ["sp=rwdl", "sig=x", "se=2099-01-01"] {
        assert_eq!(check(KEY, &format!("{field}&{query}"), &asked(&["r"], None)), Err(Refusal::Malformed));
    }
    assert_eq!(check(KEY, "", &asked(&["r"], None)), Err(Refusal::Missing));
    let mut rng = fastrand::Rng::with_seed(11);
    for _ in 0..5_000 {
        let mut bytes = query.clone().into_bytes();
        for _ in 0..rng.usize(1..4) {
            let place = rng.usize(..bytes.len());
            bytes[place] = rng.u8(32..127);
        }
        let altered = String::from_utf8(bytes).unwrap();
        let same = fields(&altered) == fields(&query);
        assert!(same || check(KEY, &altered, &asked(&["r"], None)).is_err() || is_harmless(&altered, &query));
    }
    for hostile in ["%", "%zz=%", "&&&", "=", "sig=%ff%fe&sr=c&sv=9999", "sig=&sig=", "sv=%00&sr=c&sig=AAAA"]
    {
        assert!(check(KEY, hostile, &asked(&["r"], None)).is_err(), "{hostile}");
    }
}

/// Nothing that is signed differs: a parameter of no meaning was added, or one's empty value.
fn is_harmless(altered: &str, query: &str) -> bool {
    let signed = |query: &str| {
        let fields = fields(query).unwrap_or_default();
        SIGNED.iter().chain(&["sig"]).map(|n| fields.get(*n).cloned().unwrap_or_default()).collect::<Vec<_>>()
    };
    signed(altered) == signed(query)
}

#[test]
fn before_2020_12_06_the_text_has_no_line_for_the_scope() {
    let fields = with("sv", "2019-12-12");
    assert_eq!(check(KEY, &signed(&fields), &asked(&["r"], None)), Err(Refusal::Signature));
    let text = "rwdl\n2026-06-01T00:00Z\n2026-06-02\n/blob/acct/backups\n\n\n\n2019-12-12\nc\n\n\n\n\n\n";
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    mac.update(text.as_bytes());
    let signature = BASE64.encode(mac.finalize().into_bytes()).replace('+', "%2B");
    let query = format!("sv=2019-12-12&st=2026-06-01T00:00Z&se=2026-06-02&sr=c&sp=rwdl&sig={signature}");
    assert_eq!(check(KEY, &query, &asked(&["r"], None)), Ok(()));
}
