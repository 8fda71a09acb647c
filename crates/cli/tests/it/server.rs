//! Commands against a server print what they print over its store, byte for byte but for times of now.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::api_description::Serving;
use crate::command::{Ended, Place, command};
use crate::simulated::simulate;

/// A server, and a folder with neither a store nor a fleet file.
struct Both {
    here: Place,
    there: Place,
    server: Serving,
}

impl Both {
    fn start(apps: u32) -> (Self, crate::simulated::Simulate) {
        Self::start_with(apps, |_| ())
    }

    fn start_with(apps: u32, prepare: impl FnOnce(&Place)) -> (Self, crate::simulated::Simulate) {
        let (here, there) = (Place::new(), Place::new());
        let azure = simulate(&here, &format!("--apps {apps} --seed 7"));
        prepare(&here);
        assert_eq!(here.run("migrate").code, 0);
        let server = Serving::start(&here);
        // The process adds the apps a moment after it knows them.
        while here.json("status")["apps"].as_array().map(Vec::len) < usize::try_from(apps).ok() {}
        (Self { here, there, server }, azure)
    }

    fn there(&self, line: &str) -> Ended {
        let mut command = command(&self.there.path(""), line);
        command.env("HOLDFAST_SERVER", format!("http://{}", self.server.address));
        command.env("HOLDFAST_TOKEN", &self.server.token);
        Ended::from(command.output().unwrap())
    }

    fn json(&self, line: &str) -> Value {
        let ended = self.there(&format!("{line} --output json"));
        serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{line}: {}{}", ended.out, ended.err))
    }

    /// Runs a line over the store, by the server, and over the store: what the server says is one of the others.
    fn compare(&self, line: &str) {
        for line in [line.to_owned(), format!("{line} --output json")] {
            let (before, there) = (shown(&self.here.run(&line)), shown(&self.there(&line)));
            if there != before {
                assert_eq!(there, shown(&self.here.run(&line)), "{line}");
            }
            if there.1.is_empty() {
                // An error is the same text in both formats.
                return;
            }
        }
    }
}

/// The exit code and the texts, without spans and times of now.
fn shown(ended: &Ended) -> (i32, String, String) {
    (ended.code, timeless(&ended.out), timeless(&ended.err))
}

