//! Azure without sockets, for simulations under paused time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use holdfast_arm::{
    Answer, Arm, Backup, BackupBody, BackupSecrets, Discovered, Error, ErrorKind, FoundSchedule, Operation,
    Page, Permissions, Progress, RestoreBody, ScheduleBody, Started, Target, backup_body, discover_body,
    restore_body, schedule_body, secrets_body,
};
use holdfast_model::{AppId, BackupId, Clock, Site, SubscriptionId};
use secrecy::SecretString;

use crate::{Azure, BlobFacts, Delivery, Method, Request, Response};

/// An [`Arm`] that asks an [`Azure`] in the same process.
///
/// It does no I/O. What Azure answers is read by the `arm` crate's own code, so a simulation meets every quirk that the
/// HTTP client meets. Each call gives way to other tasks once before its effect and once after it: a caller that is
/// dropped there has lost the request, or the answer.
#[derive(Clone)]
pub struct InProcess {
    azure: Arc<Mutex<Azure>>,
    clock: Arc<dyn Clock>,
    patience: Option<Duration>,
}

/// The version that the requests ask for.
const API_VERSION: &str = "2024-11-01";

impl InProcess {
    /// Calls that never wait: a late answer comes at once.
    pub fn new(azure: Arc<Mutex<Azure>>, clock: Arc<dyn Clock>) -> Self {
        Self { azure, clock, patience: None }
    }

    /// Calls that wait on tokio's time for late answers, and no longer than `time_limit`: a later answer is
    /// [`ErrorKind::Ambiguous`].
    #[must_use]
    pub fn waiting(self, time_limit: Duration) -> Self {
        Self { patience: Some(time_limit), ..self }
    }

    /// The Azure behind it. Do not hold it over an await.
    pub fn azure(&self) -> MutexGuard<'_, Azure> {
        lock(&self.azure)
    }

    /// What is in a container under this name now. `container` is the container's URL; a query is ignored.
    pub fn blob(&self, container: &str, blob: &str) -> Option<BlobFacts> {
        self.azure().blob(self.clock.now(), container, blob)
    }

    async fn call(&self, target: &Target<'_>, request: &Request) -> Result<Answer, Error> {
        tokio::task::yield_now().await;
        let response = self.azure().handle_trusted(self.clock.now(), request);
        tokio::task::yield_now().await;
        match (response.delivery, self.patience) {
            (Delivery::LostAfterAccept | Delivery::DroppedBefore, _) => {
                Err(target.error(ErrorKind::Ambiguous, "the connection broke before the answer"))
            }
            (Delivery::Delayed(late), Some(limit)) => {
                pause(late.min(limit)).await;
                if late <= limit {
                    Ok(answer(response))
                } else {
                    Err(target.error(ErrorKind::Ambiguous, "no answer in time"))
                }
            }
            (Delivery::Normal | Delivery::Garbage | Delivery::Delayed(_), _) => Ok(answer(response)),
        }
    }

    /// Asks for a list and GETs it to its end.
    async fn list<T>(
        &self,
        target: &Target<'_>,
        first: Request,
        read: impl Fn(&Answer) -> Result<Page<T>, Error> + Send,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut request = first;
        loop {
            let page = read(&self.call(target, &request).await?)?;
            all.extend(page.items);
            // The links are our own, and begin with the origin that the request named.
            match page.next.as_deref().and_then(|next| next.strip_prefix(request.origin.as_str())) {
                Some(next) => request = Request::new(Method::Get, next),
                None => return Ok(all),
            }
        }
    }
}

#[async_trait]
impl Arm for InProcess {
    async fn sites(&self, subscription: &SubscriptionId) -> Result<Vec<Site>, Error> {
        let target = Target::subscription(Operation::ListSites, subscription);
        let path = format!("/subscriptions/{subscription}/providers/Microsoft.Web/sites");
        self.list(&target, get(&path), |answer| answer.sites(&target, self.clock.now())).await
    }

    async fn slots(&self, app: &AppId) -> Result<Vec<Site>, Error> {
        let target = Target::app(Operation::ListSlots, app);
        self.list(&target, get(&format!("{app}/slots")), |answer| answer.sites(&target, self.clock.now()))
            .await
    }

    async fn site(&self, app: &AppId) -> Result<Site, Error> {
        let target = Target::app(Operation::GetSite, app);
        self.call(&target, &get(&app.to_string())).await?.site(&target, self.clock.now())
    }

    async fn backup(&self, app: &AppId, request: &BackupBody) -> Result<Backup, Error> {
        let target = Target::app(Operation::Backup, app);
        let http = to(Method::Post, &format!("{app}/backup")).with_body(backup_body(request, API_VERSION));
        self.call(&target, &http).await?.backup(&target, self.clock.now())
    }

