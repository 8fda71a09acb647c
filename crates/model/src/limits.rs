//! Call budgets and concurrency limits.

use serde::{Deserialize, Serialize};

use crate::words::words;

/// The limits of admission control.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Budget for reads of one subscription under one credential.
    pub reads: Budget,
    /// Budget for writes, likewise.
    pub writes: Budget,
    /// Budget for deletes, likewise.
    pub deletes: Budget,
    /// Operations in progress in one App Service plan.
    pub per_plan: u32,
    /// Operations in progress with one storage account.
    pub per_account: u32,
    /// Messages published and not yet processed.
    pub outstanding: u32,
}

impl Limits {
    /// The budget for `call`.
    pub fn budget(&self, call: Call) -> Budget {
        match call {
            Call::Read => self.reads,
            Call::Write => self.writes,
            Call::Delete => self.deletes,
        }
    }
}

impl Default for Limits {
    /// ARM's own buckets since 2024 (learn.microsoft.com, request limits and throttling): reads 250 and 25 a second,
    /// writes and deletes 200 and 10 a second.
    fn default() -> Self {
        Self {
            reads: Budget { capacity: 250.0, per_second: 25.0 },
            writes: Budget { capacity: 200.0, per_second: 10.0 },
            deletes: Budget { capacity: 200.0, per_second: 10.0 },
            per_plan: 4,
            per_account: 50,
            outstanding: 1_024,
        }
    }
}

/// A token bucket for calls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Tokens when full.
    pub capacity: f64,
    /// Tokens added each second.
    pub per_second: f64,
}

words! {
    /// The kinds of ARM calls, each with its own budget.
    pub enum Call {
        /// GET.
        Read,
        /// POST and PUT.
        Write,
        /// DELETE.
        Delete,
    }
}
