//! The port of a process: it cannot be used to stop backups, and is not opened by mistake.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::command::{Place, command};
use crate::simulated::simulate;

/// Half-open connections that the test makes: more than the process below may have files.
const HALF_OPEN: usize = 2_000;
/// The limit of open files of the process, as a service manager sets it.
const FILES: usize = 1_024;

/// `holdfast run` with few file descriptors, ended with its guard.
pub struct Running(Child, pub SocketAddr);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Starts it in a shell that limits its files, and waits until it listens.
    pub fn start(place: &Place, options: &str) -> Self {
        let line = format!("run --listen 127.0.0.1:0 --log-format json {options}");
        let plain = command(&place.path(""), &line);
        let words = plain.get_args().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let program = plain.get_program().to_string_lossy();
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("ulimit -Sn 256; ulimit -Hn {FILES}; exec {program} {words}")]);
        shell
            .current_dir(place.path(""))
            .env_remove("HOLDFAST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut child = shell.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let address =
            lines.find_map(|line| line.split("\"address\":\"").nth(1)?.split('"').next()?.parse().ok());
        // The rest is read, so that the process never waits for this test.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child, address.unwrap())
    }

    fn process_file(&self, name: &str) -> std::path::PathBuf {
        format!("/proc/{}/{name}", self.0.id()).into()
    }
}

/// Raises this process's soft limit of open files.
fn raise_own_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

fn half_open(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    // The process may have closed it for a newer one already.
    let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow");
    stream
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn half_open_connections_delay_no_backup() {
    raise_own_limit();
    let place = Place::new();
    let _azure = simulate(&place, "--apps 3 --seed 7");
    let running = Running::start(&place, "");
    let app = place.json("apps discover")["apps"][0]["name"].as_str().unwrap().to_owned();
    let limits = std::fs::read_to_string(running.process_file("limits")).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().nth(3), Some("1024"), "the soft limit was raised: {files}");
    let held: Vec<TcpStream> = (0..HALF_OPEN).map(|_| half_open(running.1)).collect();
    let open = std::fs::read_dir(running.process_file("fd")).unwrap().count();
    assert!(open < 256, "{open} files are open");
    let done = place.json(&format!("backup {app} --wait"));
    assert_eq!(done[0]["outcome"], "succeeded", "{done}");
    assert!(get(running.1, "/healthz").ends_with("ok\n"));
    assert!(get(running.1, "/metrics").starts_with("HTTP/1.1 200 "));
    drop(held);
}

#[test]
fn an_address_that_others_reach_needs_a_word() {
    let place = Place::new();
    let _azure = simulate(&place, "--apps 1 --seed 7");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let ended = place.run(&format!("run --listen {address} --log error"));
        assert_eq!(ended.code, 2, "{}", ended.err);
        assert!(ended.err.contains("is not an address of this machine alone"), "{}", ended.err);
        assert!(ended.err.contains("--allow-remote"), "{}", ended.err);
    }
}
