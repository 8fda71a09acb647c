//! Requests that act once, however often they are sent.

use std::future::Future;
use std::sync::Arc;

use axum::http::StatusCode;

use crate::done::{Done, Work};
use crate::failure::Failure;
use crate::forms::Permit;
use crate::site::Site;

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
