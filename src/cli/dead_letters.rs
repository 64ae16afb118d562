//! `dead-letters`: what webhooks did not take.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::output::print;

/// List what a webhook refused or never took, contacts and messages of views; or try it again.
///
/// Each contact is checked again before it is posted: who opted out meanwhile is withdrawn. A view stands still at the
/// message that was not taken, and goes on behind it in order.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE, group(clap::ArgGroup::new("of").args(["channel", "view"])))]
pub struct DeadLetters {
    /// Those of one channel [default: of all].
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// That of one view [default: of all].
    #[arg(long, value_name = "VIEW")]
    view: Option<String>,
    /// Try those of the channel, or that of the view, again.
    #[arg(long, requires = "of")]
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
  cohortflow dead-letters --channel sms --replay
The view that stands still at a message, which its receiver takes by now:
  cohortflow dead-letters --view target --replay";

pub fn run(arguments: DeadLetters) -> anyhow::Result<ExitCode> {
    let DeadLetters { channel, view, replay, service, json } = arguments;
    let of = channel.map(|channel| ("channel", channel)).or(view.map(|view| ("view", view)));
    let answer = match (&of, replay) {
        (Some((key, name)), true) => service.post("/v1/dead-letters/replay", &json!({ *key: name }))?,
        (Some((key, name)), false) => service.get(&format!("/v1/dead-letters?{key}={}", segment(name)))?,
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
    let feeds = told.get("feeds").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for letter in feeds {
        let text = |key: &str| letter.get(key).and_then(Value::as_str).unwrap_or_default();
        let attempts = letter.get("attempts").and_then(Value::as_u64).unwrap_or_default();
        print(format_args!(
            "{}  {} {} after {attempts} attempts: {}  {}",
            text("dead_at"),
            text("view"),
            text("event"),
            text("status"),
            text("id"),
        ))?;
    }
    print(format_args!("{} dead letters", letters.len() + feeds.len()))?;
    Ok(ExitCode::SUCCESS)
}
