//! `account`: who may ask a service what.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::client::{Answer, Service, refused, segment};
use crate::access::Role;
use crate::output::{print, tell};
use crate::query::sight::Place;

/// Make, show, change and delete accounts of a service, and give programs tokens.
///
/// With no account a service is one person's, and everything is his. The first account ends that; it is an
/// administrator's. What a role may do is shown with `account list --roles`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Make an account. Its password is asked for, or read from a file.
    Add(Said),
    /// Change an account: what is not said stays as it is.
    Set(Said),
    /// Show all accounts.
    List {
        /// Show what roles there are, and what each may do, instead.
        #[arg(long)]
        roles: bool,
        #[command(flatten)]
        service: Service,
    },
    /// Delete an account.
    Remove {
        /// The name of the account.
        name: String,
        #[command(flatten)]
        service: Service,
    },
    /// Give an account a token, which is shown once.
    Token {
        /// The name of the account.
        name: String,
        /// Days that it is good for [default: until it is taken back].
        #[arg(long)]
        days: Option<u32>,
        /// Take back the token of this id instead [default: none].
        #[arg(long, value_name = "ID", conflicts_with = "days")]
        revoke: Option<String>,
        #[command(flatten)]
        service: Service,
    },
}

#[derive(clap::Args)]
struct Said {
    /// The name of the account.
    name: String,
    /// What it is for; a new account needs one [default: the one it has].
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// A city whose customers the account sees; may be said several times [default: the province].
    #[arg(long, value_name = "CITY")]
    city: Vec<String>,
    /// A district whose customers it sees; may be said several times [default: none].
    #[arg(long, value_name = "CITY/DISTRICT")]
    district: Vec<String>,
    /// A menu of its role's that it has; may be said several times [default: all of them].
    #[arg(long, value_name = "MENU")]
    menu: Vec<String>,
    /// The channel of a channel's account [default: none].
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Rows about persons that it may take in a day [default: its role's number].
    #[arg(long, value_name = "N")]
    rows_a_day: Option<u64>,
    /// A file whose first line is the password [default: it is asked for].
    #[arg(long, value_name = "PATH", conflicts_with = "no_password")]
    password_file: Option<PathBuf>,
    /// Whom the identity provider knows it as, to log in with `login --browser`; empty: nobody [default: none].
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Without a password, or leave the one it has: a program has tokens.
    #[arg(long)]
    no_password: bool,
    #[command(flatten)]
    service: Service,
}

const EXAMPLE: &str = "\
Example: the first account; then somebody for one city, and a token for a dashboard.
  cohortflow account add root --role administrator
  cohortflow login root --output token
  cohortflow account add mei --role city_operator --city Haicheng --token-file token
  cohortflow account add ann --role planner --subject 5a1f2c --token-file token
  cohortflow account token grafana --days 365 --token-file token";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.what {
        What::Add(said) => set(said, true),
        What::Set(said) => set(said, false),
        What::List { roles: true, .. } => roles(),
        What::List { service, .. } => list(&service),
        What::Remove { name, service } => told(service.delete(&format!("/v1/accounts/{}", segment(&name)))?, |_| {
            print(format_args!("{name} is deleted"))
        }),
        What::Token { name, revoke: Some(id), service, .. } => {
            let path = format!("/v1/accounts/{}/tokens/{}", segment(&name), segment(&id));
            told(service.delete(&path)?, |_| print(format_args!("the token {id} of {name} is taken back")))
        }
        What::Token { name, days, service, .. } => {
            let body = days.map_or_else(|| json!({}), |days| json!({ "days": days }));
            told(service.post(&format!("/v1/accounts/{}/tokens", segment(&name)), &body)?, |answer| {
                let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
                tell(format_args!(
                    "note: it is shown this once; `cohortflow account token {name} --revoke {}` takes it back",
                    text("id")
                ));
                print(format_args!("{}", text("token")))
            })
        }
    }
}

pub fn told(answer: Answer, tell: impl FnOnce(&Value) -> anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    match answer {
        Answer::Refused(value) => Ok(refused(&value)),
        Answer::Found(value) => tell(&value).map(|()| ExitCode::SUCCESS),
    }
}

