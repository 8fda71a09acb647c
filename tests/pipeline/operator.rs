//! An operator who runs every command, including commands that must be refused.

use std::collections::BTreeMap;
use std::process::Output;
use std::time::Duration;

use holdfast_model::{AppId, BackupId, CatalogEntry, RunId, RunKind};
use holdfast_store::{CatalogFilter, Store as _};
use serde_json::Value;

use crate::kinds::{self, site_index};
use crate::pipeline_world::PipelineWorld;
use crate::wait::{eventually, last};

/// A first backup may take several attempts, because responses get lost and processes are killed.
const WAIT_FOR_BACKUPS: Duration = Duration::from_mins(2);
/// The number of tries of a command while Azure is busy or does not answer.
const TRIES: usize = 60;

/// An operator, and the runs that the commands announced.
pub(crate) struct Operator<'w> {
    pub world: &'w PipelineWorld,
    pub asked: BTreeMap<RunKind, Asked>,
    /// The name of the backup that another Holdfast created.
    pub theirs: String,
}

/// The requests of one kind.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The number of requests.
    pub attempted: usize,
    /// The runs that the commands announced.
    pub promised: Vec<RunId>,
}

impl<'w> Operator<'w> {
    pub(crate) fn new(world: &'w PipelineWorld) -> Self {
        Self { world, asked: BTreeMap::new(), theirs: String::new() }
    }

    fn app(&self, index: usize) -> String {
        self.world.simulated.app(index)
    }

    /// Waits until the catalog has `least` backups of an app. Returns them, the newest first.
    async fn wait_for_backups(&self, app: &str, least: usize) -> Vec<CatalogEntry> {
        let app: AppId = app.parse().unwrap();
        let filter = CatalogFilter { app: Some(app.clone()), ..CatalogFilter::default() };
        eventually(&format!("{least} backups of {app}"), WAIT_FOR_BACKUPS, async || {
            let backups = self.world.store.catalog(&filter).await.ok()?;
            (backups.len() >= least).then_some(backups)
        })
        .await
    }

    async fn oldest(&self, app: &str) -> BackupId {
        self.wait_for_backups(app, 1).await.last().unwrap().backup.id
    }

    /// Runs a command until `is_expected` accepts its exit code and output: Azure may be busy, throttle or not answer.
    async fn until(&self, line: &str, is_expected: impl Fn(i32, &str) -> bool) -> Output {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut printed = String::new();
        for _ in 0..TRIES {
            let output = self.world.run(&words).await;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            printed = format!("{}{}", text(&output.stdout), text(&output.stderr));
            assert!(!printed.contains("panicked"), "holdfast {line}: {printed}");
            // A cell of a table may span several lines.
            let in_one_line = printed.split_whitespace().collect::<Vec<_>>().join(" ");
            if is_expected(output.status.code().unwrap(), &in_one_line) {
                return output;
            }
            last(Duration::from_millis(300)).await;
        }
        panic!("holdfast {line}: {printed}")
    }

    /// Requests a run, and keeps the announced ids.
    pub(crate) async fn ask(&mut self, kind: RunKind, line: &str) {
        let answer = self.until(&format!("{line} --output json"), |code, _| code == 0).await;
        let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
        let asked = self.asked.entry(kind).or_default();
        let before = asked.promised.len();
        promised(&answer, &mut asked.promised);
        asked.attempted += (asked.promised.len() - before).max(1);
    }

    /// Runs a command that records an operator action and returns no run.
    async fn act(&mut self, line: &str) {
        self.until(line, |code, _| code == 0).await;
        self.asked.entry(RunKind::OperatorAction).or_default().attempted += 1;
    }

    async fn query(&self, line: &str, codes: &[i32]) {
        self.until(line, |code, _| codes.contains(&code)).await;
    }

    async fn refused(&self, line: &str, reason: &str) {
        self.until(line, |code, printed| code != 0 && printed.contains(reason)).await;
    }

    /// Requests a backup of every app that is in a policy.
    pub(crate) async fn back_up_all(&mut self) {
        let apps: Vec<String> =
            (site_index::SHOP..self.world.simulated.apps()).map(|index| self.app(index)).collect();
        self.ask(RunKind::Backup, &format!("backup {}", apps.join(" "))).await;
    }

    /// Waits until each app of a policy has `least` backups.
    pub(crate) async fn all_have(&self, least: usize) {
        for index in site_index::SHOP..self.world.simulated.apps() {
            self.wait_for_backups(&self.app(index), least).await;
        }
    }

    /// Runs every command once.
    pub(crate) async fn all_commands(&mut self) {
        self.about_backups().await;
        self.about_schedules().await;
        self.restores().await;
        tokio::join!(self.refusals(), self.queries());
        let app = self.app(site_index::OTHERS);
        self.ask(RunKind::Backup, &format!("backup {app} --with-policy weak")).await;
    }

