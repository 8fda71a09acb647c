//! `holdfast config check`: prints every problem of the fleet file.

use holdfast_config::{FleetText, Secrets};
use holdfast_control::fleet_check::FleetCheck;

use crate::args::CheckArgs;
use crate::context::Context;
use crate::exit::Exit;

/// Runs the command. A server checks the file of this machine without its secrets.
pub async fn run(args: &CheckArgs, context: &Context) -> anyhow::Result<Exit> {
    let path = &context.global.fleet;
    let found = if let Some(server) = context.server()? {
        let FleetText { name, text } = FleetText::read(path)?;
        server.check_config(&name, &text).await?
    } else {
        let secrets = if args.no_secrets { Secrets::Leave } else { Secrets::Judge };
        let checked = holdfast_config::check(path, secrets, context.clock.now())?;
        FleetCheck::of(path.display().to_string(), &checked)
    };
    if context.out.is_document() {
        context.out.document(&found)?;
    } else {
        for problem in &found.problems {
            context.out.text(&format!("{}\n", problem.text))?;
        }
        context.out.text(&found.sentence())?;
    }
    let is_good = found.valid && (found.warnings == 0 || !args.strict);
    Ok(if is_good { Exit::Done } else { Exit::Usage })
}
