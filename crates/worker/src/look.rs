//! Calls of Azure that failed, and the second kind of look that a 404 needs.

use holdfast_arm::{Backup, Error, ErrorKind};

use crate::environment::Settings;
use crate::step_context::StepContext;

/// A call that failed, and what a second kind of look found where it was answered 404.
#[derive(Debug)]
pub(crate) struct CallFailure {
    /// The error.
    pub error: Error,
    /// What is absent by two kinds of look; `None` where the error proves nothing.
    pub absent: Option<AbsentByTwoLooks>,
}

/// What two kinds of look did not find. One 404 proves nothing: proxies and restarting services answer it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AbsentByTwoLooks {
    /// The backup: GET of the backup answered 404, and a list does not have it.
    Backup,
    /// The app: an operation on it answered 404, and so did GET of the app.
    App,
}

impl From<Error> for CallFailure {
    fn from(error: Error) -> Self {
        Self { error, absent: None }
    }
}

/// The answer, where a 404 is followed by a look at the app itself.
pub(crate) async fn looked_into<T>(
    context: &StepContext<'_>,
    answer: Result<T, Error>,
) -> Result<T, CallFailure> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(error) => {
            let absent = is_app_gone(context, &error).await.then_some(AbsentByTwoLooks::App);
            Err(CallFailure { error, absent })
        }
    }
}

/// Whether `error` is a 404 and GET of the app answers 404 too.
pub(crate) async fn is_app_gone(context: &StepContext<'_>, error: &Error) -> bool {
    if *error.kind() != ErrorKind::NotFound {
        return false;
    }
    let site = context.env.arm.site(&context.run().app).await;
    site.is_err_and(|error| *error.kind() == ErrorKind::NotFound)
}

/// Lists the app's backups. The last look before they count as absent uses Azure's other list.
pub(crate) async fn list(context: &StepContext<'_>) -> Result<Vec<Backup>, Error> {
    let (arm, run) = (&context.env.arm, context.run());
    if run.state.absences().looks + 1 < Settings::LOOKS {
        arm.list_backups(&run.app).await
    } else {
        arm.list_site_backups(&run.app).await
    }
}
