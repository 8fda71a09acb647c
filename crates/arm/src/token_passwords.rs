//! Tokens as passwords of a database or a broker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use holdfast_model::{Clock, NoPassword, Password, PasswordSource};

use crate::{TokenCache, TokenSource};

/// The longest wait for a token. A connection waits for it before it logs in.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// The tokens of one credential for one scope, as passwords.
#[derive(Debug)]
pub struct TokenPasswords {
    tokens: TokenCache,
    clock: Arc<dyn Clock>,
    credential: String,
}

impl TokenPasswords {
    /// Passwords from `tokens`, each kept until its end is near. `credential` names their identity in errors.
    pub fn new(tokens: Arc<dyn TokenSource>, clock: Arc<dyn Clock>, credential: String) -> Self {
        Self { tokens: TokenCache::new(tokens, Arc::clone(&clock), TIME_LIMIT), clock, credential }
    }
}

#[async_trait]
impl PasswordSource for TokenPasswords {
    async fn password(&self) -> Result<Password, NoPassword> {
        let token = self.tokens.token().await.map_err(|error| {
            let credential = &self.credential;
            NoPassword(format!(
                "the credential {credential} has {error}; check that this machine has the identity, or name another credential"
            ))
        })?;
        let valid_for = (token.expires_on - self.clock.now()).to_std().unwrap_or_default();
        Ok(Password { secret: token.secret, valid_for })
    }

    fn credential(&self) -> &str {
        &self.credential
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use holdfast_model::{ManualClock, Timestamp};
    use secrecy::ExposeSecret;

    use super::*;
    use crate::{Token, TokenError};

    /// Gives tokens numbered from 1 that live an hour, then fails.
    #[derive(Debug)]
    struct Two(Arc<ManualClock>, Mutex<u32>);

    #[async_trait]
    impl TokenSource for Two {
        async fn token(&self) -> Result<Token, TokenError> {
            let mut asked = self.1.lock().unwrap();
            *asked += 1;
            if *asked > 2 {
                return Err(TokenError::new("no identity is assigned"));
            }
            let expires_on = self.0.now() + Duration::from_hours(1);
            Ok(Token { secret: format!("token-{asked}").into(), expires_on })
        }
    }

    #[tokio::test]
    async fn a_password_is_renewed_before_its_end_and_an_error_names_the_credential() {
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        let tokens = Arc::new(Two(Arc::clone(&clock), Mutex::default()));
        let passwords = TokenPasswords::new(tokens, Arc::clone(&clock) as _, "managed_identity".to_owned());
        for (passed, token, valid_for) in
            [(0, "token-1", 3_600), (3_299, "token-1", 301), (1, "token-2", 3_600)]
        {
            clock.advance(Duration::from_secs(passed));
            let password = passwords.password().await.unwrap();
            assert_eq!(password.secret.expose_secret(), token);
            assert_eq!(password.valid_for, Duration::from_secs(valid_for));
            assert!(!format!("{password:?} {passwords:?}").contains("token-1"));
        }
        clock.advance(Duration::from_hours(1));
        let error = passwords.password().await.unwrap_err().to_string();
        assert!(error.contains("managed_identity has no token: no identity is assigned"), "{error}");
    }
}
