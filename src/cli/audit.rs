//! `audit`: what was done at a service, and by whom.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::output::print;

/// Show the record of what was done, or hold every entry of it against the one before it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// Check the record instead: that nothing of it was altered, left out, or put elsewhere.
    #[arg(long, conflicts_with_all = ["who", "customer", "limit"])]
    verify: bool,
    /// With --verify: an entry as it was kept elsewhere, as --verify tells the latest. Whoever had the service's keys could
    /// write the whole record anew, but not that [default: none].
    #[arg(long, value_name = "NUMBER:HASH", requires = "verify", value_parser = kept)]
    kept: Option<(u64, String)>,
    /// What this account did [default: what everybody did].
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// What was done about this customer [default: about anybody].
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// Most entries that are shown: the latest.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    service: Service,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: who looked at a customer; whether the record holds.
  cohortflow audit --customer c1
  cohortflow audit --verify
And whether it is still the record of which that was the latest entry last month:
  cohortflow audit --verify --kept 4711:9f3a";

/// An entry's number and hash.
fn kept(text: &str) -> Result<(u64, String), String> {
    let parts = text.split_once(':').and_then(|(number, hash)| Some((number.parse().ok()?, hash.to_owned())));
    parts.ok_or_else(|| "expected NUMBER:HASH, as --verify tells them".to_owned())
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { verify, kept, who, customer, limit, service, json } = arguments;
    let answer = if verify {
        let kept = kept.map_or(json!({}), |(number, hash)| json!({ "number": number, "hash": hash }));
        service.post("/v1/audit/verify", &kept)?
    } else {
        let condition = |name: &str, value: Option<String>| value.map(|value| format!("&{name}={}", segment(&value)));
        let conditions = [condition("who", who), condition("customer", customer)];
        service.get(&format!("/v1/audit?limit={limit}{}", conditions.into_iter().flatten().collect::<String>()))?
    };
    let told = match answer {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if json {
        print(format_args!("{told:#}"))?;
    } else if verify {
        let head = told.pointer("/head/hash").and_then(Value::as_str).unwrap_or_default();
        let number = told.pointer("/head/number").and_then(Value::as_u64).unwrap_or_default();
        print(format_args!("{} entries hold; the latest is {number}:{head}", told["entries"]))?;
    } else {
        for entry in told.get("entries").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("-");
            let rows =
                entry.get("rows").and_then(Value::as_u64).map(|rows| format!("  {rows} rows")).unwrap_or_default();
            print(format_args!(
                "{}  {:<16} {:<7} {}  {}{rows}",
                text("at"),
                text("who"),
                text("outcome"),
                text("action"),
                text("object"),
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
