//! `completions` and `man`: for shells and for readers.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use crate::output::heard;

const DIRECTORY_HINT: &str = "hint: name a directory that you may write into, or one that is not there yet";

/// Print the completions of a shell.
#[derive(clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLE)]
pub struct Completions {
    shell: clap_complete::Shell,
}

const COMPLETIONS_EXAMPLE: &str = "\
Example: for bash, in the directory where it looks for them.
  cohortflow completions bash > ~/.local/share/bash-completion/completions/cohortflow";

pub fn completions(arguments: Completions) -> anyhow::Result<ExitCode> {
    let mut command = super::Cli::command();
    // Into memory first, where writing cannot fail.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "cohortflow", &mut script);
    heard(std::io::stdout().lock().write_all(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Write the man pages, one for each command.
#[derive(clap::Args)]
#[command(after_help = MAN_EXAMPLE)]
pub struct Man {
    /// Where they are written. Made where it is not there.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
}

const MAN_EXAMPLE: &str = "\
Example: where man looks for a user's own pages.
  cohortflow man --output man/man1";

pub fn man(arguments: Man) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&arguments.output)
        .and_then(|()| clap_mangen::generate_to(super::Cli::command(), &arguments.output))
        .with_context(|| format!("could not write the man pages into {:?}\n{DIRECTORY_HINT}", arguments.output))?;
    Ok(ExitCode::SUCCESS)
}
