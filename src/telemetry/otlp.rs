//! Spans to a collector: OTLP over HTTP in protobuf.
//!
//! Spans wait in a queue of bounded length for a thread of their own, which posts them in batches. Where the collector is
//! slow, dead or silent the queue is full and spans are dropped: nobody who works waits.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use ureq::tls::{RootCerts, TlsConfig};

use super::Boxed;

/// How long a collector may take for a batch, and for the last one when the process ends.
const POST_MAX: Duration = Duration::from_secs(10);
const END_MAX: Duration = Duration::from_secs(1);

/// Largest answer of a collector that is read, in bytes: it is empty, or says what was not taken.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// The path of traces below a collector's address, as the standard has it.
const TRACES: &str = "/v1/traces";

/// Where spans go, until this is dropped.
pub struct Spans(SdkTracerProvider);

impl Drop for Spans {
    fn drop(&mut self) {
        // What is not taken by then is lost.
        let _ = self.0.shutdown_with_timeout(END_MAX);
    }
}

/// Sends the spans of this service to a collector.
pub fn layer(collector: &str) -> anyhow::Result<(Boxed, Spans)> {
    let wrong = || "could not use the collector of --otlp: expected an address such as http://127.0.0.1:4318\nhint: it takes OTLP over HTTP, at port 4318 by default; its path /v1/traces is added";
    let collector = collector.trim_end_matches('/');
    let is_url = collector.starts_with("http://") || collector.starts_with("https://");
    anyhow::ensure!(is_url, wrong());
    let endpoint = match collector.ends_with(TRACES) {
        true => collector.to_owned(),
        false => format!("{collector}{TRACES}"),
    };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_http_client(Client::new())
        .with_endpoint(endpoint)
        .with_timeout(POST_MAX)
        .build()
        // Its own words may hold the address, and that a password.
        .map_err(|_| anyhow::anyhow!(wrong()))?;
    let resource = Resource::builder()
        .with_service_name("cohortflow")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("cohortflow"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target("cohortflow", Level::INFO));
    Ok((layer.boxed(), Spans(provider)))
}

/// Posts on the thread that sends batches, which has nothing else to do.
#[derive(Debug)]
struct Client(ureq::Agent);

impl Client {
    fn new() -> Client {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(POST_MAX))
            .user_agent("cohortflow")
            .tls_config(tls);
        Client(config.build().into())
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let mut posted = self.0.post(head.uri);
        for (name, value) in &head.headers {
            posted = posted.header(name, value);
        }
        let mut answer = posted.send(&body[..]).map_err(|_| "the collector did not answer")?;
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() = answer.status();
        Ok(response)
    }
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.send(request);
        let is_taken = answer.as_ref().is_ok_and(|answer| answer.status().is_success());
        let outcome = if is_taken { "taken" } else { "lost" };
        metrics::counter!("cohortflow_otlp_exports_total", "outcome" => outcome).increment(1);
        answer
    }
}
