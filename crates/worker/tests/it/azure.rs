//! Azure as these tests need it: it takes backups, and does to each call what it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use holdfast_arm::{
    Arm, Backup, BackupBody, BackupSecrets, Discovered, Error, ErrorKind, FoundSchedule, Operation,
    Permissions, Progress, RestoreBody, ScheduleBody, Started,
};
use holdfast_model::{AppId, BackupId, BackupStatus, Site, SubscriptionId, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::world::pause;

/// Why backups fail here.
const STORAGE_REFUSED: &str = "Storage access failed. The remote server returned an error: (403) Forbidden..";

/// What becomes of a POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Post {
    /// It is accepted, and the answer arrives.
    Accept,
    /// It is accepted, and the answer is lost.
    Lose,
    /// It is not accepted.
    Refuse(ErrorKind),
    /// It is accepted, and no answer ever comes.
    Hang,
}

/// A small Azure. Every call waits once before it has an effect and once after.
#[derive(Debug, Default)]
pub struct FakeAzure {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    posts: VecDeque<Post>,
    statuses: VecDeque<BackupStatus>,
    /// Lists that come before new backups are shown in them.
    late_lists: u32,
    accepted: Vec<(String, String)>,
    calls: Vec<&'static str>,
    /// When the first backup was last restored, as Azure tells it.
    restored: Option<Timestamp>,
    /// What lists tell of backups; else that they are being made.
    listed: Option<BackupStatus>,
}

impl FakeAzure {
    /// The first backup was restored, into whatever app.
    pub fn restored_at(&self, at: Timestamp) {
        self.lock().restored = Some(at);
    }

    /// Lists tell this of every backup.
    pub fn list_as(&self, status: BackupStatus) {
        self.lock().listed = Some(status);
    }

    /// The app was made anew, and its numbers are other backups'.
    pub fn count_anew(&self) {
        for (name, _) in &mut self.lock().accepted {
            *name = format!("somebody-elses-{name}");
        }
    }

    /// What becomes of the next POSTs; those after are accepted.
    pub fn script_posts(&self, posts: impl IntoIterator<Item = Post>) {
        self.lock().posts.extend(posts);
    }

    /// What the next questions are answered; those after with success.
    pub fn script_statuses(&self, words: &[&str]) {
        self.lock().statuses.extend(words.iter().map(|word| BackupStatus::from_word(word)));
    }

    /// The next lists show nothing.
    pub fn list_late(&self, lists: u32) {
        self.lock().late_lists = lists;
    }

