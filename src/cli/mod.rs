//! What the user types.

mod check;
mod generate;
mod progress;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Live marketing answers for a mobile operator: tiers, segments and their counts, always equal to a
/// full recompute.
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
    Run(run::Arguments),
    Check(check::Arguments),
    Generate(generate::Arguments),
}

/// Exit codes: 0 done, 1 answered no, 2 could not.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_new(&cli.log).unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let result = match cli.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Generate(arguments) => generate::run(arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
