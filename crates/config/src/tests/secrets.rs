use super::*;

const SIG: &str = "aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnQ%3D";

const KEY: &str = "{ mint = \"account_key\", key = \"env:STORAGE_KEY\", lifetime = \"48h\" }";

const CREDENTIAL: &str = "{ kind = \"client_secret\", tenant = \"contoso.com\", client_id = \"11\", secret = \"env:AZURE_CLIENT_SECRET\" }";

const CONTAINER: &str = "https://acct.blob.core.windows.net/backups";

/// The example, whose deadline is four hours, with this secret as its SAS or key, checked at noon of 2026-11-23.
fn judged(secret: &[u8], source: impl Fn(&str) -> String, secrets: Secrets) -> Checked {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    write_private(&path, secret);
    let reference = format!("file:{}", path.display());
    let text = with(KEY, &source(&reference)).replace(CREDENTIAL, "{ kind = \"azure_cli\" }");
    let checked = checked(&text, secrets);
    let shown = format!(
        "{:?} {}",
        checked.problems,
        checked.unusable.iter().map(ToString::to_string).collect::<String>()
    );
    assert!(!shown.contains("aHVudGVy") && !shown.contains("hunter2"), "{shown}");
    checked
}

fn as_sas(reference: &str) -> String {
    format!("{{ url = \"{reference}\" }}")
}

fn as_key(reference: &str) -> String {
    format!("{{ mint = \"account_key\", key = \"{reference}\" }}")
}

/// What `config check` says of a secret: severity and message without the key and the reference.
fn told(secret: &[u8], source: impl Fn(&str) -> String) -> Vec<(Severity, String)> {
    let Checked { problems, fleet, .. } = judged(secret, source, Secrets::Judge);
    let is_valid = problems.iter().all(|problem| problem.severity == Severity::Warning);
    assert_eq!(fleet.is_some(), is_valid);
    let message = |problem: Problem| {
        let (key, text) = problem.message.split_once(": ").unwrap();
        assert!(problem.line == 8 && key.starts_with("`storage.weu.sas."), "{problem}");
        (problem.severity, text.to_owned())
    };
    problems.into_iter().map(message).collect()
}

fn query(changes: &[(&str, &str)]) -> String {
    let fields =
        [("sv", "2022-11-02"), ("sr", "c"), ("sp", "rwdl"), ("se", "2026-12-31T00:00:00Z"), ("sig", SIG)];
    let value_of = |name: &str| changes.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
    let kept = fields.iter().map(|(name, value)| (*name, value_of(name).unwrap_or(value)));
    let added = changes.iter().filter(|(name, _)| fields.iter().all(|(other, _)| other != name)).copied();
    let written = kept.chain(added).filter(|(_, value)| !value.is_empty());
    written.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[test]
fn a_good_sas_in_any_wrapping_has_no_problem() {
    let plain = query(&[]);
    for text in [
        plain.clone(),
        format!("{CONTAINER}?{plain}"),
        format!("\"{plain}\""),
        format!("\"{CONTAINER}?{plain}\"\r\n"),
        plain.replace('&', "\\u0026"),
        format!("\"{}\"", format!("{CONTAINER}?{plain}").replace('&', "\\u0026")),
        format!("SAS={plain}"),
        format!("AZURE_STORAGE_SAS_TOKEN=?{plain}"),
        plain.replace('&', "&amp;"),
        format!("\u{feff}{plain}\r\n"),
        format!("{plain}\0"),
    ] {
        assert_eq!(told(text.as_bytes(), as_sas), [], "{text}");
    }
}

#[test]
fn what_a_sas_lacks_is_told_without_a_request() {
    for (changes, expected) in [
        (&[("sp", "r")][..], "lacks write, delete and list permission: sp is `r`, it needs `rwdl`"),
        (&[("sp", "lwdr")], "storage takes each letter once and in the order `rwdl`"),
        (&[("sr", "b")], "is for a single blob and must be for the container (sr=c)"),
        (&[("se", "")], "names no expiry: it has neither se nor si"),
        (&[("se", "2026-11-23T11:59:00Z")], "expired at 2026-11-23T11:59:00Z"),
        (&[("se", "2026-11-23T15:00:00Z")], "too early for a backup that may run until 2026-11-23T16:00:00Z"),
        (&[("st", "2026-11-24T00:00:00Z")], "does not begin until 2026-11-24T00:00:00Z"),
        (&[("spr", "http")], "does not allow https (spr)"),
        (&[("sig", &SIG[..43])], "has a sig of 43 letters that is no signature"),
        (
            &[("ss", "b"), ("srt", "co"), ("sr", "")],
            "is for a whole storage account (an account SAS, ss=b and srt=co)",
        ),
        (&[("sv", "x")], "has no version such as sv=2022-11-02"),
    ] {
        let found = told(query(changes).as_bytes(), as_sas);
        assert!(found.len() == 1 && found[0].0 == Severity::Error, "{changes:?}: {found:#?}");
        assert!(found[0].1.starts_with("the SAS in `file:") && found[0].1.contains(expected), "{found:#?}");
    }
    let stray = query(&[("ss", "b"), ("srt", "o"), ("sp", "w"), ("sr", "b")]);
    let found = told(stray.as_bytes(), as_sas);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0]
            .1
            .contains("objects of a storage account only (an account SAS, ss=b and srt=o, with a stray sr)")
    );
}