    /// The names of accepted POSTs, and the URLs they came with.
    pub fn accepted(&self) -> Vec<(String, String)> {
        self.lock().accepted.clone()
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<&'static str> {
        self.lock().calls.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Inner {
    fn backup(&self, index: usize, status: BackupStatus) -> Backup {
        let (name, databases) = (self.accepted[index].0.clone(), Vec::new());
        Backup {
            id: BackupId(i64::try_from(index).unwrap()),
            blob_name: Some(format!("{name}.zip")),
            name: Some(name),
            log: (status == BackupStatus::Failed).then(|| STORAGE_REFUSED.to_owned()),
            status,
            created: None,
            finished: None,
            size_bytes: Some(1_000),
            website_size_bytes: None,
            databases,
            restored: self.restored,
            scheduled: false,
            correlation_id: None,
            request_id: None,
            retry_after: None,
        }
    }
}

fn lost() -> Error {
    Error::new(Operation::Backup, "shop", ErrorKind::Ambiguous, "connection reset")
}

#[async_trait]
impl Arm for FakeAzure {
    async fn sites(&self, _: &SubscriptionId) -> Result<Vec<Site>, Error> {
        unreachable!("workers list no sites")
    }

    async fn slots(&self, _: &AppId) -> Result<Vec<Site>, Error> {
        unreachable!("workers list no slots")
    }

    async fn site(&self, app: &AppId) -> Result<Site, Error> {
        self.lock().calls.push("site");
        Ok(Site {
            id: app.clone(),
            location: String::new(),
            plan: None,
            kind: None,
            state: None,
            tier: None,
            operation: None,
            hosts: Vec::new(),
            tags: BTreeMap::new(),
        })
    }

    async fn restore(&self, _: &AppId, _: BackupId, _: &RestoreBody) -> Result<Started, Error> {
        self.lock().calls.push("restore");
        match self.lock().posts.pop_front().unwrap_or(Post::Accept) {
            Post::Accept => Ok(Started { operation: None, request_id: None, retry_after: None }),
            _ => Err(lost()),
        }
    }

    async fn delete_backup(&self, _: &AppId, _: BackupId) -> Result<Option<Backup>, Error> {
        unreachable!("no test here deletes")
    }

    async fn backup_secrets(
        &self,
        _: &AppId,
        _: BackupId,
        _: Option<&SecretString>,
    ) -> Result<BackupSecrets, Error> {
        unreachable!("no test here renews a SAS")
    }

    async fn restore_from_blob(&self, _: &AppId, _: &RestoreBody) -> Result<Started, Error> {
        unreachable!("no test here restores from a blob")
    }

    async fn discover(&self, _: &AppId, _: &RestoreBody) -> Result<Discovered, Error> {
        unreachable!("workers look into no blob")
    }

    async fn operation(&self, _: &AppId, _: &str) -> Result<Progress, Error> {
        unreachable!("restores are done at once here")
    }

    async fn permissions(&self, _: &AppId) -> Result<Permissions, Error> {
        unreachable!("workers ask for no rights")
    }

    async fn schedule(&self, _: &AppId) -> Result<Option<FoundSchedule>, Error> {
        unreachable!("no test here looks at a schedule")
    }

    async fn put_schedule(&self, _: &AppId, _: &ScheduleBody) -> Result<(), Error> {
        unreachable!("no test here sets a schedule")
    }

    async fn delete_schedule(&self, _: &AppId) -> Result<(), Error> {
        unreachable!("no test here takes a schedule away")
    }

    async fn backup(&self, _: &AppId, request: &BackupBody) -> Result<Backup, Error> {
        self.lock().calls.push("post");
        pause().await;
        let post = self.lock().posts.pop_front().unwrap_or(Post::Accept);
        let url = request.storage_url.expose_secret().to_owned();
        if !matches!(post, Post::Refuse(_)) {
            self.lock().accepted.push((request.name.to_string(), url.clone()));
        }
        pause().await;
        match post {
            Post::Accept => {
                let inner = self.lock();
                Ok(inner.backup(inner.accepted.len() - 1, BackupStatus::Created))
            }
            Post::Lose => Err(lost()),
            Post::Refuse(kind) => {
                Err(Error::new(Operation::Backup, "shop", kind, &format!("azure disliked {url}")))
            }
            Post::Hang => std::future::pending().await,
        }
    }

    async fn get_backup(&self, _: &AppId, id: BackupId) -> Result<Backup, Error> {
        self.lock().calls.push("get");
        pause().await;
        let status = self.lock().statuses.pop_front().unwrap_or(BackupStatus::Succeeded);
        let backup = self.lock().backup(usize::try_from(id.0).unwrap(), status);
        pause().await;
        Ok(backup)
    }

    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        self.list_backups(app).await
    }

    async fn list_backups(&self, _: &AppId) -> Result<Vec<Backup>, Error> {
        self.lock().calls.push("list");
        pause().await;
        let listed = {
            let mut inner = self.lock();
            let shown = if inner.late_lists > 0 { 0 } else { inner.accepted.len() };
            inner.late_lists = inner.late_lists.saturating_sub(1);
            let status = inner.listed.clone().unwrap_or(BackupStatus::InProgress);
            (0..shown).map(|index| inner.backup(index, status.clone())).collect()
        };
        pause().await;
        Ok(listed)
    }
}
