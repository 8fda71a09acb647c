//! Recognises that a process has no file descriptor left. Pure.

use std::error::Error;
use std::io;

/// The numbers of the error: of the process (EMFILE), of the machine (ENFILE), and of Windows' sockets.
const NUMBERS: [i32; 3] = [24, 23, 10_024];

/// Whether an error, or one of its sources, says that no further file or connection could be opened.
pub fn is_out_of_files(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let number = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        if number.is_some_and(|number| NUMBERS.contains(&number)) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed")]
    struct Outer(#[source] io::Error);

    #[test]
    fn only_a_lack_of_descriptors_counts_however_deep_it_is() {
        let of = |number| Outer(io::Error::from_raw_os_error(number));
        assert!(is_out_of_files(&of(24)) && is_out_of_files(&io::Error::from_raw_os_error(23)));
        assert!(!is_out_of_files(&of(2)) && !is_out_of_files(&io::Error::other("24")));
    }
}
