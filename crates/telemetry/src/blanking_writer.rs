//! Standard error as the log sees it: without the secrets that this process holds.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::known_secrets::blanked;

/// Makes writers to standard error that blank known secrets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlankingStderr;

/// Writes whole lines: the formatter makes one call for each.
#[derive(Debug)]
pub(crate) struct BlankingWriter<W>(W);

impl<'a> MakeWriter<'a> for BlankingStderr {
    type Writer = BlankingWriter<io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        BlankingWriter(io::stderr())
    }
}

impl<W: Write> Write for BlankingWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match blanked(&String::from_utf8_lossy(line)) {
            Some(clean) => self.0.write_all(clean.as_bytes())?,
            None => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remember_secret;

    #[test]
    fn a_line_with_a_secret_is_written_without_it() {
        remember_secret(&"sv=1&sig=b4n4n4%2Bb4n4n4%3D&se=9".into());
        for line in [
            "azure said sv=1&sig=b4n4n4%2Bb4n4n4%3D&se=9\n",
            "azure said b4n4n4+b4n4n4=\n",
            "azure said b4n4n4%252Bb4n4n4%253D\n",
            "{\"message\":\"azure said YjRuNG40K2I0bjRuND0=\"}\n",
        ] {
            let mut written = Vec::new();
            BlankingWriter(&mut written).write_all(line.as_bytes()).unwrap();
            let written = String::from_utf8(written).unwrap();
            assert!(written.contains("[blanked]") && written.ends_with('\n'), "{written}");
            assert!(!written.contains("b4n4n4") && !written.contains("YjRuNG40K2I0"), "{written}");
        }
    }
}
