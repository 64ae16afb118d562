//! Who connects, and who cancels.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures::{Sink, SinkExt};
use pgwire::api::auth::{
    ServerParameterProvider, StartupHandler, finish_authentication, protocol_negotiation,
    save_startup_parameters_to_metadata,
};
use pgwire::api::cancel::CancelHandler;
use pgwire::api::{
    ClientInfo, ErrorHandler, METADATA_DATABASE, METADATA_USER, PgWireConnectionState, PgWireServerHandlers,
    PidSecretKeyGenerator,
};
use pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::PasswordMessageFamily;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};

use super::CONNECTIONS_MAX;
use super::connection::Connection;
use super::login::Login;
use crate::access::Right;
use crate::access::audit::{Act, Outcome};
use crate::query::sql::refusal::{Code, Refusal};
use crate::query::sql::{DATABASE, VERSION};
use crate::serve::tls::Tls;

/// Bytes of a name of somebody.
const NAME_MAX: usize = 63;

/// A connection's own messages, all handled by it.
pub struct Handlers(pub Arc<Connection>);

impl PgWireServerHandlers for Handlers {
    fn simple_query_handler(&self) -> Arc<impl pgwire::api::query::SimpleQueryHandler> {
        Arc::new(Handlers(self.0.clone()))
    }

    fn extended_query_handler(&self) -> Arc<impl pgwire::api::query::ExtendedQueryHandler> {
        Arc::new(Handlers(self.0.clone()))
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        Arc::new(Handlers(self.0.clone()))
    }

    fn error_handler(&self) -> Arc<impl ErrorHandler> {
        Arc::new(Handlers(self.0.clone()))
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        Arc::new(Handlers(self.0.clone()))
    }
}

impl ErrorHandler for Handlers {
    fn on_error<C: ClientInfo>(&self, _: &C, _: &mut PgWireError) {
        // Whatever was under way has ended with it.
        self.0.is_idle();
    }
}

#[async_trait]
impl StartupHandler for Handlers {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let startup = match message {
            PgWireFrontendMessage::Startup(startup) => startup,
            PgWireFrontendMessage::PasswordMessageFamily(message) => return self.prove(client, message).await,
            _ => return Err(fatal(Refusal::new(Code::Protocol, "expected a startup message"))),
        };
        let startup = &startup;
        protocol_negotiation(client, startup).await?;
        save_startup_parameters_to_metadata(client, startup);
        let connection = &self.0;
        if connection.shared.connections.load(Ordering::Relaxed) > CONNECTIONS_MAX {
            let message = format!("sorry, too many clients already: at most {CONNECTIONS_MAX}");
            return Err(fatal(Refusal::new(Code::TooMany, message)));
        }
        let named = |key: &str| client.metadata().get(key).map(String::as_str).unwrap_or_default();
        let user = named(METADATA_USER).to_owned();
        if user.is_empty() || user.len() > NAME_MAX {
            return Err(fatal(Refusal::new(Code::InvalidLogin, format!("a user's name has 1 to {NAME_MAX} bytes"))));
        }
        // Clients that are given no database's name take the user's.
        let database = named(METADATA_DATABASE);
        if !database.is_empty() && database != DATABASE && database != user {
            let message = format!("database \"{database}\" does not exist");
            return Err(fatal(Refusal::new(Code::UndefinedDatabase, message).hint(format!("connect to {DATABASE}"))));
        }
        for (name, value) in &startup.parameters {
            // What a client says of itself at the beginning is what it would set; what is unknown is left alone.
            let _ = connection.state().settings.set(name, Some(value));
        }
        let from = client.socket_addr().ip();
        if connection.shared.tls.is_some() && !client.is_secure() && !from.is_loopback() {
            let refusal = Refusal::new(Code::InvalidLogin, "connections from elsewhere are served over TLS alone");
            return Err(fatal(refusal.hint("connect with sslmode=require, or better verify-full")));
        }
        let service = &connection.shared.service;
        if service.accounts.keeper().is_some() {
            return self.open(client, None).await;
        }
        if let Err(wait) = service.accounts.may_try(&user, client.socket_addr().ip(), now()) {
            return Err(fatal(Refusal::new(Code::InvalidLogin, wait.to_string())));
        }
        let certificate = connection.shared.tls.as_ref().filter(|_| client.is_secure()).map(Tls::pem);
        let (login, ways) = Login::begin(service.clone(), certificate)?;
        *connection.login.lock().await = Some(login);
        client.set_state(PgWireConnectionState::AuthenticationInProgress);
        client.send(PgWireBackendMessage::Authentication(ways)).await?;
        Ok(())
    }
}

