//! Requests that a second person confirms, declines or withdraws.

use std::str::FromStr;

use holdfast_access::Permission;
use holdfast_control::approvals::{self, Confirmed};
use holdfast_control::counted;
use holdfast_model::RunId;
use holdfast_store::{Approval, ApprovalKind};

use crate::acts::About;
use crate::caller::Caller;
use crate::done::{ActDone, Work};
use crate::failure::Failure;
use crate::site::Site;

/// Requests of a list, at most.
const LISTED: u32 = 200;

/// What a person does about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// Confirms it as the second person.
    Confirm,
    /// Declines it.
    Decline,
    /// Withdraws it, as the person who asked.
    Withdraw,
}

impl FromStr for Answering {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        match text {
            "confirm" => Ok(Self::Confirm),
            "decline" => Ok(Self::Decline),
            "withdraw" => Ok(Self::Withdraw),
            _ => Err(Failure::no_page()),
        }
    }
}

/// The permission that a request and its confirmation need.
pub fn permission(kind: ApprovalKind) -> Permission {
    match kind {
        ApprovalKind::Restore => Permission::Restore,
        ApprovalKind::Delete => Permission::Delete,
    }
}

impl Site {
    /// The request with this id.
    pub(crate) async fn approval(&self, id: &str) -> Result<Approval, Failure> {
        let id: RunId = id.parse().map_err(|_| Failure::no_page())?;
        Ok(approvals::named(self.store(), id).await?)
    }

    /// The requests of the last week, the newest first.
    pub(crate) async fn approvals(&self) -> Result<Vec<Approval>, Failure> {
        let since = self.now().await? - approvals::LONGEST;
        Ok(self.store().approvals(since, LISTED).await.map_err(holdfast_control::Error::from)?)
    }

    /// Answers a request for the caller, whose role and scope must cover it.
    pub(crate) async fn answer(
        &self,
        (answering, id): (Answering, &str),
        reason: &str,
        caller: &Caller,
    ) -> Result<Work, Failure> {
        let approval = self.approval(id).await?;
        let needed = permission(approval.kind);
        if !caller.principal.may(needed) {
            return Err(Failure::not_permitted(&caller.principal, needed));
        }
        for app in approvals::apps(&approval) {
            self.in_scope(caller, &About::App(app)).await?;
        }
        let (store, actor, mut rng) = (self.store(), &caller.actor, self.rng()?);
        let (run, what, detail) = match answering {
            Answering::Confirm => {
                let Confirmed { runs, .. } = self.azure.confirm(actor, approval.id, rng).await?;
                let started =
                    format!("{} added; a worker takes it as Azure's budget allows.", runs_are(&runs));
                (runs.first().copied().filter(|_| runs.len() == 1), "confirmed", started)
            }
            Answering::Decline => {
                approvals::decline(store, (approval.id, reason), actor, &mut rng).await?;
                (None, "declined", "Nothing was done.".to_owned())
            }
            Answering::Withdraw => {
                approvals::withdraw(store, approval.id, actor, &mut rng).await?;
                (None, "withdrawn", "Nothing was done.".to_owned())
            }
        };
        let sentence = format!("The request of {} is {what}.", approval.asked_by.name);
        Ok(Work::Act(ActDone {
            run,
            approval: Some(approval.id),
            ..ActDone::new(approval.app, sentence, detail)
        }))
    }
}

fn runs_are(runs: &[RunId]) -> String {
    let are = if runs.len() == 1 { "is" } else { "are" };
    format!("{} {are}", counted(runs.len(), "run"))
}
