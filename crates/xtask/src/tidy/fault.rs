//! Places that are not tidy.

/// A line, counted from one, and what is wrong with it.
pub type Fault = (usize, String);
