use proptest::prelude::*;

use super::*;

#[test]
fn what_storage_refused_is_tried_again_with_another_sas() {
    for log in [
        "Storage access failed. The remote server returned an error: (403) Forbidden.. Please delete and recreate backup \
         schedule to mitigate.",
        "Storage access failed. The remote server returned an error: (404) Not Found..",
        "Storage access failed. The remote server returned an error: (400) Bad Request..",
        "Storage access failed. The remote server returned an error: (409) Conflict..",
        "Storage access failed. The remote server returned an error: (412) There is currently a lease on the blob..",
        "Storage access failed.",
        "The remote server returned an error: (403) Forbidden.",
        "Cannot resolve acct.blob.core.windows.net. No such host is known (CannotResolveStorageAccount)",
        "The remote name could not be resolved: 'acct.blob.core.windows.net'",
        "Missing mandatory parameters for valid Shared Access Signature.",
        "The specified container does not exist.",
    ] {
        assert_eq!((classify_log(log), cure_in_log(log)), (LogReason::Storage, None), "{log}");
    }
}

#[test]
fn what_a_database_refused_has_its_cure() {
    for (log, cure) in [
        (
            "Error occurred while connecting to the database shop on server db: Authentication to host 'db' for user 'u' \
             using method 'mysql_native_password' failed with message: Unknown database 'shop'",
            DATABASE,
        ),
        (
            "Error occurred while connecting to the database shop on server db: Authentication to host 'db' for user 'u' \
             using method 'mysql_native_password' failed with message: Access denied for user 'u'@'10.0.0.1'",
            LOGIN,
        ),
        ("Login failed for user 'sa'.", LOGIN),
        ("Create Database copy of shop (1) threw an exception. Could not create Database copy.", ADMIN),
        (
            "The server principal \"u\" is not able to access the database \"master\" under the current security context. \
             Cannot open database \"master\" requested by the login. The login failed. Login failed for user 'u'.",
            ADMIN,
        ),
        (
            "A network-related or instance-specific error occurred while establishing a connection to SQL Server. The \
             server was not found or was not accessible. (provider: Named Pipes Provider, error: 40 - Could not open a \
             connection to SQL Server).",
            SERVER,
        ),
        (
            "Cannot open server 'db' requested by the login. Client with IP address '20.1.2.3' is not allowed to access \
             the server.",
            SERVER,
        ),
        ("Cannot open server \"db\" requested by the login. The login failed.", CONNECTION),
        ("SSL connection is required. Please specify SSL options and retry when trying to connect.", TLS),
        ("28P01: password authentication failed for user \"u\"", LOGIN),
        ("no pg_hba.conf entry for host \"20.1.2.3\", user \"u\", database \"shop\", SSL off", SERVER),
        ("Unable to connect to any of the specified MySQL hosts.", SERVER),
    ] {
        assert_eq!((classify_log(log), cure_in_log(log)), (LogReason::Database, Some(cure)), "{log}");
    }
}

#[test]
fn a_size_limit_comes_before_a_database_and_a_database_before_storage() {
    let size = "The website + database size exceeds the 10 GB limit for backups. Your content size is 12 GB.";
    let (login, storage) = ("Login failed for user 'sa'.", "Storage access failed.");
    for (log, result) in [
        (size.to_owned(), LogReason::Size),
        (format!("{login} {storage} {size}"), LogReason::Size),
        (format!("{storage} {login}"), LogReason::Database),
    ] {
        assert_eq!(classify_log(&log), result, "{log}");
    }
}

#[test]
fn what_names_no_known_reason_is_a_plain_failure() {
    for log in [
        "",
        "Storage access failed. The remote server returned an error: (500) Internal Server Error.",
        "Storage access failed. The remote server returned an error: (503) Server Unavailable.",
        "The backup failed with code (403).",
        "İ̇ Ünexpected",
    ] {
        assert_eq!(classify_log(log), LogReason::Unknown, "{log}");
    }
}

#[test]
fn a_reason_at_the_end_or_in_the_middle_of_a_long_log_is_kept_and_the_cut_is_told() {
    let reason = "Login failed for user 'sa'.";
    for (before, after) in [(0, 9_000), (4_973, 0), (4_500, 4_500), (1_990, 8_000), (8_000, 1_990)] {
        let log = ["é".repeat(before).as_str(), reason, &"x".repeat(after)].concat();
        let short = shorten_log(&log);
        assert_eq!(classify_log(&short), LogReason::Database, "{before} {after}");
        assert!(short.contains(&format!("[{} characters left out", before + after + 27 - 4_000)), "{short}");
        assert!(short.chars().count() < 4_600, "{}", short.chars().count());
        assert!(short.starts_with(&log.chars().take(2_000).collect::<String>()));
    }
    let whole = "x".repeat(4_000);
    assert_eq!(shorten_log(&whole), whole);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_shortened_log_means_what_the_whole_one_means(
        parts in proptest::collection::vec(
            prop_oneof![
                (0_usize..3_000).prop_map(|n| "ß".repeat(n)),
                proptest::sample::select(&STORAGE_REASONS[..]).prop_map(str::to_uppercase),
                proptest::sample::select(&DATABASE_REASONS[..]).prop_map(|(phrase, _)| phrase.to_owned()),
                Just(format!("{STORAGE_DOWN}03)")),
                Just(SIZE_REASONS[0].to_owned()),
            ],
            0..9,
        ),
    ) {
        let log = parts.concat();
        prop_assert_eq!(classify_log(&shorten_log(&log)), classify_log(&log));
    }
}
