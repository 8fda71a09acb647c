//! The blob endpoint: path-style, as in emulators. Every request needs a valid SAS.

use std::fmt::Write as _;

use holdfast_model::Timestamp;

use super::Azure;
use super::account_sas;
use super::sas::{self, SasUse};
use super::storage::{Blob, Content, xml};
use crate::request::decode;
use crate::{Method, Request, Response};

/// An operation of the blob endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
enum BlobOperation {
    #[strum(serialize = "list_blobs")]
    List,
    #[strum(serialize = "put_blob")]
    Put,
    #[strum(serialize = "get_blob")]
    Get,
    #[strum(serialize = "head_blob")]
    Head,
    #[strum(serialize = "delete_blob")]
    Delete,
    #[strum(serialize = "create_container")]
    Create,
}

/// The path of a container or a blob.
struct BlobPath {
    account: String,
    container: String,
    blob: Option<String>,
}

impl BlobPath {
    fn of(path: &str) -> Option<Self> {
        let mut parts = path.trim_start_matches('/').splitn(3, '/').map(decode);
        let (account, container) = (parts.next()?, parts.next()?);
        let blob = parts.next().filter(|blob| !blob.is_empty());
        (!container.is_empty()).then_some(Self { account, container, blob })
    }
}

impl Azure {
    pub(super) fn blob_service(&mut self, request: &Request, request_id: &str) -> Response {
        let asked = BlobPath::of(&request.path).zip(BlobOperation::of(request));
        let answer = match asked {
            Some((path, operation)) => {
                self.counters.call(operation.name());
                self.check_sas(request, &path, operation).and_then(|()| self.serve(request, &path, operation))
            }
            None => Err((400, "InvalidUri")),
        };
        let response = answer.unwrap_or_else(|(status, code)| {
            self.counters.storage_refusals += u64::from(matches!(status, 401 | 403));
            refusal(status, code, request_id, self.now)
        });
        let response = if request.method == Method::Head { without_body(response) } else { response };
        response.with_header("x-ms-version", "2022-11-02")
    }

    fn check_sas(
        &self,
        request: &Request,
        path: &BlobPath,
        operation: BlobOperation,
    ) -> Result<(), (u16, &'static str)> {
        let asked = SasUse {
            account: &path.account,
            container: &path.container,
            blob: path.blob.as_deref(),
            permissions: operation.permissions(),
            https: request.origin.starts_with("https:"),
            at: self.now,
        };
        let key = self.storage.key(&path.account).ok_or((404, "ResourceNotFound"))?;
        if operation == BlobOperation::Create {
            return account_sas::check(key, &request.query, &asked).map_err(sas::Refusal::answer);
        }
        sas::check(key, &request.query, &asked).map_err(sas::Refusal::answer)
    }

    fn serve(
        &mut self,
        request: &Request,
        path: &BlobPath,
        operation: BlobOperation,
    ) -> Result<Response, (u16, &'static str)> {
        let (now, bytes_max) = (self.now, self.config.blob_bytes_max);
        if operation == BlobOperation::Create {
            if self.storage.container(&path.account, &path.container).is_some() {
                return Err((409, "ContainerAlreadyExists"));
            }
            self.storage.add_container(&path.account, &path.container);
            return Ok(Response::new(201));
        }
        let blobs =
            self.storage.container_mut(&path.account, &path.container).ok_or((404, "ContainerNotFound"))?;
        let Some(name) = &path.blob else {
            let prefix = request.parameter("prefix").unwrap_or_default();
            return Ok(listing(path, blobs.iter().filter(|(name, _)| name.starts_with(&prefix))));
        };
        match operation {
            BlobOperation::Put => {
                if request.header("x-ms-blob-type") != Some("BlockBlob") {
                    return Err((400, "MissingRequiredHeader"));
                }
                if request.body.len() > bytes_max {
                    return Err((413, "RequestBodyTooLarge"));
                }
                if request.header("if-none-match") == Some("*") && blobs.contains_key(name) {
                    return Err((409, "BlobAlreadyExists"));
                }
                let blob = Blob { content: Content::Bytes(request.body.clone()), written_at: now };
                let response = about(Response::new(201), &blob);
                blobs.insert(name.clone(), blob);
                Ok(response)
            }
            BlobOperation::Delete => {
                blobs.remove(name).map(|_| Response::new(202)).ok_or((404, "BlobNotFound"))
            }
            _ => {
                let blob = blobs.get(name).ok_or((404, "BlobNotFound"))?;
                let response = about(Response::new(200), blob)
                    .with_header("content-type", "application/octet-stream")
                    .with_header("x-ms-blob-type", "BlockBlob")
                    .with_header("content-length", blob.length().to_string());
                let body = if operation == BlobOperation::Get { blob.bytes() } else { Vec::new() };
                Ok(Response { body, ..response })
            }
        }
    }
}

