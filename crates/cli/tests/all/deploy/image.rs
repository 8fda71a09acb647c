//! The Dockerfile, the images' tags, and the unit for systemd.

use super::{assert_reads, entries, help, path, read, texts, yaml};

/// The Dockerfile's instructions, continued lines joined and comments left out.
fn instructions() -> Vec<(String, String)> {
    let text = read("deploy/Dockerfile");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty());
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let split = joined.lines().map(|line| line.split_once(' ').unwrap());
    split
        .map(|(word, rest)| (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect()
}

fn all<'i>(instructions: &'i [(String, String)], word: &str) -> Vec<&'i str> {
    instructions.iter().filter(|(found, _)| found == word).map(|(_, rest)| rest.as_str()).collect()
}

/// A tag that names a version, down to its second number at least.
fn is_pinned(image: &str) -> bool {
    let Some((_, tag)) = image.rsplit_once(':') else { return false };
    let version = tag.trim_start_matches('v').split('-').next().unwrap();
    version.split('.').count() >= 2 && version.split('.').all(|part| part.parse::<u32>().is_ok())
}

#[test]
fn images_are_pinned_to_a_version() {
    assert!(is_pinned("a/b:v1.2") && !is_pinned("a:latest") && !is_pinned("a") && !is_pinned("a:17"));
    let instructions = instructions();
    let bases = all(&instructions, "FROM").into_iter().map(|from| from.split(' ').next().unwrap().to_owned());
    let compose = yaml("docker-compose.yml");
    let images = entries(&compose["services"]).map(|(_, service)| service["image"].as_str().unwrap().to_owned());
    let loose: Vec<_> = bases.chain(images.filter(|image| image != "holdfast:demo")).collect();
    assert!(loose.len() > 5);
    assert!(loose.iter().all(|image| is_pinned(image)), "{loose:?}");
}

#[test]
fn what_is_copied_is_there_and_nothing_else_is_let_in() {
    let instructions = instructions();
    let ignored = read("deploy/Dockerfile.dockerignore");
    let allowed: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    assert!(ignored.lines().any(|line| line == "*"));
    let mut copied = Vec::new();
    for copy in all(&instructions, "COPY").into_iter().filter(|copy| !copy.starts_with("--from=")) {
        let words: Vec<&str> = copy.split(' ').collect();
        copied.extend_from_slice(&words[..words.len() - 1]);
    }
    assert!(copied.iter().all(|source| path(source).exists()), "{copied:?}");
    let sorted = |mut list: Vec<_>| {
        list.sort_unstable();
        list.into_iter().map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(sorted(copied), sorted(allowed));
}

#[test]
fn the_image_runs_as_nobody_special_and_holds_no_secret() {
    let instructions = instructions();
    let last_stage = instructions.iter().rposition(|(word, _)| word == "FROM").unwrap();
    let users = all(&instructions[last_stage..], "USER");
    assert_eq!(users, ["65532:65532"]);
    let user = instructions.iter().rposition(|(word, _)| word == "USER").unwrap();
    assert!(instructions[user..].iter().all(|(word, _)| word != "RUN"), "nothing is installed as that user");
    for word in ["ARG", "ENV"] {
        let text = all(&instructions, word).join(" ").to_lowercase();
        assert!(
            !["secret", "password", "token", "key"].iter().any(|bad| text.contains(bad)),
            "{word} {text}"
        );
    }
    assert!(all(&instructions, "LABEL")[0].contains("org.opencontainers.image.licenses"));
}

#[test]
fn the_image_starts_the_program_with_variables_that_it_reads() {
    let instructions = instructions();
    assert_eq!(all(&instructions, "ENTRYPOINT"), [r#"["/usr/local/bin/holdfast"]"#]);
    let default: Vec<String> = serde_json::from_str(all(&instructions, "CMD")[0]).unwrap();
    help(&default.join(" "));
    let environment = all(&instructions[instructions.len() / 2..], "ENV").join(" ");
    for variable in environment.split(' ').map(|pair| pair.split('=').next().unwrap()) {
        assert_reads("run", variable);
    }
    let compose = yaml("docker-compose.yml");
    for (name, service) in entries(&compose["services"]) {
        let Some(file) = service["build"]["dockerfile"].as_str() else { continue };
        assert!(path(file).exists(), "{name}");
        assert!(!texts(&service["command"]).is_empty(), "{name} has a role");
    }
}

#[test]
fn the_unit_reads_variables_that_every_role_knows() {
    let unit = read("deploy/systemd/holdfast@.service");
    let variables = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
    let variables: Vec<&str> = variables.map(|pair| pair.split('=').next().unwrap()).collect();
    assert_eq!(variables.len(), 2);
    for role in ["run", "scheduler", "worker"] {
        for variable in
            variables.iter().chain(&["HOLDFAST_LISTEN", "HOLDFAST_DATABASE_URL", "HOLDFAST_AMQP_URL"])
        {
            assert_reads(role, variable);
        }
    }
    assert!(unit.contains("ExecStart=/usr/local/bin/holdfast %i\n"));
}
