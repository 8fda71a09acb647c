//! Blobs that are written once.

use holdfast_storage::ErrorKind;

use crate::server::{Reply, Server, append_container, hours, key_file, sas, sas_file, start_of_test};

#[tokio::test]
async fn a_blob_is_created_with_a_sas_that_permits_nothing_else_and_never_replaced() {
    let server = Server::start().await;
    let (_file, source) = key_file(hours(48));
    let container = append_container(server.container.clone(), source);
    container.create("contoso/1.json", "{}", start_of_test()).await.unwrap();
    let asked = &server.take_asked()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("PUT", "/acct/backups/contoso/1.json"));
    assert_eq!((asked.if_none_match.as_str(), asked.body.as_str()), ("*", "{}"));
    assert!(asked.query.contains("&sp=c&"), "{}", asked.query);
    for status in [409, 412] {
        server.answer_with(move |_| Reply::status(status).header("x-ms-error-code", "BlobAlreadyExists"));
        let error = container.create("contoso/1.json", "{}", start_of_test()).await.unwrap_err();
        assert!(error.to_string().contains("a blob of this name exists already"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Unusable);
    }
}

#[tokio::test]
async fn a_list_has_every_page_and_only_names_with_the_prefix() {
    let server = Server::start().await;
    server.answer_with(|asked| {
        let is_last = asked.query.contains("marker=next");
        let (names, marker) = if is_last { (["a/1", "a/&amp;3"], "") } else { (["a/2", "b/1"], "next") };
        let blobs = names.map(|name| format!("<Blob><Name>{name}</Name></Blob>")).concat();
        Reply::status(200).body(&format!("<Blobs>{blobs}</Blobs><NextMarker>{marker}</NextMarker>"))
    });
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    let container = append_container(server.container.clone(), source);
    assert_eq!(container.list("a/", start_of_test()).await.unwrap(), ["a/1", "a/2"]);
    let asked = server.take_asked();
    assert!(asked[0].query.ends_with("&restype=container&comp=list&prefix=a%2F"), "{}", asked[0].query);
}

#[tokio::test]
async fn a_blob_is_read_within_a_limit() {
    let server = Server::start().await;
    let (_file, source) = sas_file(&sas("Zmlyc3Q"));
    let container = append_container(server.container.clone(), source);
    server.answer_with(|_| Reply::status(200).body("{}"));
    assert_eq!(container.read("a/1", start_of_test()).await.unwrap().as_deref(), Some("{}"));
    server.answer_with(|_| Reply::status(200).body(&"x".repeat(65 * 1024)));
    let error = container.read("a/1", start_of_test()).await.unwrap_err();
    assert!(error.to_string().contains("longer than 65536 bytes"), "{error}");
    server.answer_with(|_| Reply::status(404).header("x-ms-error-code", "BlobNotFound"));
    assert_eq!(container.read("a/1", start_of_test()).await.unwrap(), None);
}