impl BlobOperation {
    /// `None` for an operation that does not exist here.
    fn of(request: &Request) -> Option<Self> {
        let parameter = |name| request.parameter(name).unwrap_or_default();
        let on_blob = BlobPath::of(&request.path)?.blob.is_some();
        match request.method {
            Method::Get if !on_blob && parameter("restype") == "container" && parameter("comp") == "list" => {
                Some(Self::List)
            }
            Method::Put
                if !on_blob && parameter("restype") == "container" && parameter("comp").is_empty() =>
            {
                Some(Self::Create)
            }
            // Blocks, tags and other parts of a blob are not simulated.
            _ if !on_blob || !parameter("comp").is_empty() => None,
            Method::Get => Some(Self::Get),
            Method::Head => Some(Self::Head),
            Method::Put => Some(Self::Put),
            Method::Delete => Some(Self::Delete),
            Method::Post => None,
        }
    }

    /// The letters of `sp` that it needs: one of each group.
    fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::List => &["l"],
            Self::Put | Self::Create => &["cw"],
            Self::Get | Self::Head => &["r"],
            Self::Delete => &["d"],
        }
    }

    /// The name in counters.
    fn name(self) -> &'static str {
        self.into()
    }
}

fn about(response: Response, blob: &Blob) -> Response {
    let written = blob.written_at;
    response
        .with_header("etag", format!("\"0x{:X}\"", written.timestamp_micros()))
        .with_header("last-modified", written.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// A refusal, in XML as storage writes it. The message is ours and quotes nothing of the request.
fn refusal(status: u16, code: &'static str, request_id: &str, at: Timestamp) -> Response {
    let time = at.format("%Y-%m-%dT%H:%M:%S%.6fZ");
    let body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>The simulated storage \
         refuses this.\nRequestId:{request_id}\nTime:{time}</Message></Error>"
    );
    let response = Response::new(status)
        .with_header("content-type", "application/xml")
        .with_header("x-ms-error-code", code);
    Response { body: body.into_bytes(), ..response }
}

/// The response to a HEAD: the headers alone.
fn without_body(response: Response) -> Response {
    Response { body: Vec::new(), ..response }
}

fn listing<'a>(path: &BlobPath, blobs: impl Iterator<Item = (&'a String, &'a Blob)>) -> Response {
    let mut body = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ContainerName=\"{}\"><Blobs>",
        xml(&path.container)
    );
    for (name, blob) in blobs {
        let (name, length) = (xml(name), blob.length());
        // Writing to a String cannot fail.
        let _ = write!(
            body,
            "<Blob><Name>{name}</Name><Properties><Content-Length>{length}</Content-Length>\
             <BlobType>BlockBlob</BlobType></Properties></Blob>"
        );
    }
    body.push_str("</Blobs><NextMarker /></EnumerationResults>");
    let response = Response::new(200).with_header("content-type", "application/xml");
    Response { body: body.into_bytes(), ..response }
}
