//! Acts of a person on one app or one run: read from a form or a document, checked, and done.

use std::str::FromStr;
use std::time::Duration;

use holdfast_access::Scope;
use holdfast_control::acknowledgement::{AcknowledgeRequest, acknowledge};
use holdfast_control::cancel::{CancelRequest, cancel};
use holdfast_control::holds::{self, HoldRequest};
use holdfast_control::pause::{PauseRequest, ResumeRequest, pause, resume};
use holdfast_control::until;
use holdfast_model::{AppId, BackupId, RunId, Timestamp, parse_duration};

use crate::caller::Caller;
use crate::done::ActDone;
use crate::failure::Failure;
use crate::site::Site;

/// A kind of act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActKind {
    /// Suspends the scheduled runs of an app.
    Pause,
    /// Ends a pause.
    Resume,
    /// Acknowledges a run that did not succeed.
    Acknowledge,
    /// Cancels a run that waits.
    Cancel,
    /// Keeps a backup from deletion.
    Hold,
    /// Lifts a hold.
    Release,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The kind.
    pub kind: ActKind,
    /// What it is about.
    pub about: About,
    /// Why.
    pub reason: String,
    /// When a pause ends.
    pub end: Option<PauseEnd>,
}

/// What an act is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// An app.
    App(AppId),
    /// A run.
    Run(RunId),
    /// A backup of an app.
    Backup(AppId, BackupId),
}

/// When a pause ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseEnd {
    /// After a time.
    After(Duration),
    /// At a time.
    At(Timestamp),
}

impl ActKind {
    /// Its name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Acknowledge => "acknowledge",
            Self::Cancel => "cancel",
            Self::Hold => "hold",
            Self::Release => "release",
        }
    }
}

impl FromStr for ActKind {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let all = [Self::Pause, Self::Resume, Self::Acknowledge, Self::Cancel, Self::Hold, Self::Release];
        all.into_iter().find(|kind| kind.as_str() == text).ok_or_else(Failure::no_page)
    }
}