#[test]
fn what_is_no_sas_for_the_container_is_told_without_a_request() {
    let key = "aHVudGVy".repeat(10) + "aHVudA==";
    for (text, expected) in [
        (
            format!("https://other.blob.core.windows.net/backups?{}", query(&[])),
            "it is for the container https://other.blob",
        ),
        (
            format!("https://acct.blob.core.windows.net/other?{}", query(&[])),
            "and the storage is https://acct.blob",
        ),
        (format!("{CONTAINER}{}", query(&[])), "it is a URL and a SAS without a `?` between them"),
        (query(&[("sig", &SIG.replace("%3D", "%253D"))]), "its `sig` is percent-encoded twice"),
        (query(&[("sig", "")]), "it has no `sig`"),
        (
            key.clone(),
            "it is an account key and not a SAS: write `sas = { mint = \"account_key\", key = … }`",
        ),
        (
            format!("DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={key}"),
            "it is a connection string",
        ),
    ] {
        let found = told(text.as_bytes(), as_sas);
        assert!(found.len() == 1 && found[0].0 == Severity::Error, "{found:#?}");
        assert!(
            found[0].1.contains("is unusable: ") && found[0].1.contains(expected),
            "{expected}: {found:#?}"
        );
    }
}

#[test]
fn notices_about_a_usable_sas_are_warnings() {
    for (changes, expected) in [
        (&[("se", "2027-01-31T00:00:00%2B12:00")][..], "gives a time with an offset"),
        (&[("sip", "10.0.0.1")], "is limited to some addresses (sip)"),
        (&[("si", "backups"), ("se", ""), ("sp", "")], "is held by a stored access policy"),
    ] {
        let found = told(query(changes).as_bytes(), as_sas);
        assert!(found.len() == 1 && found[0].0 == Severity::Warning, "{found:#?}");
        assert!(found[0].1.contains(expected), "{found:#?}");
    }
}

#[test]
fn a_key_is_of_the_length_of_azures_keys() {
    let key = "aHVudGVy".repeat(10) + "aHVudA==";
    for good in
        [key.clone(), format!("\"{key}\"\r\n"), format!("\u{feff}{key}"), format!("STORAGE_KEY={key}")]
    {
        assert_eq!(told(good.as_bytes(), as_key), [], "{good}");
    }
    for (text, expected) in [
        ("aHVu".to_owned(), "it is 3 bytes long, and an account's key has 64"),
        (key.trim_end_matches('=').to_owned(), "it is not base64"),
        (format!("AccountName=acct;AccountKey={key}"), "it is a connection string"),
        (query(&[]), "it is a SAS and not an account key"),
    ] {
        let found = told(text.as_bytes(), as_key);
        assert!(found.len() == 1 && found[0].1.contains(expected), "{expected}: {found:#?}");
    }
}

