//! Renews the token of an open connection, so that the broker need not close it.

use std::sync::Arc;
use std::time::Duration;

use holdfast_model::PasswordSource;
use lapin::Connection;
use lapin::types::LongString;
use secrecy::ExposeSecret;

use super::connect_error::describe;

/// How long before a token's end it is renewed. The source renews its token five minutes before.
const RENEW_BEFORE: Duration = Duration::from_mins(4);

/// The pause after the source failed.
const RETRY: Duration = Duration::from_secs(10);

/// The login of an open connection, whose password ends.
pub(super) struct TokenLogin {
    pub passwords: Arc<dyn PasswordSource>,
    /// How long the broker accepts the password that opened the connection.
    pub valid_for: Duration,
}

impl TokenLogin {
    /// Renews the token until the broker refuses one. Returns the reason.
    pub async fn keep(&self, connection: &Connection) -> String {
        let (mut pause, mut has_failed) = (renewal_pause(self.valid_for), false);
        loop {
            // A stop and the loss of the connection drop this future.
            let _ = tokio::time::timeout(pause, std::future::pending::<()>()).await;
            match self.passwords.password().await {
                Ok(password) => {
                    let secret = LongString::from(password.secret.expose_secret());
                    let updated = connection.update_secret(secret, "the token is renewed".into()).await;
                    if let Err(error) = updated {
                        return format!("the broker refused the renewed token: {}", describe(&error));
                    }
                    (pause, has_failed) = (renewal_pause(password.valid_for), false);
                    tracing::debug!("the broker accepted a renewed token");
                }
                Err(error) => {
                    if !has_failed {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "failed to renew the token of the connection to the broker; trying again"
                        );
                    }
                    (pause, has_failed) = (RETRY, true);
                }
            }
        }
    }
}

/// The time until a token is renewed that is valid for `left`. Near its end each try comes after half of what is left.
fn renewal_pause(left: Duration) -> Duration {
    let pause = left.saturating_sub(RENEW_BEFORE).max(left.min(2 * RENEW_BEFORE) / 2);
    pause.max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_four_minutes_before_its_end_and_a_short_one_at_half_of_it() {
        for (left, pause) in
            [(86_400, 86_160), (3_600, 3_360), (480, 240), (240, 120), (60, 30), (1, 1), (0, 1)]
        {
            assert_eq!(renewal_pause(Duration::from_secs(left)), Duration::from_secs(pause), "{left}");
        }
    }
}
