//! The confirmations that the program asks for at a terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;

use crate::command::{Place, command};
use crate::simulated::simulate;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Runs `holdfast` at a terminal where a person types `answer`: its exit code, and what the terminal showed.
fn at_a_terminal(place: &Place, line: &str, answer: &str) -> (i32, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let name = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    let program = File::options().read(true).write(true).open(name).unwrap();
    let mut command = command(&place.path(""), line);
    command.stdin(program.try_clone().unwrap()).stderr(program).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    // The command holds the program's end of the terminal; without it the last reading ends with the program.
    drop(command);
    let mut person = File::from(terminal);
    person.write_all(format!("{answer}\n").as_bytes()).unwrap();
    let (mut read, mut some) = (Vec::new(), [0; 1_024]);
    // Linux reports the end of a closed terminal as an error.
    while let Ok(count @ 1..) = person.read(&mut some) {
        read.extend_from_slice(&some[..count]);
    }
    let code = child.wait().unwrap().code().unwrap();
    (code, String::from_utf8(read).unwrap())
}

#[test]
fn a_change_that_cannot_be_undone_is_made_only_when_a_person_types_the_word() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 2 --seed 12");
    assert_eq!(place.run("migrate").code, 0);
    let app = place.json("apps discover")["apps"][0]["name"].as_str().unwrap().to_owned();
    assert_eq!(place.run(&format!("backup {app} --wait")).code, 0);
    let backups = || place.json(&format!("backups list {app}"))["backups"].as_array().unwrap().len();
    let backup = place.json(&format!("backups list {app}"))["backups"][0]["backup_id"].clone();

    let delete = format!("backups delete {app} {backup} --allow-last");
    for answer in ["", "no", "y", "YES"] {
        let (code, read) = at_a_terminal(&place, &delete, answer);
        assert!(code == 1 && read.contains("Type `yes` to go on:"), "{code}: {read}");
        assert!(read.contains("error: nothing was done"), "{read}");
    }
    assert_eq!(backups(), 1);

    // A restore asks for the name of what will be lost.
    let restore = format!("restore {app} --latest --overwrite --wait");
    let (code, read) = at_a_terminal(&place, &restore, "yes");
    assert!(code == 1 && read.contains(&format!("Type `{app}` to go on:")), "{code}: {read}");
    assert_eq!(
        place.json(&format!("history {app} --kind restore"))["runs"].as_array().map(Vec::len),
        Some(0)
    );
    let (code, read) = at_a_terminal(&place, &restore, &app);
    assert_eq!(code, 0, "{read}");

    let (code, read) = at_a_terminal(&place, &format!("{delete} --wait"), " yes ");
    assert_eq!(code, 0, "{read}");
    assert_eq!(backups(), 0);
    let history = place.json(&format!("history {app}"));
    assert!(history["runs"].as_array().unwrap().iter().all(|run| run["state"] == "ended"));
}
