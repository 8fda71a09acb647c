//! The forms that the values of a fleet file have, as JSON Schema.

use std::ops::RangeInclusive;
use std::time::Duration;

use holdfast_model::{Tags, format_duration};
use serde_json::{Map, Value, json};

/// Whole numbers with their units. Holdfast reads longer names of units too.
const DURATION: &str = "^\\s*([0-9]+\\s*(ms|s|m|h|d|w|[a-z]{3,12})\\s*)+$";

/// A reference to a secret, never the secret itself.
const SECRET: &str = "^(env:.+|file:.+|keyvault:https://.+)$";

/// The ARM id of an app, which has no case.
const ARM_ID: &str = "^/[sS][uU][bB][sS][cC][rR][iI][pP][tT][iI][oO][nN][sS]/[^/]+/[rR][eE][sS][oO][uU][rR][cC][eE][gG][rR][oO][uU][pP][sS]/[^/]+/.+$";

/// A table with fixed keys.
#[derive(Debug, Clone)]
pub struct Table {
    description: String,
    keys: Map<String, Value>,
    required: Vec<&'static str>,
}

/// A table with this meaning, without keys.
pub fn table(description: &str) -> Table {
    Table { description: description.to_owned(), keys: Map::new(), required: Vec::new() }
}

impl Table {
    /// Adds an optional key.
    pub fn key(mut self, name: &'static str, form: impl Into<Value>) -> Self {
        self.keys.insert(name.to_owned(), form.into());
        self
    }

    /// Adds a required key.
    pub fn required(mut self, name: &'static str, form: impl Into<Value>) -> Self {
        self.required.push(name);
        self.key(name, form)
    }

    /// Adds a required key with one value, which tells this form of a table from others.
    pub fn is(self, name: &'static str, value: &str) -> Self {
        self.required(name, json!({ "const": value }))
    }

    /// The keys, without a description.
    pub fn into_keys(self) -> Map<String, Value> {
        self.keys
    }

    /// Adds the keys of another table.
    pub fn with(mut self, keys: Map<String, Value>) -> Self {
        self.keys.extend(keys);
        self
    }
}

impl From<Table> for Value {
    fn from(Table { description, keys, required }: Table) -> Self {
        let mut schema = json!({
            "description": description, "type": "object", "additionalProperties": false, "properties": keys
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }
}

/// The form of a value that is no table.
#[derive(Debug, Clone)]
pub struct Form(Value);

impl Form {
    /// Names the value that applies where there is none.
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.0["default"] = value.into();
        self
    }

    /// Names the duration that applies where there is none.
    pub fn lasts(self, value: Duration) -> Self {
        self.default(format_duration(value))
    }

    /// Requires an entry of a list.
    pub fn not_empty(mut self) -> Self {
        self.0["minItems"] = json!(1);
        self
    }
}

impl From<Form> for Value {
    fn from(Form(schema): Form) -> Self {
        schema
    }
}

/// A text.
pub fn text(description: &str) -> Form {
    Form(json!({ "description": description, "type": "string" }))
}

fn matching(description: &str, pattern: &str) -> Form {
    Form(json!({ "description": description, "type": "string", "pattern": pattern }))
}

/// A duration.
pub fn duration(description: &str) -> Form {
    let units = "A duration: whole numbers with `ms`, `s`, `m`, `h`, `d` or `w`, such as \"1h 30m\".";
    matching(&format!("{description} {units}"), DURATION)
}

/// A reference to a secret.
pub fn secret(description: &str) -> Form {
    let reference = "A reference, never the secret itself: `env:NAME`, `file:PATH` or `keyvault:URL`.";
    matching(&format!("{description} {reference}"), SECRET)
}

/// The ARM id of an app or a slot.
pub fn arm_id(description: &str) -> Form {
    matching(description, ARM_ID)
}

/// An address.
pub fn url(description: &str) -> Form {
    matching(description, "^https?://.+$")
}

/// A share, such as `50%`.
pub fn percent(description: &str) -> Form {
    matching(description, "^[0-9]{1,3} *%$")
}

/// `true` or `false`.
pub fn flag(description: &str) -> Form {
    Form(json!({ "description": description, "type": "boolean" }))
}

/// A whole number.
pub fn count(description: &str, range: RangeInclusive<u32>) -> Form {
    let (least, most) = range.into_inner();
    Form(json!({ "description": description, "type": "integer", "minimum": least, "maximum": most }))
}

/// A number above zero.
pub fn rate(description: &str) -> Form {
    Form(json!({ "description": description, "type": "number", "minimum": 0.001, "maximum": 1e6 }))
}

/// One of these words.
pub fn choice(description: &str, words: &[&str]) -> Form {
    Form(json!({ "description": description, "type": "string", "enum": words }))
}

/// A list of texts.
pub fn texts(description: &str) -> Form {
    Form(json!({ "description": description, "type": "array", "items": { "type": "string" } }))
}

/// A list of some of these words.
pub fn words(description: &str, words: &[&str]) -> Form {
    let items = json!({ "type": "string", "enum": words });
    Form(json!({ "description": description, "type": "array", "items": items }))
}

/// A list of tables, such as `[[app]]`.
pub fn list_of(description: &str, of: impl Into<Value>) -> Form {
    Form(json!({ "description": description, "type": "array", "items": of.into() }))
}

/// Tables below names that the file chooses, such as `[policy.NAME]`.
pub fn named(description: &str, of: impl Into<Value>) -> Form {
    Form(json!({ "description": description, "type": "object", "additionalProperties": of.into() }))
}

/// Tags of apps.
pub fn tags(description: &str) -> Form {
    let value = json!({ "type": "string" });
    Form(json!({
        "description": description, "type": "object", "additionalProperties": value, "maxProperties": Tags::MOST
    }))
}

/// One of several forms.
pub fn any(description: &str, forms: impl IntoIterator<Item = Value>) -> Form {
    let forms: Vec<Value> = forms.into_iter().collect();
    Form(json!({ "description": description, "anyOf": forms }))
}

/// One of several forms of a table.
pub fn tables(description: &str, forms: impl IntoIterator<Item = Table>) -> Form {
    any(description, forms.into_iter().map(Value::from))
}

/// A value, or the text `none`, which undoes what is inherited.
pub fn or_none(form: impl Into<Value>) -> Form {
    let form = form.into();
    let description = form["description"].as_str().unwrap_or_default().to_owned();
    let none = json!({ "description": "Undoes what is inherited.", "const": "none" });
    any(&description, [form, none])
}
