//! Logging in over SQL: SCRAM-SHA-256 (RFC 7677), bound to the certificate where there is one.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use pgwire::api::ClientInfo;
use pgwire::api::auth::sasl::SASLState;
use pgwire::api::auth::sasl::scram::ScramAuth;
use pgwire::api::auth::sasl::{SCRAM_SHA_256_METHOD, SCRAM_SHA_256_PLUS_METHOD};
use pgwire::api::auth::{AuthSource, LoginInfo, Password};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::startup::{Authentication, PasswordMessageFamily};

use crate::access::SCRAM_ITERATIONS;
use crate::serve::Service;

/// A login under way.
pub struct Login {
    scram: ScramAuth,
    state: SASLState,
}

/// What the service knows of passwords.
struct Source(Arc<Service>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("accounts")
    }
}

#[async_trait]
impl AuthSource for Source {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        let (salt, password) = self.0.accounts.salted(login.user().unwrap_or_default());
        Ok(Password::new(Some(salt), password))
    }
}

impl Login {
    /// Begins one; over TLS it can be bound to the certificate.
    pub fn begin(service: Arc<Service>, certificate: Option<Vec<u8>>) -> PgWireResult<(Login, Authentication)> {
        let mut scram = ScramAuth::new(Arc::new(Source(service)));
        scram.set_iterations(SCRAM_ITERATIONS as usize);
        let mut ways = vec![SCRAM_SHA_256_METHOD.to_owned()];
        // A certificate whose signature is of a kind that binds nothing leaves logins unbound.
        if certificate.is_some_and(|pem| scram.configure_certificate(&pem).is_ok()) {
            ways.insert(0, SCRAM_SHA_256_PLUS_METHOD.to_owned());
        }
        Ok((Login { scram, state: SASLState::Initial }, Authentication::SASL(ways)))
    }

    /// Takes what the client says: what is answered, and whether he is who he says.
    pub async fn take<C>(&mut self, client: &C, message: PasswordMessageFamily) -> PgWireResult<(Authentication, bool)>
    where
        C: ClientInfo + Unpin + Send,
    {
        let message = match self.state {
            SASLState::Initial => {
                let first = message.into_sasl_initial_response()?;
                let way = first.auth_method.as_str();
                if ![SCRAM_SHA_256_METHOD, SCRAM_SHA_256_PLUS_METHOD].contains(&way) {
                    return Err(PgWireError::UnsupportedSASLAuthMethod(way.to_owned()));
                }
                self.state = SASLState::ScramClientFirstReceived;
                PasswordMessageFamily::SASLInitialResponse(first)
            }
            _ => PasswordMessageFamily::SASLResponse(message.into_sasl_response()?),
        };
        let (answer, state) = self.scram.process_scram_message(client, message, &self.state).await?;
        self.state = state;
        Ok((answer, matches!(self.state, SASLState::Finished)))
    }
}
