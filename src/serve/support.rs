//! `GET /v1/support`: what a support bundle holds of a running service, beside its metrics and whether it is ready.

use std::path::PathBuf;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Config;
use super::answer::Refusal;
use super::door::Opened;
use crate::numbers::hidden_freely;
use crate::programme::Source;
use crate::support::{build, sizes, summary};
use crate::telemetry;

/// How the service was set up, for whoever helps.
pub struct Support {
    data: PathBuf,
    settings: Value,
}

impl Support {
    pub fn new(config: &Config) -> Support {
        let channels: Vec<&str> = config.webhooks.iter().map(|endpoint| &*endpoint.name).collect();
        let views: Vec<&str> = config.feed_webhooks.iter().map(|endpoint| &*endpoint.name).collect();
        let settings = json!({
            "programme": config.programme,
            "landing": config.landing,
            "data": config.data,
            "outbox": config.outbox,
            "webhooks": channels,
            "feed_webhooks": views,
            "webhook_patience_seconds": config.webhook_patience.as_secs(),
            "reserve_bytes": config.reserve,
            "http": config.http,
            "sql": config.sql_address(),
            "workers": config.workers,
            "poll_ms": config.poll.as_millis() as u64,
            "has_collector": config.has_collector,
        });
        Support { data: config.data.clone(), settings }
    }
}

pub async fn support(Opened(service): Opened) -> Result<Response, Refusal> {
    let told = move || {
        let ledger = summary(service.intake.store().lock().ledger());
        let told = |source: &Source| json!({ "name": source.name, "text": hidden_freely(&source.text) });
        let programme: Vec<Value> = service.intake.document().sources.iter().map(told).collect();
        let (files, is_all) = sizes(&service.support.data).map_err(Refusal::internal)?;
        Ok(Json(json!({
            "build": build(),
            "settings": service.support.settings,
            "programme": programme,
            "ledger": ledger,
            "files": files,
            "files_are_all": is_all,
            "log": telemetry::latest(),
        }))
        .into_response())
    };
    tokio::task::spawn_blocking(told).await.map_err(Refusal::internal)?
}
