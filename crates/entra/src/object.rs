//! A JSON object in which each field is there once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// The fields of a token's header, or its claims.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    /// Reads an object.
    pub(crate) fn read(json: &[u8]) -> Result<Self, Refusal> {
        let Fields { fields, is_unique } = serde_json::from_slice(json).map_err(|_| Refusal::Malformed)?;
        if is_unique { Ok(Self(fields)) } else { Err(Refusal::Duplicate) }
    }

    /// Whether it has the field.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The field, where it is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The field, where it is a whole number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    /// The texts of the field, where it is a list.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }
}

/// The fields as they were read. Of a field that is there twice, the last counts.
struct Fields {
    fields: Map<String, Value>,
    is_unique: bool,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EachField)
    }
}

struct EachField;

impl<'de> Visitor<'de> for EachField {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut read = Fields { fields: Map::new(), is_unique: true };
        while let Some((name, value)) = map.next_entry()? {
            read.is_unique &= read.fields.insert(name, value).is_none();
        }
        Ok(read)
    }
}
