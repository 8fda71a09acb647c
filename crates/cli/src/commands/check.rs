//! `holdfast config check`: prints every problem of the fleet file.

use holdfast_config::{Fleet, Problem, Secrets, Severity, summary};
use serde::Serialize;

use crate::args::CheckArgs;
use crate::context::Context;
use crate::exit::Exit;

/// The document for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    file: String,
    valid: bool,
    errors: usize,
    warnings: usize,
    problems: &'a [Problem],
}

/// Runs the command.
pub fn run(args: &CheckArgs, context: &Context) -> anyhow::Result<Exit> {
    let secrets = if args.no_secrets { Secrets::Leave } else { Secrets::Judge };
    let path = &context.global.fleet;
    let checked = holdfast_config::check(path, secrets, context.clock.now())?;
    let (problems, file) = (&checked.problems, path.display().to_string());
    let count = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if context.out.is_document() {
        context.out.document(&Document {
            file,
            valid: checked.fleet.is_some(),
            errors,
            warnings,
            problems,
        })?;
    } else {
        for problem in problems {
            context.out.text(&format!("{problem}\n"))?;
        }
        let counts = if problems.is_empty() { String::new() } else { format!(" ({})", summary(problems)) };
        let result = match &checked.fleet {
            Some(fleet) => format!("{file} is valid{counts}: {}", contents(fleet)),
            None => format!("{file} cannot be used{counts}"),
        };
        context.out.text(&result)?;
    }
    let is_good = checked.fleet.is_some() && (warnings == 0 || !args.strict);
    Ok(if is_good { Exit::Done } else { Exit::Usage })
}

fn contents(fleet: &Fleet) -> String {
    let count = |number: usize, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    };
    [
        count(fleet.policies.len(), "policy", "policies"),
        count(fleet.storages.len(), "storage", "storages"),
        count(fleet.apps.len(), "app listed", "apps listed"),
        count(fleet.discover.len(), "discover rule", "discover rules"),
    ]
    .join(", ")
}
