//! `cohortflow check`: whether a programme holds.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::output::print;

/// Check a programme: every problem at once, with file, line, column and near names.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// A TOML file, or a directory of them.
    programme: PathBuf,
}

const EXAMPLE: &str = "\
Example: a copy of the reference programme, edited.
  cohortflow check programme";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let report = crate::programme::check(&arguments.programme)?;
    print(format_args!("{report}"))?;
    Ok(if report.document.is_some() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
