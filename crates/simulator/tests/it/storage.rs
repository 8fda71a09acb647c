//! The blob endpoint, and what backups leave there.

use holdfast_simulator::{Azure, Method, Request, Response, StorageAccount};
use secrecy::ExposeSecret;

use crate::support::*;

const CONTAINER: &str = "https://acct.blob.core.windows.net/backups";

fn account() -> StorageAccount {
    StorageAccount::generate("acct", "backups", 5)
}

fn ask(azure: &mut Azure, method: Method, path: &str, sas: &str) -> Response {
    azure.handle(start(), &Request::new(method, &format!("{path}?{sas}")))
}

fn put(azure: &mut Azure, path: &str, sas: &str, body: &[u8]) -> Response {
    let request =
        Request::new(Method::Put, &format!("{path}?{sas}")).with_header("x-ms-blob-type", "BlockBlob");
    azure.handle(start(), &request.with_body(body))
}

/// The end of a backup started with this URL: its status and log.
fn end(azure: &mut Azure, url: &str) -> (String, String) {
    let answer = call(azure, start(), post_backup(&app("shop"), "hf-1", url));
    let id = body(&answer)["properties"]["id"].as_i64().unwrap();
    let properties = shown(azure, after(3_000), &app("shop"), id);
    let text = |key: &str| properties[key].as_str().unwrap().to_owned();
    (text("status"), text("log"))
}

#[test]
fn a_blob_is_put_looked_at_read_listed_and_deleted() {
    let (mut azure, sas) = (azure(), good_sas());
    assert_eq!(put(&mut azure, "/acct/backups/a%20dir/b.txt", &sas, b"hello").status, 201);
    let head = ask(&mut azure, Method::Head, "/acct/backups/a%20dir/b.txt", &sas);
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("5"), 0));
    assert_eq!(ask(&mut azure, Method::Get, "/acct/backups/a%20dir/b.txt", &sas).body, b"hello");
    let list = format!("restype=container&comp=list&prefix=a&{sas}");
    let list = ask(&mut azure, Method::Get, "/acct/backups", &list);
    assert!(String::from_utf8(list.body).unwrap().contains("<Name>a dir/b.txt</Name>"));
    assert_eq!(ask(&mut azure, Method::Delete, "/acct/backups/a%20dir/b.txt", &sas).status, 202);
    for method in [Method::Head, Method::Get, Method::Delete] {
        let gone = ask(&mut azure, method, "/acct/backups/a%20dir/b.txt", &sas);
        assert_eq!((gone.status, gone.header("x-ms-error-code")), (404, Some("BlobNotFound")));
        assert_eq!(gone.body.is_empty(), method == Method::Head);
    }
}

#[test]
fn storage_refuses_in_xml_with_its_own_codes() {
    let mut azure = azure();
    let with = |permissions, start, expiry| sas(&account(), permissions, start, expiry);
    for (sas, status, code) in [
        (with("rwdl", "2026-05-01", "2026-06-01"), 403, "AuthenticationFailed"),
        (with("rwdl", "2026-06-02", "2026-07-01"), 403, "AuthenticationFailed"),
        (with("rl", "2026-05-01", "2026-07-01"), 403, "AuthorizationPermissionMismatch"),
        (good_sas().replace("sp=rwdl", "sp=racwdl"), 403, "AuthenticationFailed"),
        (format!("{}&sp=rwdl", good_sas()), 403, "AuthenticationFailed"),
        (String::new(), 401, "NoAuthenticationInformation"),
    ] {
        let refused = put(&mut azure, "/acct/backups/b", &sas, b"x");
        assert_eq!((refused.status, refused.header("x-ms-error-code")), (status, Some(code)), "{sas}");
        let text = String::from_utf8(refused.body).unwrap();
        assert!(text.contains(&format!("<Code>{code}</Code>")) && !text.contains("sig="));
    }
    assert_eq!(azure.counters().storage_refusals, 6);
    assert_eq!(azure.blob(start(), CONTAINER, "b"), None);
}

#[test]
fn a_missing_container_is_reported_only_to_authorized_requests() {
    let mut azure = azure();
    azure.remove_container("acct", "backups");
    let gone = put(&mut azure, "/acct/backups/b", &good_sas(), b"x");
    assert_eq!((gone.status, gone.header("x-ms-error-code")), (404, Some("ContainerNotFound")));
    assert_eq!(put(&mut azure, "/acct/backups/b", "sig=AAAA&sr=c&sv=2022-11-02", b"x").status, 403);
    assert_eq!(put(&mut azure, "/other/backups/b", &good_sas(), b"x").status, 404);
}