impl Handlers {
    /// Goes on with a login.
    async fn prove<C>(&self, client: &mut C, message: PasswordMessageFamily) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let service = &self.0.shared.service;
        let user = client.metadata().get(METADATA_USER).cloned().unwrap_or_default();
        let from = client.socket_addr().ip();
        let mut held = self.0.login.lock().await;
        let Some(login) = held.as_mut() else {
            return Err(fatal(Refusal::new(Code::Protocol, "no login is under way")));
        };
        let taken = login.take(client, message).await;
        let is_right = match &taken {
            Ok((_, is_done)) => is_done.then_some(true),
            Err(_) => Some(false),
        };
        let viewer = is_right.filter(|is_right| *is_right).and_then(|_| service.accounts.viewer(&user));
        if let Some(is_right) = is_right {
            *held = None;
            service.accounts.tried(&user, from, is_right, now());
            let is_let_in = viewer.as_ref().is_some_and(|viewer| viewer.may(Right::Sql));
            let outcome = if is_let_in { Outcome::Done } else { Outcome::Denied };
            let stranger = service.accounts.viewer(&user).is_none().then(|| service.audit.stranger(&user));
            let object = Some(stranger.as_deref().unwrap_or(&user));
            let act = Act { action: "login over SQL", object, from: Some(from), outcome, ..Act::default() };
            let noted = service.audit.note(viewer.as_deref(), &act, false);
            noted.map_err(|error| {
                tracing::error!("{error}");
                fatal(Refusal::new(Code::Internal, "the login could not be noted"))
            })?;
        }
        drop(held);
        let wrong =
            || fatal(Refusal::new(Code::WrongPassword, format!("password authentication failed for user \"{user}\"")));
        let (answer, is_done) = taken.map_err(|_| wrong())?;
        if is_done {
            let viewer = viewer.ok_or_else(wrong)?;
            if !viewer.may(Right::Sql) {
                return Err(fatal(Refusal::new(Code::Denied, "the account's role does not let it ask in SQL")));
            }
            client.send(PgWireBackendMessage::Authentication(answer)).await?;
            return self.open(client, Some(user)).await;
        }
        client.send(PgWireBackendMessage::Authentication(answer)).await?;
        Ok(())
    }

    /// Lets somebody in: whom, where there are accounts.
    async fn open<C>(&self, client: &mut C, account: Option<String>) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let connection = &self.0;
        let user = client.metadata().get(METADATA_USER).cloned().unwrap_or_default();
        let session = connection.shared.statements.session(&user).map_err(fatal)?;
        connection.open(session, account, client.socket_addr().ip());
        let (_, secret) = connection.shared.secrets.generate(client);
        *connection.cancels.secret.lock() = secret.clone();
        client.set_pid_and_secret_key(connection.number, secret);
        connection.shared.cancels.lock().insert(connection.number, connection.cancels.clone());
        finish_authentication(client, &Told).await
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Ends the connection.
fn fatal(refusal: Refusal) -> PgWireError {
    let mut info = ErrorInfo::new("FATAL".to_owned(), refusal.code.state().to_owned(), refusal.message);
    info.hint = refusal.hint;
    PgWireError::UserError(Box::new(info))
}

/// What clients are told of the server at the beginning.
struct Told;

impl ServerParameterProvider for Told {
    fn server_parameters<C: ClientInfo>(&self, client: &C) -> Option<HashMap<String, String>> {
        let named = |key: &str| client.metadata().get(key).cloned().unwrap_or_default();
        let told = [
            ("server_version", VERSION.to_owned()),
            ("server_encoding", "UTF8".to_owned()),
            ("client_encoding", "UTF8".to_owned()),
            ("application_name", named("application_name")),
            ("session_authorization", named(METADATA_USER)),
            ("is_superuser", "off".to_owned()),
            ("default_transaction_read_only", "on".to_owned()),
            ("in_hot_standby", "off".to_owned()),
            ("integer_datetimes", "on".to_owned()),
            ("standard_conforming_strings", "on".to_owned()),
            ("DateStyle", "ISO, YMD".to_owned()),
            ("IntervalStyle", "postgres".to_owned()),
            ("TimeZone", "UTC".to_owned()),
            ("search_path", "public".to_owned()),
        ];
        Some(told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

#[async_trait]
impl CancelHandler for Handlers {
    async fn on_cancel_request(&self, request: CancelRequest) {
        let cancels = self.0.shared.cancels.lock().get(&request.pid).cloned();
        if let Some(cancels) = cancels.filter(|cancels| cancels.secret.lock().eq_value(&request.secret_key)) {
            cancels.cancel();
        }
    }
}
