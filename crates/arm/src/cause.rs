//! The cause of an error that is worth showing.

use std::error::Error;

/// The innermost cause of an error: the outer ones only say that a request failed.
pub(crate) fn innermost<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    let mut innermost = error;
    while let Some(deeper) = innermost.source() {
        innermost = deeper;
    }
    innermost
}
