//! What the user types.

mod accounts;
mod ask;
mod audit;
mod campaigns;
mod check;
mod client;
mod dead_letters;
mod demo;
mod diff;
mod edits;
mod erase;
mod explain;
mod fit;
mod generate;
mod login;
mod offers;
mod orders;
mod progress;
mod query;
mod receipt;
mod release;
mod replay;
mod run;
mod serve;
mod shell;
mod standing;
mod support_bundle;
mod tail;
mod undo;
mod verify;
mod view;
mod worklist;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::{tell, told};
use crate::telemetry::{self, Format};

/// Live marketing answers for a mobile operator: tiers, segments and their counts, always equal to a
/// full recompute.
///
/// Exit codes: 0 done, 1 answered no (a file rejected, a programme refused, views that differ), 2 could not.
#[derive(Parser)]
#[command(name = "cohortflow", version, arg_required_else_help = true)]
pub struct Cli {
    /// What is written to the log on stderr: error, warn, info, debug, or a filter such as
    /// cohortflow::store=debug.
    #[arg(long, global = true, env = "COHORTFLOW_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
    /// How it is written: as lines for people, or as one JSON object a line.
    #[arg(long, global = true, env = "COHORTFLOW_LOG_FORMAT", value_enum, default_value_t, value_name = "FORMAT")]
    log_format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Serve(Box<serve::Arguments>),
    Run(run::Arguments),
    Replay(replay::Arguments),
    Check(check::Arguments),
    Diff(diff::Arguments),
    Apply(ask::Apply),
    Customer(ask::Customer),
    Explain(explain::Explain),
    Standing(standing::Arguments),
    View(view::Arguments),
    Tail(tail::Arguments),
    Query(query::Arguments),
    Verify(verify::Arguments),
    Adjust(edits::Adjust),
    List(edits::List),
    #[command(name = "optout")]
    OptOut(release::OptOut),
    Release(release::Release),
    DeadLetters(dead_letters::DeadLetters),
    Fit(fit::Arguments),
    Offers(offers::Offers),
    Reply(orders::Reply),
    Provision(orders::Provision),
    Worklist(worklist::Worklist),
    Campaigns(campaigns::Campaigns),
    Campaign(campaigns::Campaign),
    Ledger(ask::Ledger),
    Quarantine(ask::Quarantine),
    Confirm(ask::Confirm),
    Account(accounts::Arguments),
    Login(login::Arguments),
    Audit(audit::Arguments),
    Receipt(receipt::Receipt),
    Undo(undo::Undo),
    SupportBundle(support_bundle::Arguments),
    Erase(erase::Erase),
    Completions(shell::Completions),
    Man(shell::Man),
    Generate(generate::Arguments),
}

/// Runs what was typed.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let collector = match &cli.command {
        Command::Serve(arguments) => arguments.collector(),
        _ => None,
    };
    let keeps = matches!(cli.command, Command::Serve(_) | Command::Demo(_));
    let settings = telemetry::Settings { filter: &cli.log, format: cli.log_format, keeps, collector };
    // Until the command has ended.
    let _told = match telemetry::begin(&settings) {
        Ok(told) => told,
        Err(error) => {
            tell(format_args!("error: {}", told(&error)));
            return ExitCode::from(2);
        }
    };
    let result = match cli.command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Serve(arguments) => serve::run(*arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Replay(arguments) => replay::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Apply(arguments) => ask::apply(arguments),
        Command::Customer(arguments) => ask::customer(arguments),
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Standing(arguments) => standing::run(arguments),
        Command::View(arguments) => view::run(arguments),
        Command::Tail(arguments) => tail::run(arguments),
        Command::Query(arguments) => query::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Adjust(arguments) => edits::adjust(arguments),
        Command::List(arguments) => edits::list(arguments),
        Command::OptOut(arguments) => release::opt_out(arguments),
        Command::Release(arguments) => release::release(arguments),
        Command::DeadLetters(arguments) => dead_letters::run(arguments),
        Command::Fit(arguments) => fit::run(arguments),
        Command::Offers(arguments) => offers::offers(arguments),
        Command::Reply(arguments) => orders::reply(arguments),
        Command::Worklist(arguments) => worklist::worklist(arguments),
        Command::Provision(arguments) => orders::provision(arguments),
        Command::Campaigns(arguments) => campaigns::campaigns(arguments),
        Command::Campaign(arguments) => campaigns::campaign(arguments),
        Command::Ledger(arguments) => ask::ledger(arguments),
        Command::Quarantine(arguments) => ask::quarantine(arguments),
        Command::Confirm(arguments) => ask::confirm(arguments),
        Command::Account(arguments) => accounts::run(arguments),
        Command::Login(arguments) => login::run(arguments),
        Command::Audit(arguments) => audit::run(arguments),
        Command::Receipt(arguments) => receipt::receipt(arguments),
        Command::Undo(arguments) => undo::undo(arguments),
        Command::SupportBundle(arguments) => support_bundle::run(arguments),
        Command::Erase(arguments) => erase::erase(arguments),
        Command::Completions(arguments) => shell::completions(arguments),
        Command::Man(arguments) => shell::man(arguments),
        Command::Generate(arguments) => generate::run(arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            tell(format_args!("error: {}", told(&error)));
            ExitCode::from(2)
        }
    }
}
