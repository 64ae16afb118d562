//! `worklist`: calls that people make, who has which, and what came of it.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::orders::TaskState;
use crate::output::print;

/// Show the calls to be made; claim one, or tell what came of it.
///
/// Who claims a call has it for half an hour, and is given nobody who opted out meanwhile.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Worklist {
    /// The contact to claim, or to tell the result of [default: none, the list is shown].
    #[arg(requires = "agent")]
    contact: Option<String>,
    /// The agent: who claims, or whose calls are shown [default: everybody's].
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// What came of the call: delivered, failed, or callback [default: none, it is claimed].
    #[arg(long, value_name = "OUTCOME", requires = "contact")]
    result: Option<String>,
    /// What he said: order, decline, later, complaint, optout or consult [default: none].
    #[arg(long, value_name = "KIND", requires = "result")]
    feedback: Option<String>,
    /// When he is to be called back [default: never].
    #[arg(long, value_name = "TIME", requires = "result")]
    at: Option<String>,
    /// By which the result is known when it is sent again [default: none].
    #[arg(long, value_name = "KEY", requires = "result")]
    key: Option<String>,
    /// Calls of this campaign alone [default: of all].
    #[arg(long, value_name = "ID", conflicts_with = "contact")]
    campaign: Option<String>,
    /// Calls that have come so far [default: all].
    #[arg(long, value_enum, conflicts_with = "contact")]
    state: Option<TaskState>,
    /// Most calls that are shown.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    service: Service,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example: what is open; ann takes a call, and tells what came of it.
  cohortflow worklist --state open
  cohortflow worklist CONTACT --agent ann
  cohortflow worklist CONTACT --agent ann --result delivered --feedback decline";

pub fn worklist(arguments: Worklist) -> anyhow::Result<ExitCode> {
    let as_json = arguments.json;
    let told = match asked(arguments)? {
        Answer::Refused(value) => return Ok(refused(&value)),
        Answer::Found(told) => told,
    };
    if as_json {
        print(format_args!("{told:#}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let one = told.get("task").into_iter();
    let tasks = told.get("tasks").and_then(Value::as_array).into_iter().flatten();
    for task in one.chain(tasks) {
        let [contact, campaign, customer, state, agent, callback] =
            ["contact_id", "campaign_id", "customer_id", "state", "agent", "callback_at"]
                .map(|key| task.get(key).and_then(Value::as_str).unwrap_or("-"));
        print(format_args!("{contact}  {campaign:<20} {customer:<20} {state:<9} {agent:<12} {callback}"))?;
    }
    match told.get("repeated") {
        Some(_) => print(format_args!("as it was before"))?,
        None if told.get("epoch").is_some() => print(format_args!("durable with epoch {}", told["epoch"]))?,
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn asked(arguments: Worklist) -> anyhow::Result<Answer> {
    let Worklist { contact, agent, result, feedback, at, key, campaign, state, limit, service, .. } = arguments;
    let Some(contact) = contact else {
        let mut path = format!("/v1/worklist?limit={limit}");
        let state = state.and_then(|state| serde_json::to_value(state).ok()?.as_str().map(str::to_owned));
        for (name, value) in [("campaign", campaign), ("agent", agent), ("state", state)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", segment(&value)));
            }
        }
        return service.get(&path);
    };
    let path = format!("/v1/worklist/{}", segment(&contact));
    let Some(result) = result else { return service.post(&format!("{path}/claim"), &json!({ "agent": agent })) };
    let mut body = json!({ "agent": agent, "outcome": result });
    for (name, value) in [("feedback", feedback), ("at_callback", at)] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    service.post_under(&format!("{path}/result"), &body, key.as_deref())
}
