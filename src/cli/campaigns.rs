//! `campaigns`, `campaign`: how far campaigns have come, and what staff do with them.

use std::process::ExitCode;

use dataflows::records::State;
use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::output::print;

/// List the campaigns: how far each has come, what may come next, how many customers it lists.
#[derive(clap::Args)]
#[command(after_help = CAMPAIGNS_EXAMPLE)]
pub struct Campaigns {
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const CAMPAIGNS_EXAMPLE: &str = "\
Example: every campaign; then those that run, with their dates and priorities.
  cohortflow campaigns
  cohortflow view campaign --where state=running --format table";

/// Show a campaign, or set its state.
///
/// With an id alone: its state, cities, history, plan and texts, and what it is likely to bring, by what came of
/// comparable campaigns. With a state too, sets it: durable, with who did it and when. The way is draft, predicted,
/// approved, dispatched, accepted (by each city, where work is by city), rehearsed, running; from running to paused
/// and back; and closed, which is final, from everywhere. A stage is left out only where the programme says so. Who
/// wrote a campaign does not approve it.
#[derive(clap::Args)]
#[command(after_help = CAMPAIGN_EXAMPLE)]
pub struct Campaign {
    /// The campaign's id.
    id: String,
    /// The state that it is set to [default: none, and it is shown].
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(State::NAMES), requires = "by")]
    state: Option<String>,
    /// Who sets it; told with every state [default: none].
    #[arg(long, value_name = "NAME", requires = "state")]
    by: Option<String>,
    /// Why, or what else is worth keeping [default: none].
    #[arg(long, value_name = "TEXT", requires = "state")]
    note: Option<String>,
    /// The city that accepts, where work is by city [default: none].
    #[arg(long, value_name = "CITY", requires = "state")]
    city: Option<String>,
    /// By which the change is known when it is sent again, so that it is made once [default: none].
    #[arg(long, value_name = "KEY", requires = "state")]
    key: Option<String>,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const CAMPAIGN_EXAMPLE: &str = "\
Example: what a campaign is likely to bring; then its approval, by somebody else than who wrote it.
  cohortflow campaign concert_crbt
  cohortflow campaign concert_crbt approved --by li --note budget
Where work is by city, each of them accepts it:
  cohortflow campaign video_client accepted --city 大连 --by wang";

pub fn campaigns(arguments: Campaigns) -> anyhow::Result<ExitCode> {
    let told = match arguments.service.get("/v1/campaigns")? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if arguments.json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    for campaign in told["campaigns"].as_array().into_iter().flatten() {
        let [id, state, since] = ["id", "state", "since"].map(|key| text(&campaign[key]));
        let (listed, next) = (text(&campaign["listed"]["target"]), text(&campaign["next"]));
        print(format_args!("{id:<24} {state:<10} {since:<19} {listed:>9} listed  next: {next}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub fn campaign(arguments: Campaign) -> anyhow::Result<ExitCode> {
    let path = format!("/v1/campaigns/{}", segment(&arguments.id));
    let answer = match &arguments.state {
        None => arguments.service.get(&path)?,
        Some(state) => {
            let mut body = json!({ "state": state, "by": arguments.by });
            for (name, value) in [("note", &arguments.note), ("city", &arguments.city)] {
                if let Some(value) = value {
                    body[name] = value.as_str().into();
                }
            }
            arguments.service.post_under(&format!("{path}/state"), &body, arguments.key.as_deref())?
        }
    };
    let told = match answer {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if arguments.json {
        print(format_args!("{told:#}"))?;
    } else if arguments.state.is_some() {
        let again = if told.get("repeated").is_some() { ", as it was before" } else { "" };
        let [state, epoch] = ["state", "epoch"].map(|key| text(&told[key]));
        print(format_args!("{} is {state}, durable with epoch {epoch}{again}", arguments.id))?;
    } else {
        shown(&told)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(told: &Value) -> anyhow::Result<()> {
    let of = |value: &Value, key: &str| text(&value[key]);
    print(format_args!(
        "{}: {}, since {} by {}",
        of(told, "id"),
        of(told, "state"),
        of(told, "since"),
        of(told, "by")
    ))?;
    print(format_args!("  name        {}", of(told, "name")))?;
    print(format_args!("  level       {}", of(told, "level")))?;
    print(format_args!("  next        {}", of(told, "next")))?;
    let listed = ["target", "control", "random"].map(|arm| format!("{arm} {}", of(&told["listed"], arm)));
    print(format_args!("  listed      {}, excluded {}", listed.join(", "), of(told, "excluded")))?;
    let all = |key: &str| told[key].as_array().into_iter().flatten();
    for city in all("cities") {
        print(format_args!("  city        {}: {}", of(city, "city"), of(city, "state")))?;
    }
    let prediction = &told["prediction"];
    if !prediction.is_null() {
        print(format_args!("  prediction  {}; {} yuan for contacts", of(prediction, "says"), of(prediction, "cost")))?;
        for one in prediction["basis"].as_array().into_iter().flatten() {
            let [id, ordered, delivered] = ["id", "ordered", "delivered"].map(|key| of(one, key));
            print(format_args!("  comparable  {id}: {ordered} of {delivered} ordered"))?;
        }
    }
    for change in all("history") {
        let [at, state, city, by, note] = ["at", "state", "city", "by", "note"].map(|key| of(change, key));
        print(format_args!("  {at}  {state}  city {city}  by {by}  {note}"))?;
        if let Some(why) = change["irregular"].as_str() {
            print(format_args!("                       irregular: {why}"))?;
        }
    }
    for content in all("contents") {
        let [channel, version, text] = ["channel", "version", "text"].map(|key| of(content, key));
        print(format_args!("  content     {channel} {version}: {text}"))?;
    }
    if let Some(plan) = told["plan"].as_object() {
        let said = plan.iter().filter(|(_, value)| !text(value).is_empty() && !value.is_null());
        for (key, value) in said {
            print(format_args!("  {key:<11} {}", text(value)))?;
        }
    }
    Ok(())
}

/// A value as people read it.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| format!("{key} {}", text(value));
            entries.iter().filter(|(_, value)| !value.is_null()).map(entry).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}
