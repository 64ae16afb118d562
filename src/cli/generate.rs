//! `cohortflow generate`: a synthetic province.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use dataflows::types::Month;

use super::progress;
use crate::generate::{Feed, Settings, Telling, World};
use crate::output::{print, tell};

/// Write a synthetic province: every feed, lifelike, the same to the byte from the same seed.
///
/// Households, habits, seasons, rising and fading customers; bills and usage that agree; members,
/// campaigns with a control group, places. Files look as an operator's do: several delimiters,
/// encodings and containers, parts, control files, corrected versions, late rows.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Arguments {
    /// How many customers the province has, over all its months.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=crate::generate::CUSTOMERS_MAX))]
    customers: u64,
    /// How many months. Classes need six: three, and three to compare them with.
    #[arg(long, value_name = "M", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=i64::from(crate::generate::MONTHS_MAX)))]
    months: u32,
    /// The first month.
    #[arg(long, value_name = "YYYY-MM", default_value = "2009-01", value_parser = month)]
    from: Month,
    /// Another seed is another province.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Where the files are written. Made where it is not there.
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Only these feeds, with commas between.
    #[arg(long, value_name = "FEED", value_delimiter = ',', value_enum)]
    feeds: Vec<Feed>,
    /// How usage is told of.
    #[arg(long, value_enum, default_value_t = Telling::Monthly)]
    usage: Telling,
    /// Share of bad rows, such as 0.005: damaged copies of good rows, of every kind that is set aside. A
    /// programme refuses a file with more than its `max_bad_rows`, 0.01 where it does not say.
    #[arg(long, value_name = "F", default_value = "0", value_parser = share)]
    bad_rows: u32,
    /// For measuring: comma and UTF-8, one file a feed and month, nothing packed, corrected or late.
    #[arg(long)]
    plain: bool,
    /// Leave the control files out.
    #[arg(long)]
    no_control: bool,
    /// Write into a directory that is not empty: files of the same names are replaced, others stay.
    #[arg(long)]
    force: bool,
}

const EXAMPLE: &str = "\
Example: a province of two thousand customers and eight months, and its views.
  cohortflow generate --customers 2000 --months 8 --from 2009-01 --seed 1 --output province
  cohortflow run --programme fixtures/programmes/reference --input province --output views

For a load test: ten million customers' bills, and nothing else.
  cohortflow generate --customers 10000000 --months 6 --feeds customer,bill --plain --output load";

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let settings = Settings {
        customers: arguments.customers,
        months: arguments.months,
        from: arguments.from,
        seed: arguments.seed,
        feeds: arguments.feeds,
        usage: arguments.usage,
        plain: arguments.plain,
        bad_rows: arguments.bad_rows,
        control: !arguments.no_control,
    };
    let world = World::new(&settings)?;
    if !arguments.force {
        refuse_full(&arguments.output)?;
    }
    // The rows do not depend on the clock; whether they can be taken today does.
    let today = jiff::Zoned::now().date();
    if world.last() >= Month::new(i32::from(today.year()), today.month() as u32) {
        tell(format_args!(
            "warning: the months reach to {}, which is not over: rows later than tomorrow go to quarantine when they are taken",
            world.last()
        ));
    }
    let bar = progress::customers(world.work(), "writing");
    let summary = world.write(&arguments.output, &|customers| bar.inc(customers))?;
    bar.finish_and_clear();
    print(format_args!(
        "{} files, {} rows, {} bytes in {}",
        summary.files,
        summary.rows,
        summary.bytes,
        arguments.output.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// A directory that holds something may be somebody's.
fn refuse_full(directory: &Path) -> anyhow::Result<()> {
    let mut entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(error).with_context(|| {
                format!("could not write into {directory:?}\nhint: name a directory that is empty or not there")
            });
        }
    };
    anyhow::ensure!(
        entries.next().is_none(),
        "could not write into {directory:?}: it is not empty\nhint: Give a directory that is empty or not there, or --force to replace files of the same names."
    );
    Ok(())
}

fn month(text: &str) -> Result<Month, String> {
    Month::parse(text).ok_or_else(|| "expected a month YYYY-MM, such as 2009-01".to_owned())
}

/// A decimal fraction below 1, in millionths.
fn share(text: &str) -> Result<u32, String> {
    let expected = || "expected a fraction below 1 with at most six places, such as 0.005".to_owned();
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole != "0" || places.len() > 6 || !is_digits(places) {
        return Err(expected());
    }
    format!("{places:0<6}").parse().map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_exactly() {
        for (text, share_) in [("0", 0), ("0.005", 5_000), ("0.000001", 1), ("0.5", 500_000), ("0.999999", 999_999)] {
            assert_eq!(share(text), Ok(share_), "{text}");
        }
        for text in ["", "1", "1.0", ".5", "-0.1", "0.0000001", "5e-3", "0.+5", "0,5", "００"] {
            assert!(share(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_directory_that_holds_something_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        assert!(refuse_full(&directory.path().join("not-there")).is_ok());
        assert!(refuse_full(directory.path()).is_ok());
        std::fs::write(directory.path().join("notes.txt"), "").expect("written");
        assert!(refuse_full(directory.path()).is_err_and(|error| error.to_string().contains("--force")));
        assert!(refuse_full(&directory.path().join("notes.txt")).is_err());
    }
}
