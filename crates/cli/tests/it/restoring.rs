//! Restores and drills against a simulated Azure over HTTP.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::Value;

use crate::command::Place;
use crate::listener::Running;
use crate::simulated::{Simulate, simulate};

/// A simulated Azure in which the first app has a good backup.
struct Ground {
    place: Place,
    _azure: Simulate,
    /// The ARM ids of the apps.
    apps: Vec<String>,
}

impl Ground {
    fn new() -> Self {
        let place = Place::new();
        let azure = simulate(&place, "--apps 4 --seed 7");
        let found = place.json("apps discover");
        let apps: Vec<String> = found["apps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|app| app["app"].as_str().unwrap().to_owned())
            .collect();
        let ended = place.run(&format!("backup {} --wait", apps[0]));
        assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
        Self { place, _azure: azure, apps }
    }

    /// A fleet file in which no rule takes these apps in.
    fn leave_out(&self, apps: &[&str]) {
        let fleet = std::fs::read_to_string(self.place.path("fleet.toml")).unwrap();
        let excluded = apps.iter().map(|app| format!("\"{app}\"")).collect::<Vec<_>>().join(", ");
        let rule = format!("[[discover]]\nexclude = [{excluded}]\n");
        self.place.write("fleet.toml", &fleet.replace("[[discover]]\n", &rule));
    }

    fn told(&self, line: &str, code: i32) -> String {
        let ended = self.place.run(line);
        assert_eq!(ended.code, code, "holdfast {line}\n{}{}", ended.out, ended.err);
        format!("{}{}", ended.out, ended.err)
    }
}

fn short(app: &str) -> &str {
    app.rsplit('/').next().unwrap()
}

#[test]
fn a_restore_and_a_deletion_wait_for_a_second_person_who_logs_in_and_confirms_them() {
    let ground = Ground::new();
    let app = &ground.apps[0];
    let fleet = std::fs::read_to_string(ground.place.path("fleet.toml")).unwrap();
    ground.place.write("fleet.toml", &format!("{fleet}\n[control]\nfour_eyes = [\"restore\", \"delete\"]\n"));
    let restore = format!("restore {app} --latest --overwrite --yes --actor ann");
    let text = ground.told(&restore, 0);
    let asked = "nothing is done yet: a second person must confirm the restore over ";
    assert!(text.contains(asked) && text.contains("at /approvals/") && text.contains(", by 20"), "{text}");
    let again = ground.place.json(&restore);
    assert_eq!((&again["state"], &again["asked_by"]["actor"]), (&"pending".into(), &"ann".into()));
    assert!(text.contains(again["page"].as_str().unwrap()), "the same request waits");
    let backup = ground.place.json(&format!("backups list {app}"))["backups"][0]["backup_id"].clone();
    let text = ground.told(&format!("backups delete {app} {backup} --allow-last --yes"), 0);
    assert!(text.contains("must confirm the deletion of backups of"), "{text}");
    let kinds = || {
        let runs = ground.place.json(&format!("history {app}"))["runs"].clone();
        let kinds = runs.as_array().unwrap().iter().map(|run| run["kind"].as_str().unwrap().to_owned());
        kinds.filter(|kind| ["restore", "delete"].contains(&kind.as_str())).collect::<Vec<_>>()
    };
    assert_eq!(kinds(), [""; 0]);

    let [ann, bob] = ["ann", "bob"].map(|name| {
        let line = format!("tokens create --name {name} --role admin --actor root");
        ground.place.run(&line).out.trim().to_owned()
    });
    let running = Running::start(&ground.place, "--require-login");
    let delete = text.split_once("at ").and_then(|(_, rest)| rest.split_once(", by ")).unwrap().0;
    let restore = again["page"].as_str().unwrap();
    let confirm = |page: &str, token: &str| {
        let mut stream = TcpStream::connect(running.1).unwrap();
        let request = format!(
            "POST /api/v1{page}/confirm HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}",
            running.1
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let own = confirm(restore, &ann);
    assert!(own.starts_with("HTTP/1.1 422") && own.contains("ann asked for it"), "{own}");
    for page in [restore, delete] {
        let confirmed = confirm(page, &bob);
        assert!(confirmed.starts_with("HTTP/1.1 200"), "{page}: {confirmed}");
    }
    let mut started = kinds();
    started.sort();
    assert_eq!(started, ["delete", "restore"]);
}

#[test]
fn an_app_is_restored_after_the_plan_was_shown_and_confirmed() {
    let ground = Ground::new();
    let app = &ground.apps[0];
    let line = format!("restore {app} --latest --overwrite");

    // A program that says neither yes nor no sees the plan, and nothing is done.
    let planned = ground.place.json(&line);
    assert_eq!(planned["run"], Value::Null);
    let plan = &planned["plan"];
    assert_eq!((&plan["kind"], &plan["blobs"]), (&"restore".into(), &"present".into()));
    assert_eq!((&plan["target"]["exists"], &plan["target"]["is_stopped"]), (&true.into(), &true.into()));
    assert_eq!(plan["never_restored"].as_array().unwrap().len(), 10);
    let text = ground.told(&line, 2);
    assert!(text.contains("everything in it is replaced") && text.contains("is stopped"), "{text}");
    assert!(text.contains("this is not a terminal") && text.contains("give --yes"));
    let restores = |place: &Place| {
        let runs = place.json(&format!("history {app}"))["runs"].clone();
        runs.as_array().unwrap().iter().filter(|run| run["kind"] == "restore").count()
    };
    assert_eq!(restores(&ground.place), 0);

    let text = ground.told(&format!("{line} --yes --wait"), 0);
    assert!(text.contains("Azure is at work, operation ") && text.contains("succeeded"), "{text}");
    assert_eq!(restores(&ground.place), 1);
    assert!(!text.contains("sig="));
    let done = ground.place.json(&format!("{line} --yes --wait --actor olga"));
    assert_eq!(done["run"]["outcome"], "succeeded", "{done}");
    let shown = ground.place.json(&format!("runs show {}", done["run"]["id"].as_str().unwrap()));
    assert_eq!(shown["events"][0]["actor"], "olga", "{shown}");
}

#[test]
fn what_would_not_go_well_is_refused_before_anything_is_written() {
    let ground = Ground::new();
    let [app, other] = [&ground.apps[0], &ground.apps[1]];
    let name = short(app);
    let slot = format!("{name}/nowhere");
    for (options, code, reason) in [
        ("--latest", 2, "exists, and a restore replaces everything in it"),
        (&format!("--latest --to {other}"), 2, "give --overwrite to replace it"),
        (&format!("--latest --to {app} --overwrite"), 2, "would be restored into itself"),
        ("--backup 7 --overwrite", 2, "has no backup 7\nhelp: the newest that are there: "),
        ("--at 2001-01-01T00:00:00Z --overwrite", 2, "is from before 2001-01-01T00:00:00"),
        ("--latest --overwrite --databases orders", 2, "the backup holds no database `orders`"),
        ("--latest --to-slot nowhere --overwrite", 2, &format!("Azure has no app {slot}")),
        (&format!("--latest --to-new {name}"), 2, "exists already"),
        ("--latest --to-new -x-", 2, "cannot be the name of an app"),
        ("--latest --to-new fresh --plan p", 2, "is not the ARM id of an App Service plan"),
        ("--latest --overwrite --storage simulate", 2, "did you mean `simulated`?"),
        ("--blob nothing.zip --overwrite", 2, "no blob nothing.zip in storage `simulated`\nhelp: "),
    ] {
        let options = options.replace("--to-new -x-", "--to-new=-x-");
        let text = ground.told(&format!("restore {app} {options} --yes"), code);
        assert!(text.contains(reason), "{options}: {text}");
    }
    let runs = ground.place.json(&format!("history {app}"))["runs"].clone();
    assert_eq!(runs.as_array().unwrap().len(), 1, "only the backup: {runs}");
}

#[test]
fn an_unusable_sas_stops_no_app() {
    let ground = Ground::new();
    let fleet = std::fs::read_to_string(ground.place.path("fleet.toml")).unwrap();
    let container =
        fleet.lines().find_map(|line| line.strip_prefix("container = ")).unwrap().trim_matches('"');
    let url = format!(
        "{container}?sv=2022-11-02&sr=c&sp=rl&se=2999-01-01T00:00:00Z&sig=aGVsbG8hIGhlbGxvISBoZWxsbyEgaGVsbG8hIGhlbG8%3D"
    );
    ground.place.write("sas", &url);
    let line = fleet.lines().find(|line| line.starts_with("sas = ")).unwrap();
    let sas = ground.place.path("sas");
    ground
        .place
        .write("fleet.toml", &fleet.replace(line, &format!("sas = {{ url = \"file:{}\" }}", sas.display())));
    let text = ground.told(&format!("restore {} --latest --overwrite --yes", ground.apps[0]), 1);
    assert!(text.contains("is not usable: it lacks write and delete permission"), "{text}");
    assert!(!text.contains("aGVsbG8"), "{text}");
    for line in ["sas check", "doctor"] {
        let text = ground.told(line, 1).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("lacks write and delete permission") && !text.contains("aGVsbG8"), "{text}");
    }
}

#[test]
fn storage_that_only_azure_reaches_hinders_no_restore() {
    let ground = Ground::new();
    let fleet = std::fs::read_to_string(ground.place.path("fleet.toml")).unwrap();
    let container = fleet.lines().find(|line| line.starts_with("container = ")).unwrap();
    let fleet = fleet.replace(container, "container = \"http://127.0.0.1:1/acct/backups\"");
    ground.place.write("fleet.toml", &fleet);
    let line = format!("restore {} --latest --overwrite", ground.apps[0]);
    let text = ground.told(&line, 1);
    assert!(text.contains("a test write failed"), "{text}");

    let deadline = fleet.lines().find(|line| line.starts_with("deadline")).unwrap();
    ground.place.write("fleet.toml", &fleet.replace(deadline, &format!("{deadline}\nverify = false")));
    let planned = ground.place.json(&line);
    assert_eq!(planned["plan"]["blobs"], "not_checked", "{planned}");
}

#[test]
fn a_backup_goes_into_another_app_or_a_new_one_too() {
    let ground = Ground::new();
    let [app, other] = [&ground.apps[0], &ground.apps[1]];
    let done = ground.place.json(&format!("restore {app} --latest --to {other} --overwrite --yes --wait"));
    assert_eq!((&done["run"]["outcome"], &done["run"]["app"]), (&"succeeded".into(), &other.as_str().into()));

    let done = ground.place.json(&format!("restore {app} --latest --to-new fresh --yes --wait"));
    assert_eq!(done["run"]["outcome"], "succeeded", "{done}");
    assert_eq!((&done["plan"]["target"]["exists"], &done["run"]["name"]), (&false.into(), &"fresh".into()));

    // Another store knows nothing: what Azure lists, and the blob, will do.
    let (id, blob) = (&done["plan"]["backup"]["id"], done["plan"]["backup"]["blob"].as_str().unwrap());
    let text = ground.told(&format!("restore {app} --latest --overwrite --yes --store empty.sqlite"), 2);
    assert!(text.contains("none is known here"), "{text}");
    let line = format!("restore {app} --backup {id} --overwrite --store empty.sqlite");
    let planned = ground.place.json(&line);
    assert_eq!(planned["plan"]["backup"]["good"], Value::Null);
    assert!(
        planned["plan"]["warnings"][0].as_str().unwrap().contains("nothing of this backup but what Azure")
    );
    // The facts come from the catalog entry of the blob, although the request names the blob.
    let told = ground.place.json(&format!("restore {app} --blob {blob} --overwrite"));
    let backup = &told["plan"]["backup"];
    assert_eq!(
        (&backup["good"], &backup["id"], backup["taken_at"].is_string()),
        (&true.into(), &Value::Null, true)
    );
    assert!(!told["plan"]["warnings"].to_string().contains("knows nothing of this backup"), "{told}");
    let line = format!("restore {app} --blob {blob} --overwrite --yes --wait --store empty.sqlite");
    let done = ground.place.json(&line);
    assert_eq!((&done["run"]["outcome"], &done["plan"]["backup"]["id"]), (&"succeeded".into(), &Value::Null));
}

#[test]
fn a_drill_goes_into_a_scratch_app_and_never_into_one_that_a_policy_backs_up() {
    let ground = Ground::new();
    let [app, scratch] = [&ground.apps[0], &ground.apps[1]];
    for (options, reason) in [
        (String::new(), "no scratch app is named"),
        (format!("--into {app}"), "would be restored into itself"),
        (format!("--into {scratch}"), "so it is no scratch app"),
        (format!("--into {}", short(scratch)), "so it is no scratch app"),
    ] {
        let text = ground.told(&format!("drill {app} {options} --yes"), 2);
        assert!(text.contains(reason), "{text}");
    }
    ground.leave_out(&[short(scratch)]);
    let text = ground.told(&format!("drill {app} --into {scratch} --probe http://example.com/ --yes"), 2);
    assert!(text.contains("plain http is for this machine alone"), "{text}");
    let probe = answering();
    let text = ground.told(&format!("drill {app} --into {scratch} --probe {probe} --yes --wait"), 0);
    assert!(text.contains("probe ") && text.contains("succeeded"), "{text}");
    let done = ground.place.json(&format!("drill {app} --into {scratch} --yes --wait"));
    assert_eq!((&done["plan"]["kind"], &done["run"]["kind"]), (&"drill".into(), &"drill".into()));
    assert_eq!(
        (&done["run"]["outcome"], &done["run"]["app"]),
        (&"succeeded".into(), &scratch.as_str().into())
    );
}

/// The address of something that answers everybody, for as long as the test runs.
fn answering() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map(Result::unwrap) {
            let mut asked = [0; 4_096];
            let _ = stream.read(&mut asked);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    format!("http://{address}/")
}
