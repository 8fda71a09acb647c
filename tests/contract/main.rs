//! What every store must keep: one body per rule, run on every store.
#![cfg(test)]

/// Makes a test of each rule for each store.
macro_rules! on_every_store {
    ($($rule:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                super::$rule(&crate::bench::Bench::memory()).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                super::$rule(&crate::bench::Bench::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                if let Some(bench) = crate::bench::Bench::postgres().await {
                    super::$rule(&bench).await;
                }
            })*
        }
    };
}

mod adding;
mod audit;
mod bench;
mod budgets;
mod catalog;
mod changing;
mod fleet;
mod holding;
mod intents;
mod lanes;
mod leases;
mod planning;
mod queues;
mod status;
mod twins;
