//! `release`, `optout`: what is due of a campaign is handed off; who wants to be left alone is.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use super::edits::{Author, sent};
use crate::output::print;

/// Hand off what is due of a campaign.
///
/// Targets become contacts: each is checked again, reserved, and put where its channel finds it, in
/// OUTBOX/channels/CHANNEL. Nobody is contacted twice for the same step, whatever happens. Nothing is released while a
/// list or a file of consents is missing, waits or is held: /readyz tells.
#[derive(clap::Args)]
#[command(after_help = RELEASE_EXAMPLE)]
pub struct Release {
    /// The campaign's id.
    campaign: String,
    /// Tell what would be handed off, and hand off nothing.
    #[arg(long)]
    dry_run: bool,
    /// A trial send to a few, before the campaign runs: with --limit of at most 100.
    #[arg(long, conflicts_with = "dry_run", requires = "limit")]
    trial: bool,
    /// Most contacts [default: all that are due].
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const RELEASE_EXAMPLE: &str = "\
Example: what would go out, then the first hundred.
  cohortflow release concert_crbt --dry-run
  cohortflow release concert_crbt --limit 100";

pub fn release(arguments: Release) -> anyhow::Result<ExitCode> {
    let Release { campaign, dry_run, trial, limit, service, json } = arguments;
    let mut body = json!({ "dry_run": dry_run, "trial": trial });
    if let Some(limit) = limit {
        body["limit"] = limit.into();
    }
    let path = format!("/v1/campaigns/{}/release", segment(&campaign));
    let told = match service.post_under(&path, &body, None)? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let number = |key: &str| told.get(key).and_then(Value::as_u64).with_context(|| format!("no {key}"));
    let verb = if dry_run { "would be handed off" } else { "handed off" };
    let (handed_off, due, withheld) = (number("handed_off")?, number("due")?, number("withheld")?);
    print(format_args!("{handed_off} of {due} due {verb}, {withheld} kept back as control"))?;
    for (key, about) in [("by_channel", "by"), ("refused", "not contacted:"), ("left", "left for another day:")] {
        for (name, count) in told.get(key).and_then(Value::as_object).into_iter().flatten() {
            print(format_args!("  {about} {name} {count}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Leave a customer alone: an opt-out, durable, that binds every campaign.
///
/// It stands until the customer consents to something again. What lies in the outbox for him is withdrawn before this
/// is answered.
#[derive(clap::Args)]
#[command(after_help = OPTOUT_EXAMPLE)]
pub struct OptOut {
    /// The customer's id.
    id: String,
    /// The campaign that he answered to [default: none].
    #[arg(long, value_name = "ID")]
    campaign: Option<String>,
    /// The channel by which he said so [default: none].
    #[arg(long, value_name = "ID")]
    channel: Option<String>,
    #[command(flatten)]
    author: Author,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const OPTOUT_EXAMPLE: &str = "\
Example: customer c1 answered STOP.
  cohortflow optout c1 --channel sms --by gateway --reason STOP";

pub fn opt_out(arguments: OptOut) -> anyhow::Result<ExitCode> {
    let OptOut { id, campaign, channel, author, service, json } = arguments;
    let mut body = json!({ "customer_id": id, "by": author.by, "reason": author.reason });
    for (name, value) in [("campaign_id", campaign), ("channel_id", channel)] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    sent(&service, "/v1/optouts", &body, author.key.as_deref(), json)
}