impl Act {
    /// Reads an act from fields: `app`, `run`, `backup`, `reason`, and `for` or `until` of a pause.
    pub fn read<'f>(kind: ActKind, field: impl Fn(&str) -> &'f str) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::bad_query(format!("The {what} cannot be read."));
        let app = || field("app").parse::<AppId>().map_err(|_| wrong("ARM id of the app"));
        let about = match kind {
            ActKind::Pause | ActKind::Resume => About::App(app()?),
            ActKind::Acknowledge | ActKind::Cancel => {
                About::Run(field("run").parse().map_err(|_| wrong("id of the run"))?)
            }
            ActKind::Hold | ActKind::Release => {
                let number = field("backup").parse().map_err(|_| wrong("number of the backup"))?;
                About::Backup(app()?, BackupId(number))
            }
        };
        let end = match (field("for"), field("until")) {
            ("", "") => None,
            (span, "") => {
                let span = parse_duration(span)
                    .map_err(|error| Failure::bad_query(format!("The length of the pause: {error}.")))?;
                Some(PauseEnd::After(span))
            }
            (_, at) => Some(PauseEnd::At(
                holdfast_model::parse_timestamp(at).map_err(|_| wrong("end of the pause"))?,
            )),
        };
        Ok(Self { kind, about, reason: field("reason").to_owned(), end })
    }

    /// Does it for the caller, with the same checks and the same audit as the command line.
    pub async fn perform(self, site: &Site, caller: &Caller) -> Result<ActDone, Failure> {
        site.in_scope(caller, &self.about).await?;
        let (store, mut rng, actor) = (site.store(), site.rng()?, caller.actor.clone());
        let (kind, reason) = (self.kind, self.reason.clone());
        match self.about.clone() {
            About::App(app) if kind == ActKind::Pause => self.pause(site, caller, &app).await,
            About::App(app) => {
                let request = ResumeRequest { apps: [app.clone()].into(), reason, actor };
                resume(store, &request, &mut rng).await?;
                let sentence = format!("{} is scheduled again.", app.short_name());
                Ok(ActDone::new(
                    app,
                    sentence,
                    "Its next tick is the next of its schedule; ticks of the pause are not run.",
                ))
            }
            About::Run(run) if kind == ActKind::Acknowledge => {
                let request = AcknowledgeRequest { run, note: reason, actor };
                let app = acknowledge(store, &request, &mut rng).await?;
                let sentence = format!("The failure of {} is acknowledged.", app.short_name());
                let detail =
                    "It needs no attention until the next failure. An app past its objective stays past it.";
                Ok(ActDone { run: Some(run), ..ActDone::new(app, sentence, detail) })
            }
            About::Run(run) => {
                let cancelled = cancel(store, &CancelRequest { run, reason, actor }).await?;
                let sentence = format!("The run of {} is cancelled.", cancelled.app.short_name());
                let detail = if cancelled.may_leave_backup {
                    "The answer to an earlier attempt was lost: if Azure made its backup, the next run of the app records it."
                } else {
                    "Azure was not asked for it, so nothing is left behind."
                };
                let may_leave_backup = cancelled.may_leave_backup;
                Ok(ActDone {
                    run: Some(run),
                    may_leave_backup,
                    ..ActDone::new(cancelled.app, sentence, detail)
                })
            }
            About::Backup(app, backup) => {
                let held = kind == ActKind::Hold;
                let request = HoldRequest { app: app.to_string(), backup, reason, held, actor };
                let changed = holds::change(store, &request, &mut rng).await?;
                let name = changed.app.short_name();
                let (word, detail) = match (held, changed.deletion_started) {
                    (true, None) => ("held", "Nothing deletes it until the hold is released."),
                    (true, Some(_)) => ("held", "A deletion had begun: Azure may have deleted it already."),
                    (false, _) => ("released", "Retention decides about it again."),
                };
                let sentence = format!("Backup {backup} of {name} is {word}.");
                Ok(ActDone { run: changed.deletion_started, ..ActDone::new(changed.app, sentence, detail) })
            }
        }
    }

    async fn pause(self, site: &Site, caller: &Caller, app: &AppId) -> Result<ActDone, Failure> {
        let now = site.now().await?;
        let end = match self.end {
            Some(PauseEnd::At(at)) => at,
            // Longer than the calendar is longer than a pause may be.
            Some(PauseEnd::After(span)) => chrono::TimeDelta::from_std(span)
                .ok()
                .and_then(|span| now.checked_add_signed(span))
                .unwrap_or(Timestamp::MAX_UTC),
            None => return Err(Failure::bad_query("A pause needs its length, such as 8h or 3d.")),
        };
        let request = PauseRequest {
            apps: [app.clone()].into(),
            until: end,
            reason: self.reason,
            actor: caller.actor.clone(),
        };
        pause(site.store(), &request, &mut site.rng()?).await?;
        let sentence = format!("{} is paused; its schedule goes on {}.", app.short_name(), until(end, now));
        Ok(ActDone::new(app.clone(), sentence, "Runs under way go on, and a person can still back it up."))
    }
}

impl Site {
    /// Refuses an act on an app that is out of the caller's scope.
    pub(crate) async fn in_scope(&self, caller: &Caller, about: &About) -> Result<(), Failure> {
        if caller.principal.scope == Scope::ALL {
            return Ok(());
        }
        let app = match about {
            About::App(app) | About::Backup(app, _) => app.clone(),
            About::Run(run) => self.run(*run).await?.run.app,
        };
        let reading = self.reading().await?.reading;
        let policy = reading.status_of(&app).and_then(|status| status.policy.as_ref());
        if caller.principal.scope.covers(policy) {
            return Ok(());
        }
        let policy = policy.map_or("in no policy".to_owned(), |policy| format!("under policy {policy}"));
        Err(Failure::out_of_scope(&format!("{} is {policy}", app.short_name())))
    }
}
