//! Tokens that commands draw from a budget, beside the runs.

use std::time::Duration;

use holdfast_model::{Budget, Call, SubscriptionId};

/// How many tokens to draw from which budget.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetDraw {
    /// The subscription whose budget pays.
    pub subscription: SubscriptionId,
    /// The kind of call.
    pub call: Call,
    /// The greatest number of tokens.
    pub most: u32,
    /// The budget of that kind of call.
    pub budget: Budget,
}

/// The result of a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// The tokens drawn.
    pub tokens: u32,
    /// How long until a token can be drawn, at most a day; zero when some were drawn.
    pub wait: Duration,
}
