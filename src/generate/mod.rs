//! A synthetic province: every feed of the contract, lifelike, and the same to the byte from its seed.
//!
//! What is modelled:
//! - **Households** of one to five share a city of the province, a district and their ties; who they
//!   are (pupil, student, employee, farmer, driver, ... thirteen lives) follows from their place in it.
//! - **Habits**: a life has its typical month; a talker, texter, data lover, traveller or frugal one
//!   departs from it, and everybody has a scale of their own. Bill and usage tell of the same month, and
//!   what is subscribed is charged.
//! - **Trends**: use rises, holds, falls and rests in waves of two years. A few rising stars grow in
//!   roaming, texts, data and services at once, which is what the classes A and B ask for.
//! - **Seasons**: Spring Festival, summer, the October week.
//! - **Churn**: customers join and leave while the months run; those whose use fades leave more often.
//! - **The community**: members with friends brought in, logins, quizzes, silence; campaigns with a
//!   control group and a random arm, whose successes are orders in the order feed; places, concerts,
//!   who calls whom.
//! - **Deliveries** as they are: several delimiters, encodings and containers, control files, parts,
//!   corrected versions, late rows, a few customers known from bills alone, and bad rows on request.
//!
//! What holds: every row is a pure function of the seed, the months and the customer's number, so
//! memory does not grow with customers and files can be left out or written in any order. There are no
//! floats, no clocks, no hashed collections. A province of more months is not a longer copy of one of
//! fewer: who joins and leaves is spread over the months asked for.
//!
//! Decided here, where the contract is silent:
//! - The customer file is one snapshot, of the last month. Months before the first are told of by
//!   `order` and `member_event` files of the month before it.
//! - A partition that is corrected is delivered as version 1 with mistakes and as version 2 without.
//! - Telephone numbers begin with 12, which no subscriber's does.
//! - Bad rows are damaged copies beside good rows, so no view but the quarantine depends on them.

mod bills;
mod campaigns;
mod catalog;
mod cells;
mod community;
mod customers;
mod damage;
mod feeds;
mod household;
mod lists;
mod lives;
mod network;
mod orders;
mod person;
mod places;
mod plan;
mod random;
mod services;
mod sheet;
mod sink;
mod trend;
mod usage;
mod uses;
mod vocabulary;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dataflows::types::Month;

use damage::Damage;
pub use feeds::Feed;
use person::Person;
use plan::Job;
pub use plan::Telling;
use sheet::{Sheet, Written};

/// Most customers of a province: more than any operator has.
pub const CUSTOMERS_MAX: u64 = 999_999_999;
/// Most months.
pub const MONTHS_MAX: u32 = 600;
/// The years that months may lie in.
pub const YEARS: std::ops::RangeInclusive<i32> = 1950..=2500;

/// What to make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    pub customers: u64,
    pub months: u32,
    /// The first month.
    pub from: Month,
    pub seed: u64,
    /// None for all.
    pub feeds: Vec<Feed>,
    pub usage: Telling,
    /// Comma, UTF-8, one file a feed and month, nothing corrected, nothing late.
    pub plain: bool,
    /// Bad rows in a million.
    pub bad_rows: u32,
    /// Whether control files are written.
    pub control: bool,
}

/// What was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
}

/// Why a province could not be made.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    #[error("could not make a province of {0}")]
    Settings(String),
    #[error("could not write {file:?}")]
    Write { file: PathBuf, source: io::Error },
}

/// A province, decided and not yet written.
pub struct World {
    seed: u64,
    from: Month,
    last: Month,
    customers: u64,
    plain: bool,
    telling: Telling,
    feeds: Vec<Feed>,
    bad_rows: u32,
    control: bool,
}

impl World {
    /// The province of some settings, if they can be met.
    pub fn new(settings: &Settings) -> Result<World, GenerateError> {
        let refuse = |text: String| Err(GenerateError::Settings(text));
        if !(1..=CUSTOMERS_MAX).contains(&settings.customers) {
            return refuse(format!("{} customers: expected 1 to {CUSTOMERS_MAX}", settings.customers));
        }
        if !(1..=MONTHS_MAX).contains(&settings.months) {
            return refuse(format!("{} months: expected 1 to {MONTHS_MAX}", settings.months));
        }
        let last = Month(settings.from.0.saturating_add(settings.months as i32 - 1));
        if !YEARS.contains(&settings.from.year()) || !YEARS.contains(&last.year()) {
            let (first, end) = (YEARS.start(), YEARS.end());
            return refuse(format!("the months {} to {last}: expected years from {first} to {end}", settings.from));
        }
        if settings.bad_rows >= 1_000_000 {
            return refuse("bad rows alone: expected a share below 1".to_owned());
        }
        Ok(World {
            seed: settings.seed,
            from: settings.from,
            last,
            customers: settings.customers,
            plain: settings.plain,
            telling: settings.usage,
            feeds: settings.feeds.clone(),
            bad_rows: settings.bad_rows,
            control: settings.control,
        })
    }