fn set(said: Said, is_new: bool) -> anyhow::Result<ExitCode> {
    let mut fields = Map::new();
    if let Some(role) = said.role {
        fields.insert("role".to_owned(), role.name().into());
    }
    let mut places: Vec<Place> = said.city.into_iter().map(|city| Place { city, district: None }).collect();
    for text in said.district {
        let (city, district) =
            text.split_once('/').with_context(|| format!("expected CITY/DISTRICT for --district, found {text:?}"))?;
        places.push(Place { city: city.to_owned(), district: Some(district.to_owned()) });
    }
    if !places.is_empty() {
        fields.insert("places".to_owned(), serde_json::to_value(places)?);
    }
    if !said.menu.is_empty() {
        fields.insert("menus".to_owned(), said.menu.into());
    }
    if let Some(channel) = said.channel {
        fields.insert("channel".to_owned(), channel.into());
    }
    if let Some(rows) = said.rows_a_day {
        fields.insert("rows_a_day".to_owned(), rows.into());
    }
    if let Some(subject) = said.subject {
        fields.insert("subject".to_owned(), subject.into());
    }
    let wants_password = !said.no_password
        && (is_new && !fields.contains_key("subject") || said.password_file.is_some() || fields.is_empty());
    if wants_password {
        let password = password(said.password_file.as_deref(), &format!("Password of {}: ", said.name), is_new)?;
        fields.insert("password".to_owned(), password.into());
    }
    let path = if is_new { "/v1/accounts".to_owned() } else { format!("/v1/accounts/{}", segment(&said.name)) };
    if is_new {
        fields.insert("name".to_owned(), said.name.clone().into());
    }
    let name = said.name;
    told(said.service.post(&path, &Value::Object(fields))?, |_| {
        print(format_args!("{name} is {}", if is_new { "made" } else { "changed" }))
    })
}

/// A password: never an argument, which others can see.
pub fn password(file: Option<&Path>, prompt: &str, is_new: bool) -> anyhow::Result<String> {
    let hint = "\nhint: put it into a file and name that with --password-file";
    match file {
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("could not read {path:?}"))?;
            Ok(text.lines().next().unwrap_or_default().to_owned())
        }
        None => {
            anyhow::ensure!(std::io::stdin().is_terminal(), "there is no terminal to ask for a password{hint}");
            let first = rpassword::prompt_password(prompt)?;
            if is_new {
                anyhow::ensure!(first == rpassword::prompt_password("Again: ")?, "these were two passwords");
            }
            Ok(first)
        }
    }
}

fn list(service: &Service) -> anyhow::Result<ExitCode> {
    told(service.get("/v1/accounts")?, |answer| {
        for account in answer.get("accounts").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| account.get(key).and_then(Value::as_str).unwrap_or_default();
            let list = |key: &str| account.get(key).and_then(Value::as_array).into_iter().flatten();
            let place = |place: &Value| {
                let part = |key: &str| place.get(key).and_then(Value::as_str);
                match part("district") {
                    Some(district) => format!("{}/{district}", part("city").unwrap_or_default()),
                    None => part("city").unwrap_or_default().to_owned(),
                }
            };
            let places: Vec<String> = list("places").map(place).collect();
            let tokens: Vec<&str> = list("tokens").filter_map(|token| token.get("id")?.as_str()).collect();
            let of = if places.is_empty() { "province".to_owned() } else { places.join(", ") };
            let tokens = if tokens.is_empty() { String::new() } else { format!("  tokens: {}", tokens.join(", ")) };
            let subject = match text("subject") {
                "" => String::new(),
                subject => format!("  subject: {subject}"),
            };
            print(format_args!("{:<24} {:<20} {of}{tokens}{subject}", text("name"), text("role")))?;
        }
        Ok(())
    })
}

fn roles() -> anyhow::Result<ExitCode> {
    for role in Role::ALL {
        let words = |value: Value| match value {
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            _ => String::new(),
        };
        print(format_args!("{}", role.name()))?;
        print(format_args!("  may    {}", words(serde_json::to_value(role.rights())?)))?;
        print(format_args!("  reads  {}", words(serde_json::to_value(role.menus())?)))?;
        let persons = if role.sees_persons() { "single persons" } else { "counts alone" };
        let numbers = if role.sees_numbers() { ", tokens of phone numbers" } else { "" };
        print(format_args!("  sees   {persons}{numbers}; {} rows about persons a day", role.rows_a_day()))?;
    }
    Ok(ExitCode::SUCCESS)
}
