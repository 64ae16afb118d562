//! Logging in with an identity provider: OpenID Connect Core 1.0, the code flow with PKCE (RFC 7636).
//!
//! ```text
//! browser ─► begin ─► the provider, which asks who he is ─► finish ─► a subject ─► the account that has it
//!            attempt: sealed, in a cookie                    code ─► token, held against the provider's keys
//! ```
//!
//! The provider tells who somebody is, and no more: what he may is his account's matter, which an administrator made.
//! Nothing is kept of an attempt until it has succeeded, so that strangers fill no memory.

mod asking;
mod handover;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
    CoreProviderMetadata,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use self::asking::{Asking, is_private};
pub use self::handover::{Handover, challenge};
use super::secret::{NoRandom, Sealing};

/// Where the provider sends browsers back to, behind this service's own address.
pub const CALLBACK: &str = "/v1/oidc/callback";

/// How long somebody may take to log in there, in seconds.
pub const ATTEMPT_SECONDS: i64 = 600;

/// What the provider says of itself is asked for anew after so many seconds, and its keys sooner where one is missing.
const KNOWN_SECONDS: i64 = 3600;
const KEYS_SECONDS: i64 = 10;

/// How long it is left alone after it did not answer, in seconds.
const PAUSE_SECONDS: i64 = 5;

/// How long others wait while it is asked.
const WAIT: Duration = Duration::from_secs(2);

/// Signatures that are taken: of keys that the provider alone has.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What an attempt is sealed as.
const ATTEMPT: &str = "attempt";

/// What of a token names the account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Claim {
    /// The provider's own id of somebody: it never becomes another's.
    Sub,
    /// The name he logs in there with. A provider may give it to somebody else later.
    PreferredUsername,
    /// His address of mail, where the provider has verified it.
    Email,
}

/// Which provider, and what it knows this service as.
#[derive(Clone)]
pub struct Settings {
    pub issuer: String,
    pub client: String,
    /// None: the provider takes PKCE for enough.
    pub secret: Option<String>,
    /// Where it sends browsers back to; none: to the address that is served.
    pub redirect: Option<String>,
    pub claim: Claim,
    /// Who signs its certificate; none: whom the system trusts.
    pub ca: Option<PathBuf>,
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    #[error("the identity provider does not answer as it should: {0}; try again soon")]
    Provider(String),
    #[error("many are logging in just now: try again soon")]
    Busy,
    #[error("this login was not begun in this browser, or more than {} minutes ago: begin again", ATTEMPT_SECONDS / 60)]
    Stale,
    #[error("the identity provider did not let him in: {0}")]
    Denied(String),
    #[error("the identity provider's token is not good: {0}")]
    Token(&'static str),
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
}

/// A program that sent its user here, and waits on this machine for what comes of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Back {
    pub port: u16,
    pub challenge: String,
}

#[derive(Serialize, Deserialize)]
struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
    back: Option<Back>,
    until: i64,
}

/// Where a browser goes, and what it keeps meanwhile.
pub struct Begun {
    pub url: String,
    pub attempt: String,
}

/// What a browser brings back.
#[derive(Default)]
pub struct Came {
    pub code: Option<String>,
    pub state: String,
    /// Of RFC 9207.
    pub issuer: Option<String>,
    pub error: Option<String>,
}