fn timeless(text: &str) -> String {
    let of_now =
        ["\"now\": ", "\"at\": ", "\"from\": ", "\"until\": ", "\"last_used_at\": ", "\"oldest_age_s\": "];
    let is_kept = |line: &&str| !of_now.iter().any(|key| line.trim_start().starts_with(key));
    let units = ["s", "ms", "min", "h", "d"];
    let words: Vec<&str> = text.lines().filter(is_kept).flat_map(str::split_whitespace).collect();
    let is_span = |at: usize| {
        let is_number = words[at].chars().all(|c| c.is_ascii_digit() || c == '.');
        is_number && words.get(at + 1).is_some_and(|unit| units.contains(&unit.trim_end_matches([',', ';'])))
    };
    let hidden = |(at, word): (usize, &&str)| if is_span(at) { "N".to_owned() } else { (*word).to_owned() };
    words.iter().enumerate().map(hidden).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_command_prints_the_same_over_the_store_and_by_a_server() {
    let (both, _azure) = Both::start(4);
    let app = both.here.json("status")["apps"][0]["name"].as_str().unwrap().to_owned();
    let done = both.here.json(&format!("backup {app} --wait"));
    assert_eq!(done[0]["outcome"], "succeeded", "{done}");
    let (run, number) = (done[0]["run_id"].as_str().unwrap(), done[0]["backup_id"].as_i64().unwrap());
    let held = both.here.run(&format!("hold add {app} --backup {number} --reason audit"));
    assert_eq!(held.code, 0, "{}", held.err);
    for line in [
        "status",
        "status --problems",
        "check",
        "check --open-metrics",
        "check --policy gold",
        "check shup",
        "plan --hours 48",
        "retention",
        "retention --policy gold",
        "retention --policy gild",
        "schedule preview --from 2027-03-27T00:00:00Z",
        "schedule preview --policy gold --count 5 --from 2027-03-27T00:00:00Z",
        "config show",
        "hold list",
        "sas check",
        "sas check nowhere",
        "apps discover",
        "tokens list",
        "dead-letters list",
        "dead-letters drop --all",
        "audit verify",
        "audit verify --since abc",
        "audit checkpoint",
    ] {
        both.compare(line);
    }
    for line in [
        format!("runs show {run}"),
        "runs show 019aa8c1-5f2e-7d31-8f7a-0c5d7f3b9a10".to_owned(),
        format!("history {app}"),
        format!("history {app} --kind restore"),
        "history shup".to_owned(),
        format!("check {app}"),
        format!("retention {app}"),
        format!("config show --effective {app}"),
        format!("hold list {app}"),
        format!("backups list {app}"),
        format!("backups list {app}x"),
        format!("backups show {app} {number}"),
        format!("restore {app} --latest --to-new restored-app --output json"),
        "restore --all --latest --to-app {app}-x --output json".to_owned(),
        "restore --all --latest --to-app same --yes".to_owned(),
        "restore --all --latest --in-place --backup 1".to_owned(),
        "drill --all --output json".to_owned(),
        "hold remove --match nothing --reason audit".to_owned(),
        format!("verify {app}"),
        "native-schedule show --all".to_owned(),
        "native-schedule drift --all".to_owned(),
        format!("backups show {app} 1"),
    ] {
        both.compare(&line);
    }
}

#[test]
fn what_is_refused_is_refused_with_the_same_words() {
    let (both, _azure) = Both::start(2);
    let app = both.here.json("status")["apps"][0]["name"].as_str().unwrap().to_owned();
    let done = both.json(&format!("backup {app} --wait"));
    let (run, number) = (done[0]["run_id"].as_str().unwrap(), done[0]["backup_id"].as_i64().unwrap());
    assert_eq!(both.there(&format!("hold add {app} --backup {number} --reason audit")).code, 0);
    for line in [
        format!("runs acknowledge {run} --note seen"),
        format!("runs cancel {run} --reason late --yes"),
        format!("hold add {app} --backup {number} --reason again"),
        format!("hold remove {app} --backup 7 --reason none"),
        format!("apps resume {app} --reason twice"),
        "apps pause --match nothing --for 8h --reason test --yes".to_owned(),
        format!("backups delete {app} {number}"),
        format!("restore {app} --latest"),
        format!("restore {app} --blob nothing.zip --to-new restored-app"),
        format!("backups adopt {app} {number}"),
        format!("backup {app} nobody"),
        format!("backup {app} --with-policy gild"),
        format!("native-schedule push {app} --yes"),
        format!("sas refresh {app} --backup 7"),
        "tokens revoke nobody".to_owned(),
        "tokens create --name a/b --role viewer".to_owned(),
    ] {
        both.compare(&line);
    }
}

#[test]
fn people_act_by_a_server_as_they_do_over_its_store() {
    let (both, _azure) = Both::start(2);
    let apps = both.here.json("status")["apps"].clone();
    let [app, policy] = ["name", "policy"].map(|key| apps[0][key].as_str().unwrap());
    let done = both.json(&format!("backup {app} --wait"));
    assert_eq!((&done[0]["outcome"], &done[0]["state"]), (&"succeeded".into(), &"ended".into()));
    let (run, number) = (done[0]["run_id"].as_str().unwrap(), done[0]["backup_id"].as_i64().unwrap());
    let who = both.here.run(&format!("runs show {run}")).out;
    assert!(who.contains("tester") && who.contains("api"), "{who}");
    for (line, said) in [
        (format!("hold add {app} --backup {number} --reason audit"), "is held"),
        (format!("apps pause {app} --for 8h --reason move"), "1 app paused"),
        (format!("apps resume {app} --reason moved"), "1 app scheduled again"),
        (format!("verify {app}"), "1 verified, 0 lost"),
        ("runs retry --all --yes".to_owned(), ""),
        (format!("sas refresh {app} --backup {number}"), "refresh SAS"),
        (format!("hold remove {app} --backup {number} --reason done"), "no longer held"),
        ("hold add --all --latest --reason audit --yes".to_owned(), "1 backup held"),
        ("hold remove --all --reason audited --yes".to_owned(), "1 backup no longer held"),
        (format!("policies pause {policy} --for 8h --reason move --yes"), "paused"),
        (format!("policies resume {policy} --reason moved --yes"), "scheduled again"),
        ("restore --all --latest --to-app {app}-x --yes --wait".to_owned(), "succeeded"),
        (format!("backups delete {app} {number} --allow-last --yes"), "delete"),
    ] {
        let ended = both.there(&line);
        assert!(ended.code == 0 && ended.out.contains(said), "{line}: {}{}", ended.out, ended.err);
    }
    let added = both.json("backup --match * --yes");
    assert!(!added.as_array().unwrap().is_empty(), "{added}");
}

#[test]
fn the_fleet_is_changed_by_a_server_as_over_its_store() {
    let (both, _azure) = Both::start(2);
    let fleet = std::fs::read_to_string(both.here.path("fleet.toml")).unwrap();
    let (head, rules) = fleet.split_once("[[discover]]").unwrap();
    let write = |name: &str, text: &str| {
        both.here.write(name, text);
        both.there.write(name, text);
    };
    let apps = fleet.replacen("[policy.gold]", "[policy.gold]\npartial_is_good = true", 1);
    write("new.toml", &format!("include = [\"more.toml\"]\n{apps}"));
    write("more.toml", "[limits]\nper_plan = 3\n");
    write("shrunk.toml", head);
    write("bad.toml", &format!("{head}[[discover]]\nsubscriptio = \"x\"{rules}"));
    for line in [
        "revisions list",
        "revisions show 1",
        "apply --file new.toml --dry-run",
        "apply --file new.toml",
        "apply --file shrunk.toml --yes",
        "apply --file bad.toml --yes",
        "apply --file none.toml --yes",
    ] {
        both.compare(line);
    }
    let made = both.json("apply --file new.toml --yes --reason release");
    assert_eq!(
        (&made["revision"]["number"], &made["revision"]["reason"]),
        (&1.into(), &"release".into()),
        "{made}"
    );
    assert_eq!(made["revision"]["actor_through"], "api", "{made}");
    let missing = fleet.replace("storage-key", "no-such-key");
    both.there.write("missing.toml", &missing);
    let refused = both.there("apply --file missing.toml --yes");
    assert!(
        refused.code == 1 && refused.err.contains("the server cannot use this fleet: `storage."),
        "{}",
        refused.err
    );
    assert_eq!(both.there("apply --file fleet.toml --yes").code, 2, "no such file there");
    write("fleet2.toml", &fleet);
    assert_eq!(both.json("apply --file fleet2.toml --yes")["revision"]["number"], 2);
    for line in [
        "revisions list",
        "revisions show 1",
        "revisions diff 1 2",
        "revisions diff 1 7",
        "revisions rollback 1 --dry-run",
        "revisions rollback 2 --yes",
        "revisions rollback 7 --yes",
        "apply --file fleet2.toml --yes",
    ] {
        both.compare(line);
    }
    let back = both.json("revisions rollback 1 --yes --reason mistake");
    assert_eq!(back["revision"]["rolled_back_to"], 1, "{back}");
    assert!(both.there("revisions show 3").out.contains("#:file more.toml\n[limits]\n"));
}

#[test]
fn a_second_person_confirms_by_a_server() {
    let place = |place: &Place| {
        let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
        place.write("fleet.toml", &format!("{fleet}\n[control]\nfour_eyes = [\"delete\"]\n"));
    };
    let (both, _azure) = Both::start_with(1, place);
    let app = both.here.json("status")["apps"][0]["name"].as_str().unwrap().to_owned();
    let done = both.json(&format!("backup {app} --wait"));
    let number = done[0]["backup_id"].as_i64().unwrap();
    assert_eq!(both.there("approvals list").out, "nothing waits for a second person\n");
    let asked = both.json(&format!("backups delete {app} {number} --allow-last --yes"));
    let id = asked["id"].as_str().unwrap();
    let list = both.there("approvals list").out;
    assert!(list.contains(id) && list.contains("pending") && list.contains("tester"), "{list}");
    let shown = both.there(&format!("approvals show {id}")).out;
    assert!(shown.contains(&format!("backup {number} of")), "{shown}");
    let own = both.there(&format!("approvals confirm {id}"));
    assert!(own.code != 0 && own.err.contains("second person"), "{}{}", own.out, own.err);
    let withdrawn = both.there(&format!("approvals withdraw {id} --reason mistake"));
    assert!(withdrawn.code == 0 && withdrawn.out.contains("is withdrawn."), "{}", withdrawn.err);
    assert_eq!(both.here.run("approvals list").code, 2, "a store proves nobody");
}

#[test]
fn the_audit_of_a_server_is_verified_signed_and_exported_from_elsewhere() {
    let place = |place: &Place| {
        let fleet = std::fs::read_to_string(place.path("fleet.toml")).unwrap();
        let audit =
            "checkpoint = { every = \"1h\", to = [\"file:checkpoints.jsonl\"], key = \"file:audit.pem\" }";
        place.write("fleet.toml", &format!("{fleet}\n[audit]\n{audit}\n"));
        let made = place.run("audit keygen --out audit.pem");
        place.write("audit.pub.pem", &made.out);
    };
    let (both, _azure) = Both::start_with(1, place);
    let key = both.here.path("audit.pub.pem").display().to_string();
    let checkpoint = both.json("audit checkpoint");
    assert_eq!(checkpoint["written"][0], "file:checkpoints.jsonl", "{checkpoint}");
    assert_eq!(both.json("audit verify")["holds"], true);
    for (line, said) in [
        ("audit export --to all.jsonl".to_owned(), "and their signatures to all.jsonl"),
        (format!("audit verify-export all.jsonl --public-key {key}"), "signed with the key"),
        ("audit verify --events all.jsonl".to_owned(), "the audit holds"),
        ("audit export --person tester --to mine.jsonl".to_owned(), "wrote 1 event and their signatures"),
        (format!("audit verify-export mine.jsonl --public-key {key}"), "acts=1&person=tester"),
    ] {
        let ended = both.there(&line);
        let all = format!("{}{}", ended.out, ended.err);
        assert!(ended.code == 0 && all.contains(said), "{line}: {all}");
    }
    let fleet = both.here.path("fleet.toml").display().to_string();
    let checked = both.there(&format!("config check --fleet {fleet}"));
    assert!(checked.code == 0 && checked.out.contains("is valid"), "{}{}", checked.out, checked.err);
    let mine = std::fs::read_to_string(both.there.path("mine.jsonl")).unwrap();
    both.there.write("mine.jsonl", &mine.replacen("tester", "mallory", 1));
    let changed = both.there(&format!("audit verify-export mine.jsonl --public-key {key}"));
    assert!(
        changed.code == 1 && changed.err.contains("line 1 of mine.jsonl: audit event "),
        "{}",
        changed.err
    );
}

#[test]
fn a_role_bounds_what_a_command_does_by_a_server() {
    let (both, _azure) = Both::start(1);
    let token = both.json("tokens create --name eye --role viewer")["token"].as_str().unwrap().to_owned();
    let seer = |line: &str| {
        let mut command = command(&both.there.path(""), line);
        command.env("HOLDFAST_SERVER", format!("http://{}", both.server.address));
        Ended::from(command.env("HOLDFAST_TOKEN", &token).output().unwrap())
    };
    assert_eq!(seer("status").code, 0);
    let refused = seer("backup --all --yes");
    assert!(refused.code == 1 && refused.err.contains("that needs the role operator"), "{}", refused.err);
    assert_eq!(both.json("tokens revoke eye")["name"], "eye");
    assert_eq!(seer("status").code, 1);
}

#[test]
fn a_login_is_kept_for_its_server_and_forgotten() {
    let (both, _azure) = Both::start(1);
    let url = format!("http://{}", both.server.address);
    let run = |line: &str, input: &str| {
        let mut command = command(&both.there.path(""), &format!("{line} --server {url}"));
        command.env("XDG_CONFIG_HOME", both.there.path("config")).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ended::from(child.wait_with_output().unwrap())
    };
    let stranger = run("status", "");
    assert!(stranger.code == 1 && stranger.err.contains("holdfast login --server"), "{}", stranger.err);
    let wrong = run("login", "hf_wrong\n");
    assert!(wrong.code == 1 && !wrong.err.contains("hf_wrong"), "{} {}", wrong.code, wrong.err);
    assert_eq!(run("login", "\n").code, 2);

    let done = run("login", &format!("{}\n", both.server.token));
    assert!(done.code == 0 && done.out.contains("as tester"), "{}{}", done.out, done.err);
    let me = run("whoami", "");
    for shown in ["tester", "admin", "token", "(in 89 d)", url.as_str()] {
        assert!(me.out.contains(shown), "{shown}: {}{}", me.out, me.err);
    }
    assert_eq!(run("status", "").code, 0);
    for (line, said) in [
        ("run", "this command carries out runs, and a server cannot do that"),
        ("migrate", "works on the store itself"),
        ("runs follow", "reads the audit of the store itself"),
    ] {
        let ended = run(line, "");
        assert!(ended.code == 2 && ended.err.contains(said), "{line}: {}", ended.err);
    }
    let kept = std::fs::read_to_string(both.there.path("config/holdfast/logins.json")).unwrap();
    assert!(kept.contains(&both.server.token));
    assert_eq!(run("logout", "").code, 0);
    let kept = std::fs::read_to_string(both.there.path("config/holdfast/logins.json")).unwrap();
    assert!(!kept.contains("hf_"), "{kept}");
    assert_eq!(run("status", "").code, 1);
    assert_eq!(both.there.run("whoami").code, 2);
    let away = both.there.run("status --server http://127.0.0.1:1");
    assert!(away.code == 3 && away.err.contains("does not answer"), "{}", away.err);
}
