//! What the user types.

mod ask;
mod campaigns;
mod check;
mod client;
mod dead_letters;
mod demo;
mod diff;
mod edits;
mod explain;
mod fit;
mod generate;
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
mod tail;
mod undo;
mod verify;
mod view;
mod worklist;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::{tell, told};

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
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Serve(serve::Arguments),
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
    Receipt(receipt::Receipt),
    Undo(undo::Undo),
    Completions(shell::Completions),
    Man(shell::Man),
    Generate(generate::Arguments),
}

/// Runs what was typed.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_new(&cli.log).unwrap_or_else(|_| "warn".into());
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_terminal)
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .init();
    let result = match cli.command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
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
        Command::Receipt(arguments) => receipt::receipt(arguments),
        Command::Undo(arguments) => undo::undo(arguments),
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
