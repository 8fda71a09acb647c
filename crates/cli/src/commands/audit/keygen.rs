//! `holdfast audit keygen`: makes the key that signs checkpoints.

use std::io::Write as _;

use anyhow::Context as _;
use holdfast_control::audit::{generate, read_pem, system_random};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::args::KeygenArgs;
use crate::context::Context;
use crate::exit::Exit;

/// Writes the private key to a new file, and shows the public one.
pub fn run(args: &KeygenArgs, context: &Context) -> anyhow::Result<Exit> {
    let secret = generate(&system_random())?;
    let public = read_pem(&secret)?.verifying_key().context("the new key has no public key")?;
    let path = args.out.display();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&args.out).and_then(|mut file| {
        file.write_all(secret.expose_secret().as_bytes())?;
        file.sync_all()
    });
    written.with_context(|| format!("failed to write the key to {path}"))?;
    context.out.message(&format!(
        "wrote the private key {} to {path}; give auditors the public key below",
        public.id()
    ));
    let document = json!({ "key": public.id(), "public_key": public.pem() });
    context.out.show(&document, || public.pem().into())?;
    Ok(Exit::Done)
}