/// Who it is.
pub struct Known {
    pub subject: String,
    pub back: Option<Back>,
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What the provider said of itself, and when; or when it said nothing.
#[derive(Default)]
struct Said {
    metadata: Option<(Arc<CoreProviderMetadata>, i64)>,
    failed: Option<i64>,
}

/// An identity provider.
pub struct Provider {
    issuer: IssuerUrl,
    client: ClientId,
    secret: Option<ClientSecret>,
    redirect: RedirectUrl,
    claim: Claim,
    asking: Asking,
    sealing: Sealing,
    said: Mutex<Said>,
    pub handover: Handover,
}

impl Provider {
    /// `own` is the address that is served, `key` the store's. The provider is not asked before somebody logs in.
    pub fn new(settings: Settings, own: &str, key: &[u8; 32]) -> anyhow::Result<Provider> {
        let private = |url: &url::Url| is_private(url.scheme(), url.host_str().unwrap_or_default());
        let issuer = IssuerUrl::new(settings.issuer.clone()).ok().filter(|issuer| private(issuer.url()));
        let redirect = settings.redirect.unwrap_or_else(|| format!("{own}{CALLBACK}"));
        let to = RedirectUrl::new(redirect.clone())
            .ok()
            .filter(|to| private(to.url()) && to.url().path().ends_with(CALLBACK));
        Ok(Provider {
            issuer: issuer.ok_or_else(|| {
                anyhow::anyhow!("{:?} is no issuer\nhint: name the https address that the provider calls its issuer", settings.issuer)
            })?,
            client: ClientId::new(settings.client),
            secret: settings.secret.map(ClientSecret::new),
            redirect: to.ok_or_else(|| {
                anyhow::anyhow!("browsers cannot be sent back to {redirect:?}\nhint: name with --oidc-redirect the https address by which this service is reached, with {CALLBACK} behind it, as the provider knows it")
            })?,
            claim: settings.claim,
            asking: Asking::new(settings.ca.as_deref().map(crate::trust::signed_by).transpose()?),
            sealing: Sealing::new("cohortflow 2026 sealing attempts to log in elsewhere", key),
            said: Mutex::default(),
            handover: Handover::default(),
        })
    }

    /// Whether browsers come back over TLS.
    pub fn is_secure(&self) -> bool {
        self.redirect.url().scheme() == "https"
    }

    /// Begins a login.
    pub fn begin(&self, back: Option<Back>, now: i64) -> Result<Begun, OidcError> {
        let client = self.client(&*self.metadata(now, KNOWN_SECONDS)?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request =
            client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random).set_pkce_challenge(challenge);
        match self.claim {
            Claim::Sub => {}
            Claim::PreferredUsername => request = request.add_scope(Scope::new("profile".to_owned())),
            Claim::Email => request = request.add_scope(Scope::new("email".to_owned())),
        }
        let (url, state, nonce) = request.url();
        let attempt = Attempt {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            back,
            until: now + ATTEMPT_SECONDS,
        };
        let attempt = serde_json::to_vec(&attempt).map_err(|error| OidcError::Provider(error.to_string()))?;
        let attempt = URL_SAFE_NO_PAD.encode(self.sealing.seal(ATTEMPT, &attempt)?);
        Ok(Begun { url: url.into(), attempt })
    }

