//! The static files of the pages. A file's name contains a hash of its content, so browsers may keep it for ever.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};

/// A static file.
struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const ASSETS: [Asset; 3] = [STYLE, SCRIPT, ICON];
const STYLE: Asset = Asset {
    stem: "style",
    extension: "css",
    media_type: "text/css; charset=utf-8",
    content: include_str!("../assets/style.css"),
};
const SCRIPT: Asset = Asset {
    stem: "script",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    content: include_str!("../assets/script.js"),
};
const ICON: Asset = Asset {
    stem: "icon",
    extension: "svg",
    media_type: "image/svg+xml",
    content: include_str!("../assets/icon.svg"),
};

/// The address of the style sheet.
pub fn style() -> String {
    STYLE.path()
}

/// The address of the script.
pub fn script() -> String {
    SCRIPT.path()
}

/// The address of the icon.
pub fn icon() -> String {
    ICON.path()
}

/// Serves a static file.
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name() == name) else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let tag = format!("\"{:016x}\"", asset.hash());
    let caching: [(HeaderName, &str); 2] =
        [(CACHE_CONTROL, "public, max-age=31536000, immutable"), (ETAG, &tag)];
    let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|known| known.as_bytes() == tag.as_bytes());
    if is_known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, asset.media_type)], asset.content).into_response()
}

impl Asset {
    fn path(&self) -> String {
        format!("/static/{}", self.name())
    }

    fn name(&self) -> String {
        format!("{}-{:016x}.{}", self.stem, self.hash(), self.extension)
    }

    /// FNV-1a. It tells versions apart and proves nothing.
    const fn hash(&self) -> u64 {
        let bytes = self.content.as_bytes();
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        hash
    }
}
