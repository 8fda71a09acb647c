//! The Dockerfile, the tags of the images, and the unit for systemd.

use super::{assert_reads, help, path, read, values};

/// Whether the tag names a version with at least two numbers.
fn is_pinned(image: &str) -> bool {
    let Some((_, tag)) = image.rsplit_once(':') else { return false };
    let version = tag.trim_start_matches('v').split('-').next().unwrap();
    version.split('.').count() >= 2 && version.split('.').all(|part| part.parse::<u32>().is_ok())
}

#[test]
fn images_are_pinned_to_a_version() {
    assert!(is_pinned("a/b:v1.2") && !is_pinned("a:latest") && !is_pinned("a") && !is_pinned("a:17"));
    let (dockerfile, compose) = (read("deploy/Dockerfile"), read("docker-compose.yml"));
    let bases = values(&dockerfile, "FROM ").into_iter().map(|from| from.split(' ').next().unwrap());
    let services = values(&compose, "image:").into_iter().filter(|image| *image != "holdfast:demo");
    let images: Vec<&str> = bases.chain(services).collect();
    assert!(images.len() > 5);
    assert!(images.iter().all(|image| is_pinned(image)), "{images:?}");
}

#[test]
fn the_image_is_built_with_the_pinned_toolchain() {
    let toolchain = read("rust-toolchain.toml");
    let version = values(&toolchain, "channel =")[0].trim_matches('"');
    assert!(read("deploy/Dockerfile").contains(&format!("\nFROM rust:{version}-")), "{version}");
}

#[test]
fn only_files_that_are_copied_enter_the_build() {
    let (dockerfile, ignored) = (read("deploy/Dockerfile"), read("deploy/Dockerfile.dockerignore"));
    let copies = values(&dockerfile, "COPY ").into_iter().filter(|copy| !copy.starts_with("--from="));
    let mut sources: Vec<&str> =
        copies.flat_map(|line| line.rsplit_once(' ').unwrap().0.split(' ')).collect();
    let mut allowed: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    sources.sort_unstable();
    allowed.sort_unstable();
    assert_eq!(sources, allowed);
    assert!(sources.iter().all(|name| path(name).exists()), "{sources:?}");
    assert!(ignored.lines().any(|line| line == "*"));
}

#[test]
fn the_image_starts_the_program_without_privileges_and_with_variables_that_it_reads() {
    let dockerfile = read("deploy/Dockerfile");
    assert_eq!(values(&dockerfile, "USER "), ["65532:65532"]);
    assert_eq!(values(&dockerfile, "ENTRYPOINT "), [r#"["/usr/local/bin/holdfast"]"#]);
    let default: Vec<String> = serde_json::from_str(values(&dockerfile, "CMD ")[0]).unwrap();
    help(&default.join(" "));
    for variable in super::words(&dockerfile, "HOLDFAST_") {
        assert_reads("run", variable);
    }
}

#[test]
fn the_unit_sets_variables_that_every_role_reads() {
    let unit = read("deploy/systemd/holdfast@.service");
    let set = values(&unit, "Environment=").into_iter().map(|pair| pair.split('=').next().unwrap());
    let variables: Vec<&str> =
        set.chain(["HOLDFAST_LISTEN", "HOLDFAST_DATABASE_URL", "HOLDFAST_AMQP_URL"]).collect();
    assert_eq!(variables.len(), 5);
    for role in ["run", "scheduler", "worker"] {
        for variable in &variables {
            assert_reads(role, variable);
        }
    }
    assert!(unit.contains("ExecStart=/usr/local/bin/holdfast %i\n"));
}
