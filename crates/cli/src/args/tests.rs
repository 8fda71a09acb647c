use clap::CommandFactory;

use super::*;

const PAGE: &str = include_str!("../../../../docs/cli.md");
const README: &str = include_str!("../../../../README.md");
const OPERATIONS: &str = include_str!("../../../../docs/operations.md");
const FLEET_LIFE: &str = include_str!("../../../../docs/fleet-life.md");
const RETENTION: &str = include_str!("../../../../docs/retention.md");

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_every_option_is_documented() {
    let mut missing = Vec::new();
    look(&Cli::command(), "holdfast", &mut missing);
    assert_eq!(missing, Vec::<String>::new(), "docs/cli.md does not name these");
}

fn look(command: &clap::Command, path: &str, missing: &mut Vec<String>) {
    let heading = format!("## `{path}`\n");
    if !command.has_subcommands() && !PAGE.contains(&heading) {
        missing.push(path.to_owned());
    }
    let section = PAGE.split(&heading).nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap_or_default();
    for option in command.get_arguments().filter_map(clap::Arg::get_long) {
        let general = PAGE.split("\n### Exit codes").next().unwrap_or_default();
        if !["help", "version"].contains(&option)
            && !format!("{general}{section}").contains(&format!("`--{option}"))
        {
            missing.push(format!("{path} --{option}"));
        }
    }
    for below in command.get_subcommands() {
        look(below, &format!("{path} {}", below.get_name()), missing);
    }
}

#[test]
fn every_example_of_the_documentation_and_of_the_help_parses() {
    let mut texts = vec![
        PAGE.to_owned(),
        README.to_owned(),
        OPERATIONS.to_owned(),
        FLEET_LIFE.to_owned(),
        RETENTION.to_owned(),
    ];
    collect_help(&Cli::command(), &mut texts);
    let lines = texts.iter().flat_map(|text| text.lines());
    let examples: Vec<String> = lines.flat_map(examples_in).collect();
    assert!(examples.len() > 30, "{examples:?}");
    for example in examples {
        // `--version` and `--help` end the parsing without a mistake.
        if let Err(error) = Cli::try_parse_from(example.split_whitespace())
            && error.use_stderr()
        {
            panic!("`{example}`: {error}");
        }
    }
}

fn collect_help(command: &clap::Command, texts: &mut Vec<String>) {
    texts.extend(command.get_after_help().map(ToString::to_string));
    for below in command.get_subcommands() {
        collect_help(below, texts);
    }
}

/// Lines that begin with the command, and those quoted in a sentence that are more than a command's name.
fn examples_in(line: &str) -> Vec<String> {
    let line = line.trim_start().trim_start_matches("$ ");
    let line = line.split(" #").next().unwrap_or_default();
    if line.starts_with("holdfast ") {
        return vec![line.to_owned()];
    }
    let quoted = line
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|text| text.starts_with("holdfast ") && text.contains(" --"));
    quoted.map(str::to_owned).collect()
}

#[test]
fn a_missing_argument_names_its_alternatives_and_a_wrong_number_says_what_is_expected() {
    let message = |line: &str| Cli::try_parse_from(line.split_whitespace()).unwrap_err().to_string();
    for line in ["verify", "native-schedule show", "native-schedule remove", "sas refresh shop"] {
        let text = message(&format!("holdfast {line}"));
        assert!(text.contains("--all"), "{line}: {text}");
    }
    for line in
        ["backups show shop abc", "restore shop --backup abc", "hold add shop --backup abc --reason x"]
    {
        let text = message(&format!("holdfast {line}"));
        assert!(text.contains("expected Azure's number for a backup"), "{line}: {text}");
    }
    let text = message("holdfast restore shop --at tomorrow");
    assert!(text.contains("expected a time such as") && !text.contains("premature"), "{text}");
    assert!(Cli::try_parse_from("holdfast verify shop wiki".split(' ')).is_ok());
    assert!(Cli::try_parse_from("holdfast verify shop --all".split(' ')).is_err());
}