    async fn about_backups(&mut self) {
        let [held, freed, deleted, refreshed, adopted] =
            [0, 1, 2, 3, 4].map(|n| self.app(site_index::OTHERS + n));
        let id = self.oldest(&held).await;
        self.act(&format!("hold add {held} --backup {id} --reason audit")).await;
        self.wait_for_backups(&held, 2).await;
        self.refused(&format!("backups delete {held} {id} --yes"), "is held: audit").await;
        let id = self.oldest(&freed).await;
        self.act(&format!("hold add {freed} --backup {id} --reason doubt")).await;
        self.act(&format!("hold remove {freed} --backup {id} --reason settled")).await;
        // Retention keeps the newest two, so it does not delete this one first.
        let id = self.wait_for_backups(&deleted, 2).await[1].backup.id;
        self.ask(RunKind::Delete, &format!("backups delete {deleted} {id} --yes")).await;
        self.ask(RunKind::RefreshSas, &format!("sas refresh {refreshed} --all")).await;
        self.reveal(&refreshed).await;
        self.adopt(&adopted).await;
    }

    /// Reveals a backup's URL. Its secret may appear once, on stdout, and nowhere else.
    async fn reveal(&mut self, app: &str) {
        let id = self.wait_for_backups(app, 1).await[0].backup.id.to_string();
        for _ in 0..TRIES {
            let shown = self.world.run_unrecorded(&["backups", "show", app, &id, "--reveal"]).await;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            self.world.record_output("stderr of --reveal".to_owned(), text(&shown.stderr));
            if !shown.status.success() {
                self.world.record_output("stdout of --reveal that failed".to_owned(), text(&shown.stdout));
                continue;
            }
            let mut lines: Vec<String> = text(&shown.stdout).lines().map(str::to_owned).collect();
            lines.retain(|line| !line.contains("sig="));
            assert_eq!(text(&shown.stdout).matches("sig=").count(), 1, "it is shown once");
            self.world.record_output("the rest of --reveal".to_owned(), lines.join("\n"));
            self.asked.entry(RunKind::OperatorAction).or_default().attempted += 1;
            return;
        }
        panic!("no URL was revealed");
    }

    /// Creates a backup with a separate embedded Holdfast, and adopts it.
    async fn adopt(&mut self, app: &str) {
        let line = format!("backup {app} --wait --output json --store other.sqlite");
        let theirs = self.world.run_embedded(&line.split_whitespace().collect::<Vec<_>>()).await;
        let done: Value = serde_json::from_slice(&theirs.stdout).unwrap();
        assert_eq!(done[0]["outcome"], "succeeded", "{done}");
        done[0]["blob"].as_str().unwrap().trim_end_matches(".zip").clone_into(&mut self.theirs);
        self.act(&format!("backups adopt {app} {}", done[0]["backup_id"])).await;
    }

    async fn about_schedules(&mut self) {
        let [pushed, removed] = [5, 6].map(|n| self.app(site_index::OTHERS + n));
        for app in [&pushed, &removed] {
            self.ask(RunKind::PushSchedule, &format!("native-schedule push {app} --yes --wait")).await;
            self.query(&format!("native-schedule show {app}"), &[0]).await;
        }
        self.query(&format!("native-schedule drift {pushed}"), &[0]).await;
        self.ask(RunKind::PushSchedule, &format!("native-schedule remove {removed} --yes")).await;
        self.refused(
            &format!("native-schedule push {} --yes", self.app(site_index::HARSH)),
            "has no `native_schedule`",
        )
        .await;
    }

    async fn restores(&mut self) {
        let n = |n: usize| self.app(site_index::OTHERS + n);
        let (itself, moment, blob, other) = (n(0), n(1), n(2), n(3));
        let with_slot = kinds::with_slot(self.world.simulated.fleet()).to_string();
        let now = self.world.store.now().await.unwrap().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let name = self.wait_for_backups(&blob, 1).await[0].backup.blob.clone();
        let (scratch, url) = (self.app(site_index::SCRATCH), self.world.simulated.url());
        let probe = format!("{url}/_site/{}", scratch.rsplit('/').next().unwrap());
        for line in [
            format!("restore {itself} --latest --overwrite --yes"),
            format!("restore {moment} --at {now} --to {other} --overwrite --yes"),
            format!("restore {blob} --blob {name} --overwrite --yes"),
            format!("restore {with_slot} --latest --to-slot staging --overwrite --yes"),
            format!("restore {itself} --latest --to-new fresh --yes"),
            format!("restore {} --latest --overwrite --yes", self.app(site_index::SHOP)),
            format!("restore {} --latest --overwrite --ignore-databases --yes", self.app(site_index::MAIL)),
        ] {
            self.ask(RunKind::Restore, &line).await;
        }
        let line = format!("drill {other} --into {scratch} --probe {probe} --yes");
        self.ask(RunKind::Drill, &line).await;
    }

