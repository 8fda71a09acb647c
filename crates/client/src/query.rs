//! The parameters of a call.

/// The parameters of a call, without those that have no value.
#[derive(Debug, Default)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Adds a parameter, where it has a value.
    pub fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.0.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// Adds a parameter that is 1 or absent.
    pub fn flag(self, name: &'static str, is_set: bool) -> Self {
        self.with(name, is_set.then_some(1))
    }

    /// The parameters.
    pub fn pairs(&self) -> &[(&'static str, String)] {
        &self.0
    }
}
