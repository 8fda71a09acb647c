//! A line of the log, and how it is written.

use holdfast_model::{AppId, Cause, Run, RunId, RunKind, Timestamp, format_timestamp};

/// A line about a run. Its fields are optional but for the app: a line has those that it knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Whether a person should look at it.
    pub is_warning: bool,
    /// What happened.
    pub message: String,
    /// The app's short name.
    pub app: String,
    /// The run; `None` for a line about several.
    pub run: Option<RunId>,
    /// The policy.
    pub policy: Option<String>,
    /// The number of the attempt.
    pub attempt: Option<u32>,
    /// The outcome of a run that ended.
    pub outcome: Option<&'static str>,
    /// Why it failed or waits.
    pub cause: Option<&'static str>,
    /// The error, or what was found, as text.
    pub detail: Option<String>,
    /// Azure's number for the backup.
    pub backup: Option<i64>,
    /// The backup's size.
    pub size_bytes: Option<i64>,
    /// What is known of the backup's blob.
    pub verification: Option<&'static str>,
    /// From the creation of the run to its end.
    pub took_seconds: Option<f64>,
    /// When it is tried again.
    pub next_try: Option<String>,
    /// The storage whose SAS was replaced.
    pub storage: Option<String>,
    /// When the new SAS expires.
    pub expires: Option<String>,
    /// The tick, or the latest of several.
    pub tick: Option<String>,
    /// How many ticks.
    pub ticks: Option<u64>,
}

impl Line {
    /// A line at level info about an app.
    pub fn of_app(app: &AppId, message: impl Into<String>) -> Self {
        Self {
            is_warning: false,
            message: message.into(),
            app: app.short_name(),
            run: None,
            policy: None,
            attempt: None,
            outcome: None,
            cause: None,
            detail: None,
            backup: None,
            size_bytes: None,
            verification: None,
            took_seconds: None,
            next_try: None,
            storage: None,
            expires: None,
            tick: None,
            ticks: None,
        }
    }

    /// A line at level info about a run.
    pub fn of_run(run: &Run, message: impl Into<String>) -> Self {
        let policy = run.policy.as_ref().map(|policy| policy.as_str().to_owned());
        let backup = run.task.backup(&run.app).map(|(_, backup)| backup.0);
        Self { run: Some(run.id), policy, backup, ..Self::of_app(&run.app, message) }
    }

    /// Adds why it failed or waits.
    #[must_use]
    pub fn because(self, cause: Cause, detail: &str) -> Self {
        let detail = Some(detail.to_owned()).filter(|detail| !detail.is_empty());
        Self { cause: Some(cause.as_str()), detail, ..self }
    }

    /// Adds when it is tried again.
    #[must_use]
    pub fn again_at(self, at: Timestamp) -> Self {
        Self { next_try: Some(format_timestamp(at)), ..self }
    }

    /// Writes the line.
    pub fn write(&self) {
        // The level of a line is fixed where it is written.
        macro_rules! write_at {
            ($level:ident) => {
                tracing::$level!(
                    target: "holdfast::runs",
                    app = self.app,
                    run = self.run.map(tracing::field::display),
                    policy = self.policy,
                    attempt = self.attempt,
                    outcome = self.outcome,
                    cause = self.cause,
                    detail = self.detail,
                    backup = self.backup,
                    size_bytes = self.size_bytes,
                    verification = self.verification,
                    took_seconds = self.took_seconds,
                    next_try = self.next_try,
                    storage = self.storage,
                    expires = self.expires,
                    tick = self.tick,
                    ticks = self.ticks,
                    "{}",
                    self.message
                )
            };
        }
        if self.is_warning { write_at!(warn) } else { write_at!(info) }
    }
}

/// The kind of a run in a sentence.
pub fn noun(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Backup => "backup",
        RunKind::Restore => "restore",
        RunKind::Drill => "drill",
        RunKind::Delete => "deletion",
        RunKind::RefreshSas => "SAS refresh",
        RunKind::PushSchedule => "schedule change",
        RunKind::CheckCatalog => "catalog check",
        RunKind::OperatorAction => "operator action",
    }
}
