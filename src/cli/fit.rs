//! `fit`: a customer's best products, a product's best customers, a channel's best use.

use std::process::ExitCode;

use serde_json::Value;

use super::client::{Answer, Service, refused, segment};
use crate::output::print;
use crate::query::fit::CUSTOMERS_MAX;

/// Show which products suit a customer and over which channel, whom a product suits, or what a channel is best for.
///
/// Scores are from 0 to 100: of customer and product, product and channel, customer and channel, and of the whole.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
#[command(group(clap::ArgGroup::new("whose").required(true).multiple(true).args(["customer", "product", "channel"])))]
pub struct Arguments {
    /// The customer's id: his best five products; with --product that one, over every channel [default: none].
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// The product: whom it suits most [default: none].
    #[arg(long, value_name = "ID")]
    product: Option<String>,
    /// The channel: which products it suits [default: none].
    #[arg(long, value_name = "ID", conflicts_with_all = ["customer", "product"])]
    channel: Option<String>,
    /// How many customers of a product.
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with_all = ["customer", "channel"], value_parser = clap::value_parser!(u32).range(1..=CUSTOMERS_MAX as i64))]
    limit: u32,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: what suits customer c1; whom the ringback tone suits; what MMS is best for.
  cohortflow fit --customer c1
  cohortflow fit --product crbt --limit 50
  cohortflow fit --channel mms";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { customer, product, channel, limit, service, json } = arguments;
    let path = match (&customer, &product, &channel) {
        (Some(customer), None, _) => format!("/v1/customers/{}/fit", segment(customer)),
        (Some(customer), Some(product), _) => {
            format!("/v1/customers/{}/fit?product_id={}", segment(customer), segment(product))
        }
        (None, Some(product), _) => format!("/v1/products/{}/fit?limit={limit}", segment(product)),
        (None, None, channel) => format!("/v1/channels/{}/fit", segment(channel.as_deref().unwrap_or_default())),
    };
    let told = match service.get(&path)? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = told.get("fit").and_then(Value::as_array).map_or(&[][..], |rows| rows);
    if rows.is_empty() {
        print(format_args!("nothing: the programme has no [fit], no channel has a row, or nothing suits"))?;
    }
    for row in rows {
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
        let line = match &channel {
            Some(_) => format!("{:<24} {:>6}", text("product_id"), text("product_channel")),
            None => {
                let whose = if customer.is_some() { String::new() } else { format!("{:<20} ", text("customer_id")) };
                let keys = ["score", "customer_product", "product_channel", "customer_channel"];
                let [score, suits, over, takes] = keys.map(text);
                let point = row.get("selling_point").and_then(Value::as_str).unwrap_or_default();
                let [product, channel] = ["product_id", "channel_id"].map(text);
                format!("{whose}{product:<20} {channel:<10} {score:>6}  {suits:>6} {over:>6} {takes:>6}  {point}")
            }
        };
        print(format_args!("{}", line.trim_end()))?;
    }
    Ok(ExitCode::SUCCESS)
}
