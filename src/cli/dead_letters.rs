//! `dead-letters`: contacts that a webhook did not take.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::output::print;

/// List contacts that a webhook refused or never took; or try them again.
///
/// Each is checked again before it is posted: who opted out meanwhile is withdrawn.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct DeadLetters {
    /// Those of one channel [default: of all].
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Try those of the channel again.
    #[arg(long, requires = "channel")]
    replay: bool,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: what the receiver of sms did not take; then again, once it is up.
  cohortflow dead-letters --channel sms
  cohortflow dead-letters --channel sms --replay";

pub fn run(arguments: DeadLetters) -> anyhow::Result<ExitCode> {
    let DeadLetters { channel, replay, service, json } = arguments;
    let answer = match (&channel, replay) {
        (Some(channel), true) => service.post("/v1/dead-letters/replay", &json!({ "channel": channel }))?,
        (Some(channel), false) => service.get(&format!("/v1/dead-letters?channel={}", segment(channel)))?,
        (None, _) => service.get("/v1/dead-letters")?,
    };
    let told = match answer {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    if replay {
        let replayed = told.get("replayed").and_then(Value::as_u64).context("no replayed")?;
        print(format_args!("{replayed} are tried again"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let letters = told.get("dead_letters").and_then(Value::as_array).context("no dead_letters")?;
    for letter in letters {
        let text = |key: &str| letter.get(key).and_then(Value::as_str).unwrap_or_default();
        print(format_args!(
            "{}  {} {} {} after {} attempts: {}  {}",
            text("dead_at"),
            text("channel_id"),
            text("campaign_id"),
            text("customer_id"),
            text("attempts"),
            text("status"),
            text("contact_id"),
        ))?;
    }
    print(format_args!("{} dead letters", letters.len()))?;
    Ok(ExitCode::SUCCESS)
}
