//! Processes over one store in memory, each pass by hand.

use std::fmt::Write as _;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use holdfast_control::revisions::{propose, propose_rollback};
use holdfast_model::{ManualClock, Timestamp};
use holdfast_store::MemoryStore;

use super::*;

/// The store, and a folder with the fleet file and the secret of its storage.
struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    seeds: AtomicU64,
}

/// A process, and the apps of the fleet that it works by.
struct Process {
    take_up: TakeUp,
    works_by: Arc<Mutex<Vec<usize>>>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH + Duration::from_hours(1)));
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
            store: Arc::new(MemoryStore::new(Arc::clone(&clock) as _)),
            clock,
            seeds: AtomicU64::new(1),
        };
        fs::write(world.path("sas"), "?sv=1").unwrap();
        fs::write(world.path("fleet.toml"), world.text("sas", 1)).unwrap();
        world
    }

    fn rng(&self) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seeds.fetch_add(1, Ordering::SeqCst))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A fleet with this many apps, whose storage has its SAS in a file.
    fn text(&self, secret: &str, apps: usize) -> String {
        let mut text = format!(
            "[azure]\ncredential = {{ kind = \"azure_cli\" }}\n\n[storage.weu]\n\
             container = \"https://acct.blob.core.windows.net/backups\"\nsas = {{ url = \"file:{}\" }}\n\n\
             [policy.gold]\nschedule = \"0 2 * * *\"\nstorage = \"weu\"\n",
            self.path(secret).display()
        );
        let site = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites";
        for app in 0..apps {
            writeln!(text, "\n[[app]]\nid = \"{site}/app-{app}\"\npolicy = \"gold\"").unwrap();
        }
        text
    }

    fn process(&self, role: Role, watch: bool) -> Process {
        let file = self.path("fleet.toml");
        let checked = holdfast_config::check(&file, Secrets::Read, self.clock.now()).unwrap();
        let works_by = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&works_by);
        let follower: Follower = Box::new(move |fleet| {
            let (apps, seen) = (fleet.apps.len(), Arc::clone(&seen));
            Ok(Box::new(move || seen.lock().unwrap().push(apps)))
        });
        let take_up = TakeUp::new(TakeUpParts {
            store: Arc::clone(&self.store) as _,
            clock: Arc::clone(&self.clock) as _,
            role,
            person: "ann".into(),
            file,
            watch,
            in_force: InForce::of_file(checked.fleet.unwrap()),
            concurrency: None,
            followers: vec![follower],
            notifier: NotifierHealth::default(),
            rng: self.rng(),
        });
        Process { take_up, works_by }
    }

    /// Applies a text as a person does.
    async fn apply(&self, text: String) -> u64 {
        let text = FleetText { name: "new.toml".into(), text };
        let proposal = propose(&*self.store, None, text).await.unwrap();
        let order = Order { actor: "ann".into(), reason: String::new(), allowed_removals: 9 };
        proposal.append(&*self.store, &order, &mut self.rng()).await.unwrap().number
    }

    async fn newest(&self) -> u64 {
        self.store.newest_revision().await.unwrap()
    }
}

impl Process {
    async fn pass(&mut self) {
        self.take_up.pass(false).await.unwrap();
    }

    fn works_by(&self) -> Vec<usize> {
        self.works_by.lock().unwrap().clone()
    }

    fn revision(&self) -> Option<u64> {
        self.take_up.process.revision
    }

    fn note(&self) -> &str {
        self.take_up.process.file_note.as_deref().unwrap_or_default()
    }
}

#[tokio::test]
async fn every_process_takes_up_a_revision_once_and_says_so() {
    let world = World::new();
    let mut processes = [world.process(Role::Scheduler, false), world.process(Role::Worker, false)];
    for process in &mut processes {
        process.pass().await;
        assert_eq!((process.works_by(), process.revision()), (vec![], None));
    }
    world.apply(world.text("sas", 2)).await;
    for process in &mut processes {
        process.pass().await;
        process.pass().await;
        assert_eq!((process.works_by(), process.revision()), (vec![2], Some(1)));
        assert!(process.note().contains("differs from revision 1"), "{}", process.note());
    }
    let known = world.store.processes().await.unwrap();
    assert_eq!(known.iter().map(|process| process.revision).collect::<Vec<_>>(), [Some(1), Some(1)]);
}

#[tokio::test]
async fn a_file_that_is_older_than_the_revisions_is_logged_once_and_stays_in_the_status() {
    let world = World::new();
    let mut process = world.process(Role::All, false);
    let told = |process: &Process| process.take_up.told_of.clone();
    process.pass().await;
    assert_eq!(told(&process), None);
    world.apply(world.text("sas", 2)).await;
    process.pass().await;
    let first = told(&process);
    world.apply(world.text("sas", 3)).await;
    process.pass().await;
    assert!(first.is_some() && told(&process) == first);
    assert!(
        process.note().contains("differs from revision 2")
            && process.note().contains("`holdfast revisions show 2`")
    );
    fs::write(world.path("fleet.toml"), world.text("sas", 4)).unwrap();
    process.pass().await;
    assert!(told(&process) != first, "another content is told again");
    fs::write(world.path("fleet.toml"), world.text("sas", 3)).unwrap();
    process.pass().await;
    assert_eq!(process.note(), "");
}

