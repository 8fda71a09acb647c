//! Which store and which queue: the one place that chooses.

use std::sync::Arc;

use anyhow::Context as _;
use holdfast_queue::{AmqpQueue, Config, MemoryQueue, Queue};
use holdfast_store::{Error, Mode, OneProcess, Store};

use crate::context::{Context, secret_url};

/// What a process works on.
pub struct Backends {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// The way of wake-ups.
    pub queue: Arc<dyn Queue>,
    /// The same queue, where it is a broker's.
    pub broker: Option<Arc<AmqpQueue>>,
    /// Whether this process carries out what it adds. Beside others that do the work it does not.
    pub carries: bool,
    /// Held while this process is the one that works on the store's file. A database may be shared by many.
    pub lock: Option<OneProcess>,
}

impl Backends {
    /// For a process that works until stopped. `consumes` tells how many messages it takes at once; a process that
    /// only hands out takes none.
    pub async fn open(mode: Mode, consumes: Option<u32>, context: &Context) -> anyhow::Result<Self> {
        let lock = match context.global.database_url {
            Some(_) => None,
            None => Some(OneProcess::lock(&context.global.store)?),
        };
        let store = context.store(mode).await?;
        let broker = broker(consumes, context).await?;
        let queue: Arc<dyn Queue> = match &broker {
            Some(broker) => Arc::clone(broker) as _,
            None => Arc::new(MemoryQueue::default()),
        };
        Ok(Self { store, queue, broker, carries: true, lock })
    }

    /// For a command that works beside the processes that run, or in their stead. Where others share a broker, or
    /// another process holds the file, they do the work.
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

/// The broker that was named, if one was.
pub async fn broker(consumes: Option<u32>, context: &Context) -> anyhow::Result<Option<Arc<AmqpQueue>>> {
    let Some(url) = &context.global.amqp_url else { return Ok(None) };
    let mut config = Config::new(secret_url(url)?);
    if let Some(concurrency) = consumes {
        config.prefetch = u16::try_from(concurrency).unwrap_or(u16::MAX);
    }
    let queue = AmqpQueue::connect(config).await.context("failed to use the broker")?;
    if consumes.is_some() {
        queue.attach().await.context("failed to take messages from the broker")?;
    }
    Ok(Some(Arc::new(queue)))
}
