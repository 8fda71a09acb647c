//! The rules of a store, as pure functions over batches: they compute the writes from the reads.

pub(crate) mod acquire;
pub(crate) mod acts;
pub(crate) mod app_days;
pub(crate) mod approvals;
pub(crate) mod bucket;
pub(crate) mod catalog;
pub(crate) mod catalog_change;
pub(crate) mod commit;
pub(crate) mod due;
pub(crate) mod enrolment;
pub(crate) mod generations;
pub(crate) mod holds;
pub(crate) mod insert;
pub(crate) mod instructions;
pub(crate) mod intent;
pub(crate) mod load;
pub(crate) mod plan;
pub(crate) mod status;
pub(crate) mod subscriptions;