    /// Ends one: who it is.
    pub fn finish(&self, came: Came, attempt: &str, now: i64) -> Result<Known, OidcError> {
        let attempt = URL_SAFE_NO_PAD.decode(attempt).ok().and_then(|sealed| self.sealing.open(ATTEMPT, &sealed));
        let attempt = attempt.and_then(|bytes| serde_json::from_slice::<Attempt>(&bytes).ok());
        let attempt =
            attempt.filter(|attempt| attempt.state == came.state && now < attempt.until).ok_or(OidcError::Stale)?;
        if came.issuer.is_some_and(|issuer| issuer != self.issuer.as_str()) {
            return Err(OidcError::Denied("another provider answered".to_owned()));
        }
        if let Some(error) = came.error {
            return Err(OidcError::Denied(plain(&error)));
        }
        let code = came.code.ok_or(OidcError::Stale)?;
        let client = self.client(&*self.metadata(now, KNOWN_SECONDS)?);
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(provider)?;
        let answer = request
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier))
            .request(&|request| self.asking.ask(request))
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(said) => OidcError::Denied(plain(said.error().as_ref())),
                RequestTokenError::Request(error) => provider(error),
                RequestTokenError::Parse(..) | RequestTokenError::Other(_) => OidcError::Token("it is none"),
            })?;
        let token = answer.extra_fields().id_token().ok_or(OidcError::Token("there is none"))?;
        let nonce = Nonce::new(attempt.nonce);
        let claims = match verified(&client, token, &nonce) {
            // The provider may have new keys.
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let client = self.client(&*self.metadata(now, KEYS_SECONDS)?);
                verified(&client, token, &nonce).map_err(|error| OidcError::Token(why(&error)))?
            }
            claims => claims.map_err(|error| OidcError::Token(why(&error)))?,
        };
        let subject = self.subject(&claims).ok_or(OidcError::Token("it does not tell who he is"))?;
        Ok(Known { subject, back: attempt.back })
    }

    fn subject(&self, claims: &CoreIdTokenClaims) -> Option<String> {
        match self.claim {
            Claim::Sub => Some(claims.subject().to_string()),
            Claim::PreferredUsername => claims.preferred_username().map(|name| name.to_string()),
            Claim::Email => {
                claims.email().filter(|_| claims.email_verified() == Some(true)).map(|mail| mail.to_string())
            }
        }
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Client {
        let takes = metadata.token_endpoint_auth_methods_supported();
        let takes = |method| takes.is_none_or(|methods| methods.contains(&method));
        let client = CoreClient::from_provider_metadata(metadata.clone(), self.client.clone(), self.secret.clone())
            .set_redirect_uri(self.redirect.clone());
        if takes(CoreClientAuthMethod::ClientSecretBasic) {
            client
        } else {
            client.set_auth_type(AuthType::RequestBody)
        }
    }

    /// What the provider says of itself, asked for so many seconds ago at most.
    fn metadata(&self, now: i64, age: i64) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut said = self.said.try_lock_for(WAIT).ok_or(OidcError::Busy)?;
        if let Some((metadata, _)) = said.metadata.as_ref().filter(|(_, at)| now - at < age) {
            return Ok(metadata.clone());
        }
        if said.failed.is_some_and(|at| now - at < PAUSE_SECONDS) {
            return Err(OidcError::Provider("it did not a moment ago".to_owned()));
        }
        match CoreProviderMetadata::discover(&self.issuer, &|request| self.asking.ask(request)) {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *said = Said { metadata: Some((metadata.clone(), now)), failed: None };
                Ok(metadata)
            }
            Err(error) => {
                said.failed = Some(now);
                Err(match error {
                    DiscoveryError::Request(error) => provider(error),
                    // What it said stands in these.
                    DiscoveryError::Parse(_) | DiscoveryError::Response(..) => OidcError::Provider(
                        "it says nothing of itself under /.well-known/openid-configuration".to_owned(),
                    ),
                    DiscoveryError::Validation(_) => {
                        OidcError::Provider("it calls its issuer something else than --oidc-issuer does".to_owned())
                    }
                    error => provider(error),
                })
            }
        }
    }
}

fn verified(client: &Client, token: &CoreIdToken, nonce: &Nonce) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
    token.claims(&client.id_token_verifier().set_allowed_algs(SIGNATURES), nonce).cloned()
}

fn provider(error: impl std::fmt::Display) -> OidcError {
    OidcError::Provider(error.to_string())
}

/// A code of an error, which is all that is repeated of what came from outside.
fn plain(code: &str) -> String {
    let is_code =
        !code.is_empty() && code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_code { code.to_owned() } else { "it does not say why".to_owned() }
}

/// What is wrong with a token, without what stands in it.
fn why(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "it has expired",
        ClaimsVerificationError::InvalidAudience(_) => "it is for somebody else",
        ClaimsVerificationError::InvalidIssuer(_) => "it is another provider's",
        ClaimsVerificationError::InvalidNonce(_) => "it is of another login",
        ClaimsVerificationError::SignatureVerification(_) => "its signature does not hold",
        _ => "it is not well-formed",
    }
}
