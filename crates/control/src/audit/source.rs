//! Where the rows of the audit's chain are read: a store, or an exported file.

use std::io::{BufRead, Lines};

use async_trait::async_trait;
use holdfast_store::{ChainRow, Store};

use super::export;
use crate::signature::FileSignature;
use crate::{Error, ErrorKind};

/// The rows of a chain, from its first to its last.
#[async_trait]
pub trait ChainSource: Send {
    /// The first row, which is not consumed.
    async fn first(&mut self) -> Result<Option<ChainRow>, Error>;

    /// At most `most` rows that follow those consumed so far, whose last has the sequence number `after`.
    async fn next(&mut self, after: i64, most: u32) -> Result<Vec<ChainRow>, Error>;
}

/// The rows of a store.
#[derive(Debug, Clone, Copy)]
pub struct StoredChain<'a>(pub &'a dyn Store);

#[async_trait]
impl ChainSource for StoredChain<'_> {
    async fn first(&mut self) -> Result<Option<ChainRow>, Error> {
        Ok(self.0.chain(0, 1).await?.pop())
    }

    async fn next(&mut self, after: i64, most: u32) -> Result<Vec<ChainRow>, Error> {
        Ok(self.0.chain(after, most).await?)
    }
}

/// The rows of a file that `holdfast audit export` wrote.
#[derive(Debug)]
pub struct ExportedChain<R> {
    /// The file's name in errors.
    name: String,
    lines: Lines<R>,
    line: u64,
    /// The first row, where it was looked at and is not consumed.
    first: Option<ChainRow>,
}

impl<R: BufRead + Send> ExportedChain<R> {
    /// The chain that `reader` gives; `name` is for errors.
    pub fn new(name: impl Into<String>, reader: R) -> Self {
        Self { name: name.into(), lines: reader.lines(), line: 0, first: None }
    }

    fn row(&mut self) -> Result<Option<ChainRow>, Error> {
        let mut next = || {
            self.line += 1;
            self.lines.next()
        };
        let is_signature = |line: &Result<String, _>| line.as_deref().is_ok_and(FileSignature::is_of_audit);
        let mut line = next();
        while line.as_ref().is_some_and(is_signature) {
            line = next();
        }
        let Some(line) = line else { return Ok(None) };
        let wrong = |why: String| {
            let what = format!("line {} of {} is no audit event: {why}", self.line, self.name);
            Error::new(ErrorKind::Invalid, what).help("`holdfast audit export` writes such a file")
        };
        let line = line.map_err(|error| wrong(error.to_string()))?;
        export::row(&line).map(Some).map_err(|error| wrong(error.to_string()))
    }
}

#[async_trait]
impl<R: BufRead + Send> ChainSource for ExportedChain<R> {
    async fn first(&mut self) -> Result<Option<ChainRow>, Error> {
        if self.first.is_none() {
            self.first = self.row()?;
        }
        Ok(self.first.clone())
    }

    async fn next(&mut self, _after: i64, most: u32) -> Result<Vec<ChainRow>, Error> {
        let mut rows: Vec<ChainRow> = self.first.take().into_iter().collect();
        while rows.len() < most as usize {
            match self.row()? {
                Some(row) => rows.push(row),
                None => break,
            }
        }
        Ok(rows)
    }
}