    async fn refusals(&self) {
        let app = self.app(site_index::OTHERS);
        let (free, scratch) = (self.app(site_index::FREE), self.app(site_index::SCRATCH));
        let harsh = self.app(site_index::HARSH);
        kinds::put_refused(self.world.folder());
        for (line, reason) in [
            (format!("restore {app} --backup 7 --overwrite --yes"), "has no backup 7"),
            (format!("restore {app} --latest --yes"), "exists, and a restore replaces everything in it"),
            (format!("restore {app} --latest --to {app} --overwrite --yes"), "would be restored into itself"),
            (format!("restore {app} --latest --overwrite --databases x --yes"), "holds no database `x`"),
            (format!("restore {app} --latest --to {free} --overwrite --yes"), "Free"),
            (format!("backup {free} --with-policy gold"), "is in the tier Free, which has no backups"),
            (
                format!("restore {app} --latest --overwrite --storage weak --yes"),
                "lacks write and delete permission",
            ),
            (format!("drill {app} --into {harsh} --yes"), "so it is no scratch app"),
            (format!("drill {app} --into {scratch} --probe http://example.com/ --yes"), "plain http"),
            (format!("backups show {app} 7 --reveal"), "neither Azure nor the catalog has a backup 7"),
            (format!("hold add {app} --backup 7 --reason x"), "is not in the catalog"),
            ("sas check".to_owned(), "lacks write and delete permission"),
            ("doctor".to_owned(), "lacks write and delete permission"),
            ("config check --fleet refused.toml".to_owned(), "keeps nothing"),
            ("config check --fleet refused.toml".to_owned(), "expired at 2020-01-02"),
            (format!("restore {app} --latest --overwrite --yes --fleet refused.toml"), "keeps nothing"),
            (
                format!("restore {app} --latest --overwrite --storage weak --yes --fleet expired.toml"),
                "expired at 2020-01-02",
            ),
            ("restore nobody --latest".to_owned(), "nobody"),
        ] {
            self.refused(&line, reason).await;
        }
        self.last_good_one().await;
    }

    /// Checks that a deletion of the last good backup is refused. Retries, because a newer one may succeed meanwhile.
    async fn last_good_one(&self) {
        let app = self.app(site_index::HARSH);
        for _ in 0..TRIES {
            let backups = self.wait_for_backups(&app, 1).await;
            let newest =
                backups.iter().filter(|entry| entry.good).max_by_key(|entry| entry.backup.accepted_at);
            let Some(newest) = newest else { continue };
            let output =
                self.world.run(&["backups", "delete", &app, &newest.backup.id.to_string(), "--yes"]).await;
            if String::from_utf8_lossy(&output.stderr).contains("is the only good one left") {
                return;
            }
        }
        panic!("the deletion of the last good backup of {app} was never refused");
    }

    async fn queries(&self) {
        let app = self.app(site_index::OTHERS);
        let id = self.wait_for_backups(&app, 1).await[0].backup.id;
        for (line, codes) in [
            (format!("backups list {app} --removed"), &[0][..]),
            (format!("backups show {app} {id}"), &[0]),
            ("hold list".to_owned(), &[0]),
            ("sas check sim".to_owned(), &[0]),
            (format!("verify {app}"), &[0, 1]),
            ("retention".to_owned(), &[0]),
            (format!("doctor {app}"), &[0, 1]),
            ("native-schedule drift --all".to_owned(), &[0, 1]),
            ("status".to_owned(), &[0, 1]),
            (format!("history {app}"), &[0]),
            // The SAS of the storage `weak` may not write.
            ("config check".to_owned(), &[2]),
            ("apps discover".to_owned(), &[0]),
            ("audit verify".to_owned(), &[0]),
            ("dead-letters list".to_owned(), &[0]),
        ] {
            self.query(&line, codes).await;
        }
    }
}

/// Collects the run ids from a JSON answer, at any depth.
fn promised(answer: &Value, found: &mut Vec<RunId>) {
    match answer {
        Value::Array(values) => values.iter().for_each(|value| promised(value, found)),
        Value::Object(fields) => {
            let id = fields.get("run_id").or_else(|| fields.get("id")).and_then(Value::as_str);
            found.extend(id.and_then(|id| id.parse::<RunId>().ok()));
            fields.values().for_each(|value| promised(value, found));
        }
        _ => {}
    }
}
