//! `holdfast config fmt` and `config schema`: help with writing the fleet file.

use holdfast_config::{FormatError, Formatted, formatted};
use serde::Serialize;

use crate::args::FmtArgs;
use crate::context::Context;
use crate::exit::Exit;

/// A file, and whether it was not formatted.
#[derive(Serialize)]
struct File {
    file: String,
    differs: bool,
}

/// Runs `holdfast config fmt`.
pub fn run(args: &FmtArgs, context: &Context) -> anyhow::Result<Exit> {
    let files = formatted(args.file.as_ref().unwrap_or(&context.global.fleet)).map_err(refused)?;
    if !args.check {
        files.iter().try_for_each(Formatted::write)?;
    }
    let told: Vec<File> = files
        .iter()
        .map(|file| File { file: file.path.display().to_string(), differs: file.text.is_some() })
        .collect();
    let names: Vec<&str> = told.iter().filter(|file| file.differs).map(|file| file.file.as_str()).collect();
    if context.out.is_document() {
        context.out.document(&told)?;
    } else if names.is_empty() {
        context.out.message("all files are formatted");
    } else {
        context.out.text(&names.join("\n"))?;
    }
    Ok(if args.check && !names.is_empty() { Exit::Failed } else { Exit::Done })
}

/// The error as that of the check, with its exit code.
fn refused(error: FormatError) -> anyhow::Error {
    match error {
        FormatError::Invalid(error) => error.into(),
        FormatError::Unreadable(error) => error.into(),
    }
}

/// Runs `holdfast config schema`.
pub fn schema(context: &Context) -> anyhow::Result<Exit> {
    context.out.document(&holdfast_config::schema())?;
    Ok(Exit::Done)
}
