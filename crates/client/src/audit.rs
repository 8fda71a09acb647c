//! The audit of a server: verified, exported, and signed.

use std::time::Duration;

use holdfast_control::audit::{
    AuditCheck, CheckpointReport, Continuity, ExportFilter, ExportPart, PartPlace,
};
use holdfast_control::signature::{FileSignature, Signed};
use holdfast_control::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::json;

use crate::query::Query;
use crate::server::Server;

/// Pause between two looks at a verification.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Verification {
    id: String,
    check: Option<AuditCheck>,
    error: Option<String>,
}

impl Server {
    /// Verifies the audit, and waits for the end.
    pub async fn verify_audit(&self, since: Option<&str>) -> Result<AuditCheck, Error> {
        let begun: Verification = self.act(&["audit", "verifications"], &json!({ "since": since })).await?;
        let mut now = begun;
        loop {
            if let Some(check) = now.check {
                return Ok(check);
            }
            if let Some(error) = now.error {
                return Err(Error::new(ErrorKind::Store, error).help("ask again"));
            }
            self.wait(LOOK_EVERY).await;
            now = self.get(&["audit", "verifications", &now.id], Query::default()).await?;
        }
    }

    /// Signs a checkpoint, and writes it where the server's fleet says.
    pub async fn sign_checkpoint(&self, continuity: Continuity) -> Result<CheckpointReport, Error> {
        let body = json!({ "afterRestore": continuity == Continuity::AfterRestore });
        self.post(&["audit", "checkpoints"], &body).await
    }

    /// A part of a signed export.
    pub async fn export_part(
        &self,
        filter: &ExportFilter,
        place: Option<&PartPlace>,
    ) -> Result<ExportPart, Error> {
        let query = &filter.query;
        let pairs = Query::default().flag("acts", !filter.is_whole()).with("person", query.person.as_deref());
        let pairs = pairs.with("app", query.app.as_ref()).with("kind", query.kind.as_deref());
        let pairs = pairs.with("after", place.map(|place| place.after));
        let pairs = pairs.with("previous", place.map(|place| place.previous.as_str()));
        let text = self.text(&["audit", "export"], pairs).await?;
        let last = text.lines().next_back().unwrap_or_default();
        let signed = FileSignature::parse(last).map(|signature| signature.signed);
        let next = match signed {
            Ok(signed) => match signed.what {
                Signed::AuditPart { ends: true, .. } => None,
                _ => Some(PartPlace { after: signed.audit.seq, previous: signed.audit.hash }),
            },
            Err(error) => return Err(self.unreadable(&error)),
        };
        Ok(ExportPart { text, next })
    }
}
