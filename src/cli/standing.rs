//! `standing`: a member's place on the leaderboard.

use std::process::ExitCode;

use serde_json::Value;

use super::client::{Answer, Service, refused, segment};
use crate::output::print;
use crate::query::leaderboard::NEIGHBOURS_MAX;

/// Show where a member stands by points, in the province and in his city, and who is next to him.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// The customer's id.
    id: String,
    /// How many members to show above him, and below.
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(u16).range(0..=NEIGHBOURS_MAX as i64))]
    neighbours: u16,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: the place of customer c1, and ten members on each side.
  cohortflow standing c1 --neighbours 10";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let path = format!("/v1/customers/{}/standing?neighbours={}", segment(&arguments.id), arguments.neighbours);
    let standing = match arguments.service.get(&path)? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(standing) => standing,
    };
    if arguments.json {
        print(format_args!("{standing:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = |value: &Value, key: &str| match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let line = |value: &Value, mark: char| {
        let [position, id, balance] = ["position", "customer_id", "balance"].map(|key| text(value, key));
        format!("{mark} {position:>9}  {id:<24} {balance:>12}")
    };
    let [id, balance, rank, city] = ["customer_id", "balance", "rank", "city"].map(|key| text(&standing, key));
    print(format_args!("{id}: {balance} points, rank {rank}, city {city}"))?;
    for (title, key) in [("province", "in_province"), ("city", "in_city")] {
        let place = &standing[key];
        let [position, members, tied] = ["position", "members", "tied"].map(|key| text(place, key));
        print(format_args!("{title}: {position} of {members} members, {tied} others tied"))?;
        for above in place["above"].as_array().into_iter().flatten() {
            print(format_args!("{}", line(above, ' ')))?;
        }
        let own =
            serde_json::json!({ "position": place["position"], "customer_id": id, "balance": standing["balance"] });
        print(format_args!("{}", line(&own, '>')))?;
        for below in place["below"].as_array().into_iter().flatten() {
            print(format_args!("{}", line(below, ' ')))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
