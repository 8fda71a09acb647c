//! Submits the runs of a command, to a server or to the store here, and follows them.

use holdfast_client::{Server, Started};
use holdfast_config::Fleet;
use holdfast_control::runs::RunView;
use holdfast_control::{AddedRuns, ControlContext, Error};

use crate::context::Context;
use crate::exit::Exit;
use crate::runtime::backends::Backends;
use crate::runtime::{run_follower, server_follower};

/// Submits runs and follows them.
pub enum Submitter {
    /// To the store of the options, by the fleet that counts there.
    Here(Box<(Fleet, Backends)>),
    /// To a server.
    There(Box<Server>),
}

/// A request that adds runs, after a look at what it will do.
pub trait AddsRuns {
    /// What it will do.
    type Plan;

    /// Plans it over the store and Azure.
    async fn plan_here(&self, control: &ControlContext<'_>) -> anyhow::Result<Self::Plan>;

    /// Lets a server plan it.
    async fn plan_there(&self, server: &Server) -> Result<Self::Plan, Error>;

    /// Adds the runs of the plan to the store.
    async fn start_here(
        &self,
        plan: &Self::Plan,
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started>;

    /// Lets a server add them.
    async fn start_there(&self, plan: &Self::Plan, server: &Server) -> Result<Started, Error>;
}

/// A request that adds runs without a look before.
pub trait StartsRuns {
    /// Adds the runs to the store.
    async fn start_here(
        &self,
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started>;

    /// Lets a server add them.
    async fn start_there(&self, server: &Server) -> Result<Started, Error>;
}

/// A request without a plan.
pub struct Unplanned<'a, T>(pub &'a T);

impl<T: StartsRuns> AddsRuns for Unplanned<'_, T> {
    type Plan = ();

    async fn plan_here(&self, _: &ControlContext<'_>) -> anyhow::Result<()> {
        Ok(())
    }

    async fn plan_there(&self, _: &Server) -> Result<(), Error> {
        Ok(())
    }

    async fn start_here(
        &self,
        (): &(),
        control: &ControlContext<'_>,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Started> {
        self.0.start_here(control, rng).await
    }

    async fn start_there(&self, (): &(), server: &Server) -> Result<Started, Error> {
        self.0.start_there(server).await
    }
}

impl Context {
    /// The submitter to where the options say.
    pub async fn submitter(&self) -> anyhow::Result<Submitter> {
        if let Some(server) = self.server()? {
            return Ok(Submitter::There(Box::new(server)));
        }
        Ok(Submitter::Here(Box::new(Backends::open_with_fleet(self).await?)))
    }
}

impl Submitter {
    /// Plans the change.
    pub async fn plan<C: AddsRuns>(&self, change: &C, context: &Context) -> anyhow::Result<C::Plan> {
        match self {
            Self::Here(here) => {
                let control = context.control(&here.0, &here.1.store).await?;
                change.plan_here(&control).await
            }
            Self::There(server) => Ok(change.plan_there(server).await?),
        }
    }

    /// Adds the runs of the plan, or asks a second person for them.
    pub async fn start<C: AddsRuns>(
        &self,
        change: &C,
        plan: &C::Plan,
        (context, rng): (&Context, &mut fastrand::Rng),
    ) -> anyhow::Result<Started> {
        match self {
            Self::Here(here) => {
                let control = context.control(&here.0, &here.1.store).await?;
                change.start_here(plan, &control, rng).await
            }
            Self::There(server) => Ok(change.start_there(plan, server).await?),
        }
    }

    /// Shows the runs, with `wait` at their ends.
    pub async fn follow(
        self,
        added: &AddedRuns,
        wait: bool,
        (context, rng): (&Context, fastrand::Rng),
        show: impl FnOnce(&[RunView]) -> anyhow::Result<()>,
    ) -> anyhow::Result<Exit> {
        match self {
            Self::Here(here) => run_follower::follow(&added.ids, *here, wait, (context, rng), show).await,
            Self::There(server) => server_follower::follow(&added.ids, &server, wait, context, show).await,
        }
    }

    /// Closes what is open here, where nothing is to do.
    pub async fn close(self) {
        if let Self::Here(here) = self {
            here.1.store.close().await;
        }
    }
}
