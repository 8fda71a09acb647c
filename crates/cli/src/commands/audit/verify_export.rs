//! `holdfast audit verify-export`: verifies a signed export by its lines and public keys alone.

use std::fs::File;
use std::io::BufReader;

use holdfast_control::audit::verify_export;
use holdfast_control::{Error, ErrorKind, counted};
use holdfast_model::format_timestamp;

use crate::args::VerifyExportArgs;
use crate::commands::signing::public_keys;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command.
pub fn run(args: &VerifyExportArgs, context: &Context) -> anyhow::Result<Exit> {
    let name = args.file.display().to_string();
    let file = File::open(&args.file)
        .map_err(|error| Error::new(ErrorKind::NotFound, format!("{name} cannot be read: {error}")))?;
    let found = verify_export(BufReader::new(file), &name, &public_keys(&args.public_key)?)?;
    context.out.show(&found, || {
        let of = if found.filter.is_empty() { String::new() } else { format!(", {}", found.filter) };
        let after = if found.after == 0 { String::new() } else { format!(" after event {}", found.after) };
        let keys: Vec<&str> = found.keys.iter().map(String::as_str).collect();
        format!(
            "{name} holds: {}{after}{of}; signed with the key {} at {}, when the audit ended with event {}, hash {}",
            counted(found.events, "event"),
            keys.join(", "),
            format_timestamp(found.at),
            found.audit.seq,
            found.audit.hash
        )
        .into()
    })?;
    Ok(Exit::Done)
}
