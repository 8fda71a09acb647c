//! `holdfast approvals`: requests that a second person confirms, by a server, which proves who the person is.

use holdfast_client::{Listed, Server};
use holdfast_control::approvals::ApprovalView;
use holdfast_control::{age, until};
use holdfast_model::{RunId, Timestamp, format_timestamp};
use holdfast_store::ApprovalState;

use crate::args::{AnswerArgs, ApprovalsCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Table;

/// Runs the command.
pub async fn run(command: &ApprovalsCommand, context: &Context) -> anyhow::Result<Exit> {
    let server = context.required_server()?;
    match command {
        ApprovalsCommand::List => list(&server, context).await,
        ApprovalsCommand::Show { id } => show(&server, *id, context).await,
        ApprovalsCommand::Confirm(args) => answer(&server, (args, "confirm"), context).await,
        ApprovalsCommand::Decline(args) => answer(&server, (args, "decline"), context).await,
        ApprovalsCommand::Withdraw(args) => answer(&server, (args, "withdraw"), context).await,
    }
}

async fn list(server: &Server, context: &Context) -> anyhow::Result<Exit> {
    let Listed { as_of, value } = server.approvals().await?;
    context.out.show(&value, || {
        if value.is_empty() {
            "nothing waits for a second person".into()
        } else {
            table(&value, as_of).into()
        }
    })?;
    Ok(Exit::Done)
}

fn table(views: &[ApprovalView], now: Timestamp) -> Table {
    let mut table = Table::new(["REQUEST", "WHAT", "STATE", "ASKED BY", "ASKED", "EXPIRES"]);
    for view in views {
        let is_open = view.state == ApprovalState::Pending;
        table.row([
            view.id.to_string().into(),
            view.what.as_str().into(),
            view.state.as_str().into(),
            view.asked_by.name.as_str().into(),
            age(view.asked_at, now).into(),
            if is_open { until(view.expires_at, now).into() } else { "-".into() },
        ]);
    }
    table
}

async fn show(server: &Server, id: RunId, context: &Context) -> anyhow::Result<Exit> {
    let view = server.approval(id).await?;
    context.out.show(&view, || facts(&view).into())?;
    Ok(Exit::Done)
}

fn facts(view: &ApprovalView) -> Table {
    let decision = view.decision.as_ref();
    let reason = Some(view.reason.clone()).filter(|reason| !reason.is_empty());
    let mut table = Table::of_facts(
        "REQUEST",
        [
            ("id", Some(view.id.to_string())),
            ("what", Some(view.what.clone())),
            ("state", Some(view.state.as_str().to_owned())),
            ("asked by", Some(view.asked_by.to_string())),
            ("asked", Some(format_timestamp(view.asked_at))),
            ("expires", Some(format_timestamp(view.expires_at))),
            ("reason", reason),
            ("decided by", decision.map(|decision| decision.by.to_string())),
        ],
    );
    for line in &view.effect {
        table.row([line.name.to_lowercase().into(), line.value.as_str().into()]);
    }
    table
}

async fn answer(
    server: &Server,
    (AnswerArgs { id, reason }, answer): (&AnswerArgs, &str),
    context: &Context,
) -> anyhow::Result<Exit> {
    let answered = server.answer_approval(*id, answer, reason).await?;
    context.out.show(&answered, || format!("{} {}", answered.sentence, answered.detail).into())?;
    Ok(Exit::Done)
}
