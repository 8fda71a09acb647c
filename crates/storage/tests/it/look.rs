//! What is known of a blob.

use holdfast_storage::{BlobFacts, ErrorKind, Storage};

use crate::server::{Reply, Server, clock, hours, key_file, sas, sas_file, start_of_test, weu};

/// A 200 to HEAD, whose length is that of the blob and not of the answer.
fn present(size_bytes: u64) -> Reply {
    Reply::status(200).header("content-length", &size_bytes.to_string())
}

#[tokio::test]
async fn the_size_of_a_blob_is_known_even_beyond_four_gigabytes() {
    let (server, clock) = (Server::start().await, clock());
    server.answer_with(|_| present(9_876_543_210));
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    let facts = server.storage(&clock, source).blob(&weu(), "shop-1.zip", start_of_test()).await.unwrap();
    assert_eq!(facts, Some(BlobFacts { size_bytes: 9_876_543_210 }));
    let asked = server.take_asked();
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("HEAD", "/acct/backups/shop-1.zip"));
    assert_eq!(asked.len(), 1, "a look needs no test write");
}

#[tokio::test]
async fn a_lookup_with_a_key_uses_a_read_only_sas_dated_by_the_given_time() {
    let (server, clock) = (Server::start().await, clock());
    server.answer_with(|_| present(1));
    let (_file, source) = key_file(hours(48));
    clock.advance(hours(1));
    server.storage(&clock, source).blob(&weu(), "shop-1.zip", start_of_test()).await.unwrap();
    let query = &server.take_asked()[0].query;
    assert!(query.contains("&sp=r&") && query.contains("&se=2027-01-31T12%3A15%3A00Z&"), "{query}");
}

#[tokio::test]
async fn a_blob_that_is_not_there_is_none() {
    let (server, clock) = (Server::start().await, clock());
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    let storage = server.storage(&clock, source);
    server.answer_with(|_| Reply::status(404).header("x-ms-error-code", "BlobNotFound"));
    assert_eq!(storage.blob(&weu(), "shop-1.zip", start_of_test()).await.unwrap(), None);
    server.take_methods();
    for name in ["..", "a/../b", "", "a//b"] {
        assert_eq!(storage.blob(&weu(), name, start_of_test()).await.unwrap(), None);
    }
    assert_eq!(server.take_methods(), Vec::<String>::new(), "no URL can name those");
}

#[tokio::test]
async fn a_name_is_sent_whole_whatever_it_holds() {
    let (server, clock) = (Server::start().await, clock());
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    server.storage(&clock, source).blob(&weu(), "a b/c?sig=x#é%.zip", start_of_test()).await.unwrap();
    assert_eq!(server.take_asked()[0].path, "/acct/backups/a%20b/c%3Fsig=x%23%C3%A9%25.zip");
}

#[tokio::test]
async fn a_container_that_is_not_there_is_no_missing_blob() {
    let (server, clock) = (Server::start().await, clock());
    server.answer_with(|_| Reply::status(404).header("x-ms-error-code", "ContainerNotFound"));
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    let error = server.storage(&clock, source).blob(&weu(), "shop-1.zip", start_of_test()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unusable);
}

#[tokio::test]
async fn a_refusal_is_distinguished_from_a_failing_storage() {
    for (status, kind) in [(403, ErrorKind::Unusable), (503, ErrorKind::Unreachable)] {
        let (server, clock) = (Server::start().await, clock());
        server.answer_with(move |_| Reply::status(status));
        let (_file, source) = sas_file(&sas("Zmlyc3Q"));
        let error =
            server.storage(&clock, source).blob(&weu(), "shop-1.zip", start_of_test()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}
