//! The embedded form keeps its secrets too: with a store in one file, and everything in one process.

use std::time::Duration;

use holdfast_simulator::Faults;

use crate::fleet::{NEVER, Shape, Simulated};
use crate::kinds::place;
use crate::process::command;
use crate::secrets::{Secrets, files};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_file_of_an_embedded_store_or_in_what_its_commands_say() {
    let shape = Shape {
        apps: 36,
        every_kind: true,
        faults: Faults::none(),
        slow_answer: Duration::ZERO,
        lease: Duration::from_secs(8),
        call_timeout: Duration::from_secs(2),
    };
    let folder = tempfile::tempdir().unwrap();
    let simulated = Simulated::serve(shape, folder.path()).await;
    simulated.write(folder.path(), NEVER);
    let env = simulated.env().into_iter().collect();
    let (app, other) = (simulated.app(place::SHOP), simulated.app(place::OTHERS));
    let scratch = simulated.app(place::SCRATCH);
    let mut said = Vec::new();
    for (line, code) in [
        (format!("backup {app} {other} --wait"), 0),
        (format!("sas refresh {app} --all --wait"), 0),
        (format!("restore {app} --latest --overwrite --yes --wait"), 0),
        (format!("drill {other} --into {scratch} --yes --wait"), 0),
        (format!("native-schedule push {other} --yes --wait"), 0),
        (format!("backup {app} --policy weak --wait"), 1),
        ("doctor".to_owned(), 1),
    ] {
        let words: Vec<&str> = line.split_whitespace().chain(["--log", "debug"]).collect();
        let output = command(folder.path(), &words, &env).output().await.unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        assert_eq!(output.status.code(), Some(code), "holdfast {line}: {text}");
        said.push((line, text));
    }
    said.extend(files(folder.path(), &[".sqlite", ".sqlite-wal"]));
    let seen = simulated.azure().secrets_seen();
    assert!(seen.len() > 8, "signatures, tokens and connection strings passed by");
    let seen = seen.iter().map(|secret| secrecy::ExposeSecret::expose_secret(secret).to_owned());
    let secrets = Secrets::new(seen.chain(simulated.secrets()));
    let name = simulated.fleet().sites[place::SHOP].site.id.site();
    assert!(said.iter().any(|(file, text)| file.ends_with(".sqlite") && text.contains(name)));
    assert_eq!(secrets.places(&said), Vec::<String>::new());
}