#[test]
fn blobs_without_a_type_and_blobs_too_large_are_refused() {
    let mut azure = azure();
    let request = Request::new(Method::Put, &format!("/acct/backups/b?{}", good_sas())).with_body("x");
    assert_eq!(azure.handle(start(), &request).status, 400);
    assert_eq!(put(&mut azure, "/acct/backups/b", &good_sas(), &vec![0; (256 << 10) + 1]).status, 413);
    assert_eq!(put(&mut azure, "/acct/backups/b", &good_sas(), &vec![0; 256 << 10]).status, 201);
    assert_eq!(ask(&mut azure, Method::Post, "/acct/backups/b", &good_sas()).status, 400);
    assert_eq!(ask(&mut azure, Method::Get, "/", "").status, 400);
}

#[test]
fn a_backups_archive_is_as_long_as_azure_says_and_as_storage_says() {
    let mut azure = azure();
    let id = started(&mut azure, start(), &app("shop"), "hf-1");
    let size = shown(&mut azure, after(3_000), &app("shop"), id)["sizeInBytes"].as_u64().unwrap();
    assert!(size > 4_000);
    assert_eq!(azure.blob(after(3_000), CONTAINER, "hf-1.zip").unwrap().length, size);
    let archive = ask(&mut azure, Method::Get, "/acct/backups/hf-1.zip", &good_sas());
    assert_eq!((archive.body.len() as u64, archive.body.starts_with(b"PK")), (size, true));
    let manifest = ask(&mut azure, Method::Get, "/acct/backups/hf-1.xml", &good_sas());
    assert!(String::from_utf8(manifest.body).unwrap().contains("name=\"hf-1\""));
    assert_eq!(azure.counters().blobs_written, 2);
    azure.remove_blob("acct", "backups", "hf-1.zip");
    assert_eq!(azure.blob(after(3_000), CONTAINER, "hf-1.zip"), None);
}

#[test]
fn the_sas_is_checked_when_the_backup_ends_and_not_before() {
    // The SAS holds at the POST and lapses a second later.
    let soon = sas(&account(), "rwdl", "2026-06-01", "2026-06-01T12:00:01Z");
    let (status, log) = end(&mut azure(), &format!("{CONTAINER}?{soon}"));
    assert_eq!(status, "Failed");
    assert!(
        log.starts_with("Storage access failed. The remote server returned an error: (403) Forbidden."),
        "{log}"
    );
}

#[test]
fn each_thing_wrong_with_a_sas_fails_the_backup() {
    let not_yet = sas(&account(), "rwdl", "2026-06-20", "2026-07-01");
    let cases = [
        (format!("{CONTAINER}?{not_yet}"), "(403)"),
        (format!("{CONTAINER}?{}", good_sas().replace("sig=", "sig=AAAA")), "(403)"),
        (CONTAINER.to_owned(), "(403)"),
        ("https://nobody.blob.core.windows.net/backups?sig=x".to_owned(), "could not be resolved"),
        ("no url".to_owned(), "could not be resolved"),
    ];
    for (url, reason) in cases {
        let (status, log) = end(&mut azure(), &url);
        assert_eq!(status, "Failed", "{url}");
        assert!(log.contains(reason), "{url}: {log}");
    }
    for missing in ["rwl", "rdl", "wdl", "rwd"] {
        let (status, log) = end(
            &mut azure(),
            &format!("{CONTAINER}?{}", sas(&account(), missing, "2026-06-01", "2026-07-01")),
        );
        assert!(status == "Failed" && log.contains("(403)"), "{missing}: {status} {log}");
    }
    let mut azure = azure();
    azure.remove_container("acct", "backups");
    let (status, log) = end(&mut azure, &good_url());
    assert!(status == "Failed" && log.contains("(404) Not Found"), "{status} {log}");
}

#[test]
fn path_style_urls_lead_to_the_same_container() {
    let mut azure = azure();
    let (status, _) = end(&mut azure, &format!("http://127.0.0.1:4000/acct/backups?{}", good_sas()));
    assert_eq!(status, "Succeeded");
    assert!(azure.blob(after(3_000), "http://127.0.0.1:4000/acct/backups", "hf-1.zip").is_some());
}

#[test]
fn after_the_key_is_rotated_the_old_sas_is_refused() {
    let mut azure = azure();
    let other = StorageAccount::generate("acct", "backups", 6);
    azure.set_account_key("acct", &other.key).unwrap();
    let (status, _) = end(&mut azure, &good_url());
    assert_eq!(status, "Failed");
    let url = format!("{CONTAINER}?{}", sas(&other, "rwdl", "2026-06-01", "2026-07-01"));
    let answer = call(&mut azure, after(3_000), post_backup(&app("shop"), "hf-2", &url));
    let id = body(&answer)["properties"]["id"].as_i64().unwrap();
    assert_eq!(shown(&mut azure, after(6_000), &app("shop"), id)["status"], "Succeeded");
    let error = azure.set_account_key("acct", &"no base64!".into()).unwrap_err().to_string();
    assert!(error.contains("acct") && !error.contains("no base64!"));
    assert!(!error.contains(other.key.expose_secret()));
}
