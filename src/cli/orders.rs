//! `reply`, `provision`: what a customer answers to a contact; what he ordered is given out.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::{Answer, Service, refused};
use crate::output::print;

/// Take what a customer answered to a contact: Y orders, N declines, STOP opts out.
///
/// An order is durable when this returns, and made once however often the reply comes. Who is on a restriction of the
/// programme, has the service or cannot use it is told so.
#[derive(clap::Args)]
#[command(after_help = REPLY_EXAMPLE)]
pub struct Reply {
    /// The customer's id.
    id: String,
    /// What he answered.
    text: String,
    /// The campaign that he answered to: its latest contact with him is meant [default: that of the contact].
    #[arg(long, value_name = "ID", required_unless_present = "contact")]
    campaign: Option<String>,
    /// The contact that he answered to [default: the latest of the campaign].
    #[arg(long, value_name = "ID")]
    contact: Option<String>,
    /// The channel by which he answered [default: that of the contact].
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    /// Who relays it.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// By which the reply is known when it is sent again [default: none].
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const REPLY_EXAMPLE: &str = "\
Example: customer c1 answered Y to a campaign.
  cohortflow reply c1 Y --campaign spring --by gateway";

pub fn reply(arguments: Reply) -> anyhow::Result<ExitCode> {
    let Reply { id, text, campaign, contact, channel, by, key, service, json } = arguments;
    let mut body = json!({ "customer_id": id, "text": text, "by": by });
    for (name, value) in [("campaign_id", campaign), ("contact_id", contact), ("channel_id", channel)] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    match service.post_under("/v1/replies", &body, key.as_deref())? {
        Answer::Refused(value) => Ok(refused(&value)),
        Answer::Found(told) if json => print(format_args!("{told:#}")).map(|()| ExitCode::SUCCESS),
        Answer::Found(told) => said(&told),
    }
}

/// What became of a reply, in a line or two. Exit code 1 where nothing was ordered that was asked for.
pub(super) fn said(told: &Value) -> anyhow::Result<ExitCode> {
    let text = |pointer: &str| told.pointer(pointer).and_then(Value::as_str);
    let again = if told.get("repeated").is_some() { ", as it was before" } else { "" };
    let is_failed = text("/state") == Some("failed");
    match (text("/state"), text("/request_id")) {
        (Some(state), Some(request)) => {
            let product = text("/product_id").unwrap_or_default();
            let code = text("/code").map(|code| format!(" ({code})")).unwrap_or_default();
            print(format_args!("{product} {state}{code}{again}: request {request}"))?;
        }
        _ if told.get("declined").is_some() => print(format_args!("declined{again}"))?,
        _ if told.get("answer").is_some() => print(format_args!("noted{again}"))?,
        _ if told.get("understood").is_some() => print(format_args!("not understood; nothing was written"))?,
        _ => print(format_args!("durable with epoch {}{again}", told["epoch"]))?,
    }
    if let Some(reply) = text("/reply/text") {
        print(format_args!("  {reply}"))?;
    }
    Ok(if is_failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// Give out the order requests that wait, as a file in OUTBOX/provisioning.
///
/// Each request is in one file, for ever. Whoever provisions takes the file by renaming it, and answers with a file of
/// the feed provisioning, or over HTTP.
#[derive(clap::Args)]
#[command(after_help = PROVISION_EXAMPLE)]
pub struct Provision {
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const PROVISION_EXAMPLE: &str = "\
Example: what waits, as a file.
  cohortflow provision";

pub fn provision(arguments: Provision) -> anyhow::Result<ExitCode> {
    let told = match arguments.service.post("/v1/provisioning/batch", &json!({}))? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if arguments.json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    match told.get("file").and_then(Value::as_str) {
        Some(file) => print(format_args!("{} requests in {file}", told["requests"]))?,
        None => print(format_args!("no request waits"))?,
    }
    Ok(ExitCode::SUCCESS)
}