#[tokio::test]
async fn a_process_that_cannot_read_a_secret_keeps_the_old_fleet_until_it_can() {
    let world = World::new();
    let mut process = world.process(Role::All, false);
    world.apply(world.text("sas", 2)).await;
    process.pass().await;
    world.apply(world.text("not-there", 3)).await;
    process.pass().await;
    assert_eq!((process.works_by(), process.revision()), (vec![2], Some(1)));
    let known = world.store.processes().await.unwrap();
    let error = known[0].revision_error.as_deref().unwrap();
    assert!(error.contains("revision 2") && error.contains("storage.weu.sas.url"), "{error}");
    fs::write(world.path("not-there"), "?sv=1").unwrap();
    process.pass().await;
    assert_eq!(process.revision(), Some(1), "it is tried again after a while");
    world.clock.advance(TRY_AGAIN);
    process.pass().await;
    assert_eq!((process.works_by(), process.revision()), (vec![2, 3], Some(2)));
    assert_eq!(world.store.processes().await.unwrap()[0].revision_error, None);
}

#[tokio::test]
async fn where_one_part_cannot_follow_none_does() {
    let world = World::new();
    let mut process = world.process(Role::All, false);
    process.take_up.followers.push(Box::new(|_| anyhow::bail!("no token")));
    world.apply(world.text("sas", 2)).await;
    process.pass().await;
    assert_eq!((process.works_by(), process.revision()), (vec![], None));
    assert_eq!(process.take_up.process.revision_error.as_deref(), Some("no token"));
}

#[tokio::test]
async fn a_rollback_is_taken_up_as_any_revision() {
    let world = World::new();
    let mut process = world.process(Role::All, false);
    for apps in [1, 3] {
        world.apply(world.text("sas", apps)).await;
        process.pass().await;
    }
    let back = propose_rollback(&*world.store, 1).await.unwrap();
    let order = Order { actor: "ann".into(), reason: String::new(), allowed_removals: 2 };
    back.append(&*world.store, &order, &mut world.rng()).await.unwrap();
    process.pass().await;
    assert_eq!((process.works_by(), process.revision()), (vec![1, 3, 1], Some(3)));
    assert_eq!(process.note(), "", "the file is what revision 3 says");
}

#[tokio::test]
async fn a_watched_file_becomes_a_revision_when_it_is_written_and_is_refused_when_it_shrinks() {
    let world = World::new();
    let mut process = world.process(Role::All, true);
    process.pass().await;
    assert_eq!(world.newest().await, 0, "the file that was there at the start is in force");
    fs::write(world.path("fleet.toml"), world.text("sas", 2)).unwrap();
    process.pass().await;
    assert_eq!(world.newest().await, 0, "it may not be whole yet");
    process.pass().await;
    assert_eq!((world.newest().await, process.works_by()), (1, vec![2]));
    for (text, refusal) in [
        (world.text("sas", 0), "2 apps would leave the fleet or its policy"),
        ("[azure".to_owned(), "its fleet file was refused"),
    ] {
        fs::write(world.path("fleet.toml"), text).unwrap();
        process.pass().await;
        process.pass().await;
        assert!(process.note().contains(refusal), "{}", process.note());
        assert_eq!((world.newest().await, process.works_by()), (1, vec![2]));
    }
    fs::write(world.path("fleet.toml"), world.text("sas", 4)).unwrap();
    process.pass().await;
    process.pass().await;
    assert_eq!((process.works_by(), process.note()), (vec![2, 4], ""));
}

#[tokio::test]
async fn a_signal_makes_a_revision_of_the_file_but_not_in_a_worker() {
    let world = World::new();
    fs::write(world.path("other.toml"), "").unwrap();
    let (mut worker, mut scheduler) =
        (world.process(Role::Worker, false), world.process(Role::Scheduler, false));
    fs::write(world.path("fleet.toml"), world.text("sas", 2)).unwrap();
    worker.take_up.pass(true).await.unwrap();
    assert!(worker.note().contains("a worker only takes revisions up"), "{}", worker.note());
    assert_eq!(world.newest().await, 0);
    scheduler.take_up.pass(true).await.unwrap();
    assert_eq!((world.newest().await, scheduler.works_by()), (1, vec![2]));
    scheduler.take_up.pass(true).await.unwrap();
    assert_eq!(world.newest().await, 1, "it is in force");
    let head = world.store.revisions(1).await.unwrap().remove(0);
    assert_eq!(head.by.through.as_deref(), Some("SIGHUP"));
}

#[tokio::test(start_paused = true)]
async fn a_stopped_process_is_forgotten() {
    let world = World::new();
    let (stop, process) = (CancellationToken::new(), world.process(Role::All, false));
    let (_reload, asked) = mpsc::channel(1);
    let running = tokio::spawn(process.take_up.run(asked, stop.clone()));
    while world.store.processes().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.unwrap();
    assert_eq!(world.store.processes().await.unwrap(), []);
}