    /// The last month.
    pub fn last(&self) -> Month {
        self.last
    }

    fn months(&self) -> u32 {
        (self.last.0 - self.from.0 + 1) as u32
    }

    fn month_range(&self) -> impl Iterator<Item = Month> + use<> {
        (self.from.0..=self.last.0).map(Month)
    }

    fn has(&self, feed: Feed) -> bool {
        (self.feeds.is_empty() || self.feeds.contains(&feed)) && (feed != Feed::Usage || self.telling != Telling::None)
    }

    /// How many customers are passed over, all files taken together: what [`World::write`] counts.
    pub fn work(&self) -> u64 {
        let mut work = 0;
        let counted: Result<(), ()> = plan::visit(self, &mut |job| {
            work += job.customers.end - job.customers.start;
            Ok(())
        });
        debug_assert!(counted.is_ok());
        work
    }

    /// Writes the province into a directory, which is made where it is not there. Files of the same
    /// names are replaced. `progress` hears of customers passed over.
    pub fn write(&self, directory: &Path, progress: &dyn Fn(u64)) -> Result<Summary, GenerateError> {
        fs::create_dir_all(directory).map_err(|source| GenerateError::Write { file: directory.to_owned(), source })?;
        let mut summary = Summary::default();
        plan::visit(self, &mut |job| {
            let written = self.file(directory, &job, progress).map_err(|source| {
                // A disk that is full has no use for half a file.
                let _ = fs::remove_file(sheet::half(directory, &job.name));
                GenerateError::Write { file: directory.join(&job.name), source }
            })?;
            summary.files += u64::from(written.rows > 0);
            summary.rows += written.rows;
            summary.bytes += written.bytes;
            Ok(())
        })?;
        Ok(summary)
    }

    fn file(&self, directory: &Path, job: &Job, progress: &dyn Fn(u64)) -> io::Result<Written> {
        let damage = Damage::new(self.seed, self.bad_rows, &job.name);
        let mut sheet = Sheet::create(directory, &job.name, job.feed, job.shape, damage)?;
        match job.feed {
            Feed::Product => catalog::products(&mut sheet)?,
            Feed::Channel => catalog::channels(&mut sheet)?,
            Feed::Cell => places::cells(self, &mut sheet)?,
            Feed::Happening => places::happening_rows(self, job.month, &mut sheet)?,
            _ => {}
        }
        for customer in job.customers.clone() {
            self.customer(job, &Person::of(self, customer), &mut sheet)?;
            if customer % PROGRESS_CUSTOMERS == PROGRESS_CUSTOMERS - 1 {
                progress(PROGRESS_CUSTOMERS);
            }
        }
        sheet.finish(self.control)
    }

    /// Writes what a file has of a customer.
    fn customer(&self, job: &Job, person: &Person, sheet: &mut Sheet) -> io::Result<()> {
        let (month, share, edition) = (job.month, job.share, job.edition);
        match job.feed {
            Feed::Customer => customers::customer(self, person, sheet),
            Feed::Terminal => customers::terminal(self, person, month, sheet),
            Feed::Bill => bills::bill(self, person, month, edition, sheet),
            Feed::Usage => usage::usage(self, person, month, share, edition, sheet),
            Feed::Order => orders::orders(self, person, month, share, edition, sheet),
            Feed::MemberEvent => community::member_events(self, person, month, share, sheet),
            Feed::Adjustment => community::adjustments(self, person, month, sheet),
            Feed::Listing => lists::listings(self, person, month, sheet),
            Feed::Consent => lists::consents(self, person, month, sheet),
            Feed::Score => lists::scores(self, person, month, sheet),
            Feed::Contact => campaigns::contacts(self, person, month, sheet),
            Feed::Feedback => campaigns::feedback(self, person, month, sheet),
            Feed::Activity => network::activities(self, person, month, sheet),
            Feed::Tie => network::ties(self, person, month, sheet),
            Feed::Ping => network::pings(self, person, month, sheet),
            Feed::Product | Feed::Channel | Feed::Cell | Feed::Happening => Ok(()),
        }
    }
}

/// Customers between two reports of progress.
const PROGRESS_CUSTOMERS: u64 = 4096;
