//! `completions` and `man`: for shells and for readers.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;

/// Print the completions of a shell.
#[derive(clap::Args)]
pub struct Completions {
    shell: clap_complete::Shell,
}

pub fn completions(arguments: Completions) -> anyhow::Result<ExitCode> {
    let mut command = super::Cli::command();
    clap_complete::generate(arguments.shell, &mut command, "cohortflow", &mut std::io::stdout().lock());
    Ok(ExitCode::SUCCESS)
}

/// Write the man pages, one for each command.
#[derive(clap::Args)]
pub struct Man {
    /// Where they are written. Made where it is not there.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
}

pub fn man(arguments: Man) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&arguments.output)?;
    clap_mangen::generate_to(super::Cli::command(), &arguments.output)?;
    Ok(ExitCode::SUCCESS)
}
