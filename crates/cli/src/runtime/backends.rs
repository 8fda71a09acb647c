//! Chooses the store and the queue of a process.

use std::sync::Arc;

use anyhow::Context as _;
use holdfast_config::Fleet;
use holdfast_queue::{AmqpQueue, MemoryQueue, Queue};
use holdfast_store::{Error, Mode, OneProcess, Store};

use crate::context::Context;

/// The store and the queue of a process.
pub struct Backends {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The queue.
    pub queue: Arc<dyn Queue>,
    /// The same queue, where it is RabbitMQ.
    pub broker: Option<Arc<AmqpQueue>>,
    /// Whether this process executes the runs that it adds, because no other process does.
    pub carries: bool,
    /// Excludes other processes from the store's file; `None` with a database, which many may share.
    pub lock: Option<OneProcess>,
}

impl Backends {
    /// Opens the queue beside the store of a process that runs until stopped.
    ///
    /// `consumes` is how many messages it receives at once; `None` for a process that only dispatches.
    pub async fn with_queue(
        (store, lock): (Arc<dyn Store>, Option<OneProcess>),
        consumes: Option<u32>,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let broker = broker(consumes, context).await?;
        let queue: Arc<dyn Queue> = match &broker {
            Some(broker) => Arc::clone(broker) as _,
            None => Arc::new(MemoryQueue::default()),
        };
        Ok(Self { store, queue, broker, carries: true, lock })
    }

    /// The same as [`open_beside`](Self::open_beside), with the fleet that counts in the store.
    pub async fn open_with_fleet(context: &Context) -> anyhow::Result<(Fleet, Self)> {
        if context.global.database_url.is_none() && !context.global.store.exists() {
            // A command in the wrong folder makes no store there.
            context.check_file()?;
        }
        let backends = Self::open_beside(context).await?;
        Ok((context.fleet_in(&*backends.store).await?, backends))
    }

    /// Opens them for a command that runs beside other processes, or without any.
    ///
    /// Where a broker is named, or another process has locked the file, the other processes execute the runs.
    pub async fn open_beside(context: &Context) -> anyhow::Result<Self> {
        let (lock, mode, carries) = if context.global.database_url.is_some() {
            (None, Mode::Join, context.global.amqp_url.is_none())
        } else {
            match OneProcess::lock(&context.global.store) {
                Ok(lock) => (Some(lock), Mode::Own, true),
                Err(Error::InUse(_)) => (None, Mode::Join, false),
                Err(error) => return Err(error.into()),
            }
        };
        let store = context.store(mode).await?;
        Ok(Self { store, queue: Arc::new(MemoryQueue::default()), broker: None, carries, lock })
    }
}

/// Opens the store of a process that runs until stopped.
pub async fn own_store(
    mode: Mode,
    context: &Context,
) -> anyhow::Result<(Arc<dyn Store>, Option<OneProcess>)> {
    let lock = match context.global.database_url {
        Some(_) => None,
        None => Some(OneProcess::lock(&context.global.store)?),
    };
    Ok((context.store(mode).await?, lock))
}

/// Connects to the broker, if one is named.
pub async fn broker(consumes: Option<u32>, context: &Context) -> anyhow::Result<Option<Arc<AmqpQueue>>> {
    let Some(mut config) = context.broker()? else { return Ok(None) };
    if let Some(concurrency) = consumes {
        config.prefetch = u16::try_from(concurrency).unwrap_or(u16::MAX);
    }
    let queue = AmqpQueue::connect(config).await.context("failed to connect to the broker")?;
    if consumes.is_some() {
        queue.attach().await.context("failed to receive messages from the broker")?;
    }
    Ok(Some(Arc::new(queue)))
}
