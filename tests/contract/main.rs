//! The contract of the trait `Store`: one function for each rule, run on every implementation.
#![cfg(test)]

/// Generates a test of each rule for each store.
macro_rules! on_every_store {
    ($($rule:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                super::$rule(&crate::fixture::StoreFixture::memory()).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                super::$rule(&crate::fixture::StoreFixture::sqlite().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                if let Some(fixture) = crate::fixture::StoreFixture::postgres().await {
                    super::$rule(&fixture).await;
                }
            })*
        }
    };
}

mod adding_runs;
mod app_names;
mod audit;
mod budgets;
mod catalog;
mod catalog_checks;
mod commits;
mod fixture;
mod fleet;
mod intents;
mod lanes;
mod leases;
mod occupied_apps;
mod planning;
mod queues;
mod same_answers;
mod status;
