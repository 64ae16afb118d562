//! `offers`: what a customer who calls is offered, and what he says to it.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::orders::Accepted;
use crate::output::print;

/// Show what to offer a customer who calls, or take his answer to an offer.
///
/// First what the pack of his class and the campaigns that list him have, then other products. What he has, cannot use
/// or declined lately is left out; who wants to be left alone is offered nothing.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Offers {
    /// The customer's id.
    id: String,
    /// Which page, from 1.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,
    /// What he says to the offer of --product [default: none, offers are shown].
    #[arg(long, value_enum, requires = "product", requires = "by")]
    answer: Option<Accepted>,
    /// The product that was offered [default: none].
    #[arg(long, value_name = "ID", requires = "answer")]
    product: Option<String>,
    /// The campaign that offered it [default: none].
    #[arg(long, value_name = "ID", requires = "answer")]
    campaign: Option<String>,
    /// The channel on which it was offered [default: none].
    #[arg(long, value_name = "ID", requires = "answer")]
    channel: Option<String>,
    /// Who offered it [default: none].
    #[arg(long, value_name = "NAME", requires = "answer")]
    by: Option<String>,
    /// By which the answer is known when it is sent again [default: none].
    #[arg(long, value_name = "KEY", requires = "answer")]
    key: Option<String>,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: what customer c1 is offered; he takes the ringback tones.
  cohortflow offers c1
  cohortflow offers c1 --product crbt --answer accepted --by desk7";

pub fn offers(arguments: Offers) -> anyhow::Result<ExitCode> {
    let Offers { id, page, answer, product, campaign, channel, by, key, service, json } = arguments;
    let path = format!("/v1/customers/{}/offers", segment(&id));
    let answered = match answer {
        None => service.get(&format!("{path}?page={page}"))?,
        Some(answer) => {
            let mut body = json!({ "product_id": product, "answer": answer, "by": by });
            for (name, value) in [("campaign_id", campaign), ("channel_id", channel)] {
                if let Some(value) = value {
                    body[name] = value.into();
                }
            }
            service.post_under(&format!("{path}/answer"), &body, key.as_deref())?
        }
    };
    let told = match answered {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    if answer.is_some() {
        return super::orders::said(&told);
    }
    if let Some(why) = told.get("closed").and_then(Value::as_str) {
        print(format_args!("nothing is offered: {why}"))?;
    }
    for offer in ["offers", "more"].into_iter().filter_map(|key| told.get(key)?.as_array()).flatten() {
        let [product, why, campaign, channel, text] = ["product_id", "why", "campaign_id", "channel_id", "text"]
            .map(|key| offer.get(key).and_then(Value::as_str).unwrap_or("-"));
        print(format_args!("{product:<20} {why:<9} {campaign:<20} {channel:<9} {text}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
