//! The description of types that are written as texts, for OpenAPI.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::{AppId, BackupStatus, TagFilter};

/// Describes a type as a text with a meaning and an example.
macro_rules! text {
    ($name:ident, $meaning:literal, $example:literal) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::new(Type::String))
                    .description(Some($meaning))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

text!(
    AppId,
    "The ARM id of a site or a deployment slot, in lower case but for its fixed words.",
    "/subscriptions/0a0a/resourceGroups/shops/providers/Microsoft.Web/sites/shop"
);
text!(BackupStatus, "The status of a backup, as Azure names it.", "Succeeded");
text!(TagFilter, "A tag that apps must have: `team=shop`, or `team` with any value.", "team=shop");
