//! The contract of the trait `Store`: one function for each rule, run on every implementation.
#![cfg(test)]

/// Generates a test of each rule for each store.
macro_rules! on_every_store {
    ($($rule:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                let fixture = crate::fixture::StoreFixture::memory();
                super::$rule(&fixture).await;
                fixture.rows_follow_from_events().await;
            })*
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                let fixture = crate::fixture::StoreFixture::sqlite().await;
                super::$rule(&fixture).await;
                fixture.rows_follow_from_events().await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $rule() {
                if let Some(fixture) = crate::fixture::StoreFixture::postgres().await {
                    super::$rule(&fixture).await;
                    fixture.rows_follow_from_events().await;
                }
            })*
        }
    };
}

mod access;
mod adding_runs;
mod app_days;
mod app_names;
mod approvals;
mod audit;
mod budgets;
mod catalog;
mod catalog_checks;
mod changed_backups;
mod commits;
mod fixture;
mod fleet;
mod group_commits;
mod instructions;
mod intents;
mod lanes;
mod leases;
mod notifications;
mod occupied_apps;
mod planning;
mod queues;
mod run_lists;
mod same_answers;
mod status;
