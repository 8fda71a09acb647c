//! Requests that act once, however often they are sent.

use std::future::Future;
use std::sync::Arc;

use axum::http::StatusCode;

use crate::backup_request::SentForm;
use crate::caller::Caller;
use crate::done::{Done, Work};
use crate::failure::Failure;
use crate::forms::{Claim, Permit};
use crate::site::Site;

/// Carries out what a form asks for, once, and returns the id of its result: also of the first time, when it is sent again.
pub async fn of_form<F>(
    site: &Arc<Site>,
    caller: &Caller,
    sent: &SentForm,
    work: impl FnOnce(Permit) -> F,
) -> Result<String, Failure>
where
    F: Future<Output = Result<Work, Failure>> + Send + 'static,
{
    let permit = match site.forms.claim(&caller.binding, sent.value("form")) {
        Claim::Act(permit) => permit,
        Claim::Done(id) => return Ok(id),
        Claim::UnderWay => return Err(Failure::under_way()),
        Claim::Unknown => return Err(Failure::form_expired()),
    };
    let (id, work) = (permit.id.clone(), work(permit.clone()));
    carry_out(site, permit, String::new(), work).await?;
    Ok(id)
}

/// Carries out a request for which there is a permit, even if the client leaves meanwhile. A request that fails did nothing, and
/// can be sent again.
pub async fn carry_out<F>(
    site: &Arc<Site>,
    permit: Permit,
    fingerprint: String,
    work: F,
) -> Result<Arc<Done>, Failure>
where
    F: Future<Output = Result<Work, Failure>> + Send + 'static,
{
    let (doing, kept) = (Arc::clone(site), permit.clone());
    let done = tokio::spawn(async move {
        let done = work.await;
        doing.expire();
        match done {
            Ok(work) => {
                doing.forms.finish(&kept, Done { work, fingerprint });
                Ok(())
            }
            Err(failure) => {
                doing.forms.release(&kept);
                Err(failure)
            }
        }
    });
    let failed = |error| {
        tracing::error!(error = &error as &dyn std::error::Error, "failed to carry out a request");
        site.forms.release(&permit);
        let detail = "The request ended unexpectedly. Look at the activity before you ask again.";
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "failed", "It went wrong", detail)
    };
    done.await.map_err(failed)??;
    site.forms.result(&permit.id).ok_or_else(Failure::no_result)
}
