//! Lists as answers.

use holdfast_model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// One page of a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// When the store was read.
    pub as_of: Timestamp,
    /// Rows of all pages, where they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// The rows of this page.
    pub value: Vec<T>,
    /// The address of the next page, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
}

/// A whole list.
#[derive(Serialize, ToSchema)]
pub struct All<T> {
    /// The rows.
    pub value: Vec<T>,
}
