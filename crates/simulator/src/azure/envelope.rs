//! The error envelopes of ARM and of the App Service provider.

use serde_json::json;

use crate::Response;

/// ARM's own: `{"error": {"code", "message"}}`.
pub(super) fn arm(status: u16, code: &str, message: &str) -> Response {
    Response::json(status, &json!({"error": {"code": code, "message": message}}))
}

/// The App Service provider's: in capitals and without a wrapper (azure-cli recordings of `config/backup/list`;
/// Azure/azure-sdk-for-java #1827).
pub(super) fn web(status: u16, code: &str, extended_code: &str, message: &str) -> Response {
    let entity = json!({
        "Code": code, "Message": message, "ExtendedCode": extended_code,
        "MessageTemplate": message, "Parameters": [], "InnerErrors": null,
    });
    let body = json!({
        "Code": code, "Message": message, "Target": null,
        "Details": [{"Message": message}, {"Code": code}, {"ErrorEntity": entity}],
        "Innererror": null,
    });
    Response::json(status, &body).with_header("server", "Microsoft-IIS/10.0")
}

/// The page of a proxy that replaces the response.
pub(super) fn proxy_page(status: u16) -> Response {
    let page = "<html><head><title>Gateway</title></head><body><h1>The gateway has nothing for you</h1></body></html>";
    let response = Response::new(status).with_header("content-type", "text/html");
    Response { body: page.as_bytes().to_vec(), ..response }
}
