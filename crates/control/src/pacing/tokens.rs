//! The tokens that a process holds of one budget. Pure.

/// The most tokens drawn at once: a draw is a transaction, and tokens that stay unused are lost to the others.
const BLOCK_MAX: u32 = 16;

/// Tokens of one subscription and kind of call.
#[derive(Debug, Default)]
pub struct Tokens {
    left: u32,
    block: u32,
    /// Calls that were paid for.
    paid: u64,
    /// Requests that were sent: a list of several pages is several.
    sent: u64,
}

impl Tokens {
    /// Takes the tokens of the next call, and of the pages that earlier calls requested without a token.
    ///
    /// `Err` is the number of tokens to draw first. It grows from draw to draw, so that a command with one call draws
    /// one token.
    pub fn pay(&mut self) -> Result<(), u32> {
        let owed = u32::try_from(self.sent.saturating_sub(self.paid)).unwrap_or(u32::MAX);
        let needed = owed.saturating_add(1);
        if let Some(left) = self.left.checked_sub(needed) {
            self.left = left;
            self.paid += u64::from(needed);
            return Ok(());
        }
        self.block = (self.block * 2).clamp(1, BLOCK_MAX);
        Err(self.block.max(needed - self.left))
    }

    /// Adds drawn tokens.
    pub fn add(&mut self, tokens: u32) {
        self.left = self.left.saturating_add(tokens);
    }

    /// Counts a request that was sent.
    pub fn sent(&mut self) {
        self.sent += 1;
    }

    /// Drops what is left, because Azure throttles.
    pub fn forfeit(&mut self) {
        self.left = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_grow_up_to_a_block_and_every_page_is_paid_for() {
        let mut tokens = Tokens::default();
        let mut draws = Vec::new();
        for _ in 0..40 {
            while let Err(most) = tokens.pay() {
                draws.push(most);
                tokens.add(most);
            }
            tokens.sent();
        }
        assert_eq!(draws, [1, 2, 4, 8, 16, 16]);
        for _ in 0..30 {
            tokens.sent();
        }
        tokens.forfeit();
        assert_eq!(tokens.pay(), Err(31));
    }
}
