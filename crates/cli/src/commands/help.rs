//! `holdfast help`, `completions` and `man`.

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::env::Shells;
use clap_mangen::Man;
use holdfast_control::{Error, ErrorKind};

use crate::args::{Cli, CompletionsArgs, HelpArgs, ManArgs};
use crate::command_line::{command, global_help, help};
use crate::context::Context;
use crate::exit::Exit;

/// Runs `holdfast help`.
pub fn run(args: &HelpArgs, context: &Context) -> anyhow::Result<Exit> {
    let text = match args.command.as_slice() {
        [one] if one == "global" => Some(global_help()),
        words => help(words),
    };
    let Some(text) = text else {
        let what = format!("there is no command `{}`", args.command.join(" "));
        return Err(Error::new(ErrorKind::NotFound, what).help("`holdfast help` lists the commands").into());
    };
    context.out.text(&text)?;
    Ok(Exit::Done)
}

/// Runs `holdfast completions`: the script calls this program, so it knows what the fleet has at that moment.
pub fn completions(args: &CompletionsArgs, context: &Context) -> anyhow::Result<Exit> {
    let shells = Shells::builtins();
    let shell = shells.completer(&args.shell).context("the shell is not known")?;
    let mut script = Vec::new();
    shell.write_registration("COMPLETE", "holdfast", "holdfast", "holdfast", &mut script)?;
    context.out.text(&String::from_utf8(script)?)?;
    Ok(Exit::Done)
}

/// Runs `holdfast man`.
pub fn man(args: &ManArgs, context: &Context) -> anyhow::Result<Exit> {
    // The page of the program has the options of all commands.
    let whole = Man::new(Cli::command());
    let mut page = Vec::new();
    whole.render(&mut page)?;
    let Some(folder) = &args.dir else {
        context.out.text(&String::from_utf8(page)?)?;
        return Ok(Exit::Done);
    };
    let failed = || format!("failed to write into {}", folder.display());
    std::fs::create_dir_all(folder).with_context(failed)?;
    clap_mangen::generate_to(command(), folder).with_context(failed)?;
    std::fs::write(folder.join("holdfast.1"), page).with_context(failed)?;
    context.out.message(&format!("written to {}", folder.display()));
    Ok(Exit::Done)
}
