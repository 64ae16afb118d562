//! Which files there are, and what each holds.
//!
//! A month's files come in the order of [`Feed`]; nothing that a file holds depends on which others
//! are written.

use std::ops::Range;

use dataflows::types::Month;

use super::World;
use super::feeds::Feed;
use super::sheet::{Encoding, Shape};
use super::sink::Container;

/// How usage is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::ValueEnum)]
pub enum Telling {
    /// Not at all.
    None,
    /// One row a customer, measure and month.
    #[default]
    Monthly,
    /// Shared out over the days: some twelve times the rows.
    Daily,
}

/// Whether a file has the mistakes that a later version corrects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Edition {
    Mistaken,
    Corrected,
}

/// What of a month a file tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Share {
    /// What was known in time.
    InTime,
    /// What of the month before was late.
    Late,
    /// Everything before the first of the months.
    Before,
}

/// A file to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Job {
    pub(super) feed: Feed,
    pub(super) name: String,
    pub(super) shape: Shape,
    /// The month that its rows are of.
    pub(super) month: Month,
    pub(super) share: Share,
    pub(super) edition: Edition,
    pub(super) customers: Range<u64>,
}

/// Most customers of a part.
const PART_CUSTOMERS: u64 = 500_000;

/// Visits every file of a province, in order.
pub(super) fn visit<E>(world: &World, visit: &mut dyn FnMut(Job) -> Result<(), E>) -> Result<(), E> {
    let all = 0..world.customers;
    for feed in Feed::ALL.into_iter().filter(|feed| world.has(*feed)) {
        match feed {
            Feed::Product | Feed::Channel | Feed::Cell => {
                visit(job(world, feed, world.from, None, Share::InTime, 0..0))?;
            }
            Feed::Order | Feed::MemberEvent => {
                visit(job(world, feed, world.from.plus(-1), None, Share::Before, all.clone()))?;
            }
            _ => {}
        }
    }
    for month in world.month_range() {
        for feed in Feed::ALL.into_iter().filter(|feed| world.has(*feed)) {
            month_of(world, feed, month, visit)?;
        }
    }
    Ok(())
}

fn month_of<E>(world: &World, feed: Feed, month: Month, visit: &mut dyn FnMut(Job) -> Result<(), E>) -> Result<(), E> {
    match feed {
        Feed::Product | Feed::Channel | Feed::Cell => return Ok(()),
        Feed::Customer if month != world.last => return Ok(()),
        Feed::Happening => return visit(job(world, feed, month, None, Share::InTime, 0..0)),
        _ => {}
    }
    let size = if world.plain { world.customers.max(1) } else { PART_CUSTOMERS };
    let parts = world.customers.div_ceil(size);
    let width = parts.to_string().len().max(2);
    for part in 0..parts {
        let customers = part * size..world.customers.min((part + 1) * size);
        let name = (parts > 1).then(|| format!("{:0width$}", part + 1));
        let right = job(world, feed, month, name.as_deref(), Share::InTime, customers);
        if part == 0 && is_corrected(world, feed, month) {
            visit(Job { edition: Edition::Mistaken, ..right.clone() })?;
            let name = right.name.replacen(".csv", ".v2.csv", 1);
            visit(Job { name, ..right })?;
        } else {
            visit(right)?;
        }
    }
    // Each month but the first brings what was late of the month before.
    if matches!(feed, Feed::Usage | Feed::Order) && month > world.from && !world.plain {
        visit(Job { month: month.plus(-1), ..job(world, feed, month, Some("late"), Share::Late, 0..world.customers) })?;
    }
    Ok(())
}

fn job(world: &World, feed: Feed, month: Month, part: Option<&str>, share: Share, customers: Range<u64>) -> Job {
    let shape = if world.plain { Shape::PLAIN } else { shape(feed) };
    let part = part.map(|part| format!("_{part}")).unwrap_or_default();
    let name = format!("{feed}_{month}{part}.{}", shape.extension());
    Job { feed, name, shape, month, share, edition: Edition::Corrected, customers }
}

/// Whether the first part of a month is delivered twice, the second time without the mistakes.
fn is_corrected(world: &World, feed: Feed, month: Month) -> bool {
    let place = month.0 - world.from.0;
    !world.plain
        && match feed {
            Feed::Bill => place % 3 == 1,
            Feed::Usage => place % 4 == 2,
            Feed::Order => place % 5 == 3,
            _ => false,
        }
}

/// How a feed's files look: systems of several makes and ages deliver them.
fn shape(feed: Feed) -> Shape {
    let shape = |delimiter, encoding, container| Shape { delimiter, encoding, container };
    match feed {
        Feed::Customer => shape('|', Encoding::Gb18030, Container::Plain),
        Feed::Cell => shape('\t', Encoding::Gb18030, Container::Plain),
        Feed::Product | Feed::Happening => shape(',', Encoding::Marked, Container::Plain),
        Feed::Terminal | Feed::Listing => shape('\t', Encoding::Utf8, Container::Plain),
        Feed::Usage | Feed::Order => shape(',', Encoding::Utf8, Container::Gzip),
        Feed::Activity | Feed::Tie | Feed::Ping => shape('|', Encoding::Utf8, Container::Zstd),
        _ => Shape::PLAIN,
    }
}