    async fn get_backup(&self, app: &AppId, id: BackupId) -> Result<Backup, Error> {
        let target = Target::backup(Operation::GetBackup, app, id);
        self.call(&target, &get(&format!("{app}/backups/{id}"))).await?.backup(&target, self.clock.now())
    }

    async fn list_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        let target = Target::app(Operation::ListBackups, app);
        let first = get(&format!("{app}/backups"));
        self.list(&target, first, |answer| answer.backups(&target, self.clock.now())).await
    }

    async fn list_site_backups(&self, app: &AppId) -> Result<Vec<Backup>, Error> {
        let target = Target::app(Operation::ListSiteBackups, app);
        let first = to(Method::Post, &format!("{app}/listbackups"));
        self.list(&target, first, |answer| answer.backups(&target, self.clock.now())).await
    }

    async fn delete_backup(&self, app: &AppId, id: BackupId) -> Result<Option<Backup>, Error> {
        let target = Target::backup(Operation::DeleteBackup, app, id);
        let http = to(Method::Delete, &format!("{app}/backups/{id}"));
        self.call(&target, &http).await?.deleted(&target, self.clock.now())
    }

    async fn backup_secrets(
        &self,
        app: &AppId,
        id: BackupId,
        replace: Option<&SecretString>,
    ) -> Result<BackupSecrets, Error> {
        let target = Target::backup(Operation::BackupSecrets, app, id);
        let http = to(Method::Post, &format!("{app}/backups/{id}/list")).with_body(secrets_body(replace));
        self.call(&target, &http).await?.backup_secrets(&target, self.clock.now())
    }

    async fn restore(&self, app: &AppId, id: BackupId, request: &RestoreBody) -> Result<Started, Error> {
        let target = Target::backup(Operation::Restore, app, id);
        let http = to(Method::Post, &format!("{app}/backups/{id}/restore")).with_body(restore_body(request));
        self.call(&target, &http).await?.started(&target, self.clock.now())
    }

    async fn restore_from_blob(&self, app: &AppId, request: &RestoreBody) -> Result<Started, Error> {
        let target = Target::app(Operation::RestoreFromBlob, app);
        let http = to(Method::Post, &format!("{app}/restoreFromBackupBlob")).with_body(restore_body(request));
        self.call(&target, &http).await?.started(&target, self.clock.now())
    }

    async fn discover(&self, app: &AppId, request: &RestoreBody) -> Result<Discovered, Error> {
        let target = Target::app(Operation::Discover, app);
        let http = to(Method::Post, &format!("{app}/discoverbackup")).with_body(discover_body(request));
        self.call(&target, &http).await?.discovered(&target, self.clock.now())
    }

    async fn operation(&self, app: &AppId, operation: &str) -> Result<Progress, Error> {
        let target = Target::app(Operation::GetOperation, app);
        self.call(&target, &get(operation)).await?.progress(&target, self.clock.now())
    }

    async fn permissions(&self, app: &AppId) -> Result<Permissions, Error> {
        let target = Target::app(Operation::GetPermissions, app);
        let http = get(&format!("{app}/providers/Microsoft.Authorization/permissions"));
        self.call(&target, &http).await?.permissions(&target, self.clock.now())
    }

    async fn schedule(&self, app: &AppId) -> Result<Option<FoundSchedule>, Error> {
        let target = Target::app(Operation::GetSchedule, app);
        let http = to(Method::Post, &format!("{app}/config/backup/list"));
        self.call(&target, &http).await?.schedule(&target, self.clock.now())
    }

    async fn put_schedule(&self, app: &AppId, request: &ScheduleBody) -> Result<(), Error> {
        let target = Target::app(Operation::PutSchedule, app);
        let http = to(Method::Put, &format!("{app}/config/backup")).with_body(schedule_body(request));
        self.call(&target, &http).await?.done(&target, self.clock.now())
    }

    async fn delete_schedule(&self, app: &AppId) -> Result<(), Error> {
        let target = Target::app(Operation::DeleteSchedule, app);
        let http = to(Method::Delete, &format!("{app}/config/backup"));
        self.call(&target, &http).await?.done(&target, self.clock.now())
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("patience", &self.patience).finish_non_exhaustive()
    }
}

fn get(path: &str) -> Request {
    to(Method::Get, path)
}

fn to(method: Method, path: &str) -> Request {
    Request::new(method, &format!("{path}?api-version={API_VERSION}"))
}

fn answer(response: Response) -> Answer {
    let header = |(name, value): (&&'static str, &String)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
    };
    let headers: HeaderMap = response.headers.iter().filter_map(header).collect();
    Answer::new(response.status, headers, response.body)
}

/// A panic elsewhere while it was held has not made Azure's state unusable.
pub(crate) fn lock(azure: &Mutex<Azure>) -> MutexGuard<'_, Azure> {
    azure.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a late answer is late in the time that the caller's runtime keeps"
)]
pub(crate) async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}