#[test]
fn utf_16_is_named_wherever_a_secret_is_read() {
    let wide: Vec<u8> = query(&[]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [[&[0xff, 0xfe], &*wide].concat(), wide] {
        let problems = judged(&bytes, as_sas, Secrets::Judge).problems;
        assert!(problems.len() == 1 && problems[0].message.contains("is UTF-16"), "{problems:#?}");
    }
}

#[test]
fn each_fault_comes_with_the_command_that_makes_a_new_sas() {
    let problems = judged(query(&[("sp", "r")]).as_bytes(), as_sas, Secrets::Judge).problems;
    let help = problems[0].help.as_deref().unwrap();
    assert!(help.starts_with("put a new SAS in file:"), "{help}");
    assert!(help.contains("generate-sas --account-name acct --name backups --permissions rwdl"), "{help}");
}

#[test]
fn an_unusable_secret_of_a_storage_does_not_stop_the_rest_of_the_fleet() {
    for text in [query(&[("se", "2025-02-01T00:00:00Z")]), query(&[("sp", "r")]), "no SAS".to_owned()] {
        let Checked { fleet, problems, unusable } = judged(text.as_bytes(), as_sas, Secrets::Read);
        assert_eq!((fleet.is_some(), problems, unusable.len()), (true, Vec::new(), 1));
        let told = unusable[0].to_string();
        assert!(
            told.starts_with("warning: storage.weu is unusable: the S") || told.contains("the secret in"),
            "{told}"
        );
        assert!(
            told.contains("runs that need this storage fail until it is replaced\nhelp: put a new SAS"),
            "{told}"
        );
    }
    let short = judged(b"aHVu", as_key, Secrets::Read);
    assert_eq!((short.fleet.is_some(), short.unusable.len()), (true, 1));
}

#[test]
fn a_client_secret_that_was_hardly_meant_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let text = EXAMPLE
        .replace("env:AZURE_CLIENT_SECRET", &format!("file:{}", path.display()))
        .replace(KEY, "{ url = \"keyvault:https://v.vault.azure.net/secrets/sas\" }");
    for (secret, expected) in [
        ("abc8Q~hunter2-_.x", None),
        ("\u{feff}abc8Q~hunter2-_.x\r\n", None),
        ("\"abc8Q~hunter2-_.x\"", Some("begins or ends with a quote or a space")),
        ("abc8Q~hunter2-_.x ", Some("begins or ends with a quote or a space")),
        ("2f1b0c3d-1111-4222-8333-123456789abc", Some("looks like the id of a client secret")),
    ] {
        write_private(&path, secret);
        let Checked { fleet, problems, .. } = checked(&text, Secrets::Judge);
        assert!(fleet.is_some(), "{problems:#?}");
        let found: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(found.len(), usize::from(expected.is_some()), "{found:#?}");
        assert!(expected.is_none_or(|expected| found[0].contains(expected)), "{found:#?}");
        assert!(!format!("{problems:?}").contains("hunter2"), "{problems:?}");
    }
}

/// Permissions do not bind the superuser, under whom tests may run.
#[test]
fn a_file_of_another_user_is_a_warning_of_the_check_and_an_error_at_the_start() {
    let place = crate::section::top();
    for (cause, secrets, severity) in [
        (std::io::ErrorKind::PermissionDenied, Secrets::Judge, Severity::Warning),
        (std::io::ErrorKind::PermissionDenied, Secrets::Read, Severity::Error),
        (std::io::ErrorKind::NotFound, Secrets::Judge, Severity::Error),
    ] {
        let source = Source { name: "fleet.toml".into(), text: EXAMPLE.into() };
        let mut diagnostics =
            crate::diagnostics::Diagnostics::new(&source, crate::source::ValueSpans::default(), &[]);
        let reference = "file:/run/secrets/sas".parse().unwrap();
        let error = holdfast_storage::SecretError::ReadFile { reference, cause: cause.into() };
        crate::secrets::unread(&mut diagnostics, &place, &error, secrets);
        let problems = diagnostics.finish();
        assert_eq!((problems.len(), problems[0].severity), (1, severity), "{cause}");
        assert!(problems[0].message.contains("`file:/run/secrets/sas` could not be read"), "{problems:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_secret_that_every_user_may_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), query(&[])).unwrap();
    let text = with(KEY, &as_sas(&format!("file:{}", file.path().display())));
    let text = text.replace(CREDENTIAL, "{ kind = \"azure_cli\" }");
    for (mode, is_lax) in [(0o600, false), (0o640, false), (0o644, true), (0o606, true)] {
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        let Checked { fleet, problems, .. } = checked(&text, Secrets::Judge);
        assert_eq!((fleet.is_some(), problems.len()), (true, usize::from(is_lax)), "{mode:o} {problems:#?}");
        assert!(
            problems.iter().all(|problem| problem.message.contains("every user of this machine may read"))
        );
    }
}
