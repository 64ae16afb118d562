//! Reading a file: two passes over it, then its [`Extract`] or the reason why there is none.
//!
//! The first pass unpacks the file within bounds, hashes its raw bytes and decides its encoding. So a
//! file that is truncated, damaged, too big, a bomb, or not what its control file is of, is refused
//! before any of its rows is looked at and before any of its ids reaches a dictionary. The second pass
//! decodes, splits and reads rows, in blocks; short packed files are not unpacked for it again. A plain file of 5 GB needs memory for its rows, not for itself.
//!
//! Decided here, where the contract is silent:
//! - A file whose name says other than its first bytes is taken for what its bytes say, with a warning.
//! - A file packed twice is refused, and so is any archive.
//! - A file without even a header is refused, whatever its control file says: the mandatory columns are missing.
//! - 0x1A bytes at the end (DOS) are no part of the text.

use std::path::Path;
use std::time::{Duration, Instant};

use dataflows::records::{
    AdjustmentRow, BillRow, CampaignStateRow, ChannelRow, ConsentRow, ContactRow, CustomerRow, Feed, FeedbackRow,
    HandoffRow, ListingRow, MemberEventRow, OrderRequestRow, OrderRow, ProductRow, ProvisioningRow, ScoreRow,
    TerminalRow, UsageRow,
};
use dataflows::types::Month;

use super::batch::{Batch, Record};
use super::control::Control;
use super::encoding::{Census, Encoding, Text, refuse_wide};
use super::error::{Code, Failure, ReadError, Refused, Retry};
use super::extract::{Extract, Intern, Partition, Settings, Took};
use super::feeds::{self, Context};
use super::header::Header;
use super::names::{Container, FileName, Format};
use super::objects::OPERATION;
use super::parquet;
use super::sheet::{Counted, Layout, Sheet, Sink};
use super::source::Source;
use super::split::Records;
use super::stream::{BLOCK_BYTES, Kind, Pass, Stream};

/// Longest text of a packed file that is kept between the passes.
const UNPACKED_BYTES_KEPT_MAX: usize = 64 << 20;

/// What a file is read with.
pub(super) struct Reading<'a> {
    pub(super) name: &'a FileName,
    pub(super) control: Option<&'a Control>,
    pub(super) settings: &'a Settings,
}

/// Reads the file at `path`, whose name has been read as `name`. `progress` hears how much of the
/// file's size is done, in bytes.
pub fn read<I: Intern + ?Sized>(
    path: &Path,
    name: &FileName,
    control: Option<&Control>,
    settings: &Settings,
    intern: &mut I,
    progress: &mut dyn FnMut(u64),
) -> Result<Extract, ReadError> {
    let reading = Reading { name, control, settings };
    Source::open(path)
        .and_then(|source| reading.extract(&source, intern, progress))
        .map_err(|failure| failure.of(&name.name))
}

/// Reads a file that is in memory.
pub fn read_bytes<I: Intern + ?Sized>(
    bytes: &[u8],
    name: &FileName,
    control: Option<&Control>,
    settings: &Settings,
    intern: &mut I,
) -> Result<Extract, ReadError> {
    let reading = Reading { name, control, settings };
    reading.extract(&Source::Memory(bytes), intern, &mut |_| {}).map_err(|failure| failure.of(&name.name))
}

/// What the first pass finds out.
struct Inspection {
    sha256: [u8; 32],
    crc: u32,
    /// Bytes of text.
    len: u64,
    encoding: Encoding,
    /// Physical lines, or more.
    lines_max: u64,
    mixes_line_ends: bool,
    /// The text of a packed file, where it is short: unpacking it again would cost more than keeping it.
    unpacked: Option<Vec<u8>>,
}

impl Reading<'_> {
    fn extract<I: Intern + ?Sized>(
        &self,
        source: &Source<'_>,
        intern: &mut I,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Extract, Failure> {
        if self.settings.control_required && self.control.is_none() {
            return Err(Refused::new(Code::ControlMissing, "it has no control file, and one is required")
                .hint("Deliver its control file, <name>.ok.")
                .into());
        }
        if source.len() > self.settings.decoded_bytes_max {
            let fact = format!("it has more than {} bytes, the most that is allowed", self.settings.decoded_bytes_max);
            return Err(Refused::new(Code::TooBig, fact).hint("Deliver it in several parts.").into());
        }
        let began = Instant::now();
        let kind = self.kind(source)?;
        let found = self.inspect(source, kind, &mut |bytes| progress(bytes / 2))?;
        // The second pass is the other half, also where it reads what the first has unpacked.
        let second_len = found.unpacked.as_ref().map_or(source.len(), |text| text.len() as u64).max(1);
        let done = |bytes: u64| u128::from(source.len()) * u128::from(second_len + bytes.min(second_len));
        if let Some(control) = self.control {
            control.check_sha256(&found.sha256)?;
        }
        let mut later =
            |bytes: u64| progress(u64::try_from(done(bytes) / (2 * u128::from(second_len))).unwrap_or(source.len()));
        let validated = &mut Duration::default();
        let mut counted = match self.name.feed {
            Feed::Customer => self.table::<CustomerRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Terminal => self.table::<TerminalRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Bill => self.table::<BillRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Usage => self.table::<UsageRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Product => self.table::<ProductRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Channel => self.table::<ChannelRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Order => self.table::<OrderRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::MemberEvent => self.table::<MemberEventRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Adjustment => self.table::<AdjustmentRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Listing => self.table::<ListingRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Consent => self.table::<ConsentRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Score => self.table::<ScoreRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Contact => self.table::<ContactRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Feedback => self.table::<FeedbackRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::CampaignState => {
                self.table::<CampaignStateRow, I>(source, kind, &found, intern, &mut later, validated)
            }
            Feed::Handoff => self.table::<HandoffRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::OrderRequest => self.table::<OrderRequestRow, I>(source, kind, &found, intern, &mut later, validated),
            Feed::Provisioning => self.table::<ProvisioningRow, I>(source, kind, &found, intern, &mut later, validated),
        }?;
        source.is_unchanged()?;
        let warnings = self.control.map(|control| control.warnings.clone()).unwrap_or_default();
        let warnings =
            warnings.into_iter().chain(self.warnings(kind, &found)).chain(counted.warnings.drain(..)).collect();
        Ok(Extract {
            file: self.name.name.clone(),
            partition: Partition {
                feed: self.name.feed,
                period: self.name.period.clone(),
                part: self.name.part.clone(),
            },
            version: self.name.version,
            rows: counted.rows,
            deleted: counted.deleted,
            lines: counted.lines,
            rejects: counted.rejects,
            reasons: counted.reasons,
            erased: counted.erased,
            sha256: found.sha256,
            took: Took { decode: began.elapsed().saturating_sub(*validated), validate: *validated },
            warnings,
        })
    }

    /// What the file is, by its first bytes.
    fn kind(&self, source: &Source<'_>) -> Result<Kind, Failure> {
        let pass = Pass::default();
        let mut head = [0; 8];
        let filled = Stream::open(source, Kind::Text, &pass, false, u64::MAX, &mut |_| {})?.fill(&mut head)?;
        let kind = Kind::of(head.get(..filled).unwrap_or_default());
        match kind {
            Kind::Other(name) => Err(Refused::new(Code::Container, format!("it is {name}"))
                .hint("Deliver it plain, or packed by gzip or zstd.")
                .into()),
            kind => Ok(kind),
        }
    }

    /// The first pass.
    fn inspect(&self, source: &Source<'_>, kind: Kind, progress: &mut dyn FnMut(u64)) -> Result<Inspection, Failure> {
        let pass = Pass::default();
        let unpacked_max = self.settings.decoded_bytes_max;
        let mut stream = Stream::open(source, kind, &pass, true, unpacked_max, progress)?;
        let mut block = vec![0; BLOCK_BYTES];
        let (mut len, mut trailing, mut is_first) = (0_u64, 0_u64, true);
        let mut census = Census::default();
        let mut unpacked = matches!(kind, Kind::Gzip | Kind::Zstd).then(Vec::new);
        let (mut lf, mut cr, mut crlf, mut ends_in_cr) = (0_u64, 0_u64, 0_u64, false);
        loop {
            let filled = stream.fill(&mut block)?;
            let bytes = block.get(..filled).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            len += filled as u64;
            if kind == Kind::Parquet {
                continue;
            }
            if is_first {
                refuse_wide(bytes)?;
                if kind != Kind::Text && Kind::of(bytes) != Kind::Text {
                    let fact = format!("it is {kind}, with {} in it", Kind::of(bytes));
                    return Err(Refused::new(Code::Container, fact).hint("Deliver it packed once.").into());
                }
            }
            census.take(bytes, is_first);
            match &mut unpacked {
                Some(kept) if kept.len() + filled <= UNPACKED_BYTES_KEPT_MAX => kept.extend_from_slice(bytes),
                _ => unpacked = None,
            }
            let eof_marks = bytes.iter().rev().take_while(|&&byte| byte == 0x1A).count();
            trailing = if eof_marks == filled { trailing + filled as u64 } else { eof_marks as u64 };
            lf += memchr::memchr_iter(b'\n', bytes).count() as u64;
            crlf += u64::from(ends_in_cr && bytes.first() == Some(&b'\n'));
            for at in memchr::memchr_iter(b'\r', bytes) {
                cr += 1;
                crlf += u64::from(bytes.get(at + 1) == Some(&b'\n'));
            }
            ends_in_cr = bytes.last() == Some(&b'\r');
            is_first = false;
        }
        drop(stream);
        let kinds_of_ends = [lf > crlf, cr > crlf, crlf > 0];
        Ok(Inspection {
            sha256: pass.sha256(),
            crc: pass.crc(),
            len: len.saturating_sub(trailing),
            encoding: census.decide(),
            lines_max: lf + (cr - crlf) + 1,
            mixes_line_ends: kinds_of_ends.into_iter().filter(|&is_there| is_there).count() > 1,
            unpacked,
        })
    }

    /// The second pass.
    fn table<R: feeds::Record, I: Intern + ?Sized>(
        &self,
        source: &Source<'_>,
        kind: Kind,
        found: &Inspection,
        intern: &mut I,
        progress: &mut dyn FnMut(u64),
        validated: &mut Duration,
    ) -> Result<Counted, Failure> {
        let period = if self.name.feed == Feed::Bill { Month::parse(&self.name.period) } else { None };
        let context = Context::new(intern, self.settings, period);
        if kind == Kind::Parquet {
            let table = parquet::Table::open(source, self.name.feed, self.settings)?;
            let mut sheet = Sheet::<R, I>::new(table.layout(), context);
            table.read(&mut sheet, progress, validated)?;
            return self.counted(sheet);
        }
        let pass = Pass::default();
        let kept = found.unpacked.as_deref().map(Source::Memory);
        let (source, kind) = kept.as_ref().map_or((source, kind), |kept| (kept, Kind::Text));
        let stream = Stream::open(source, kind, &pass, false, self.settings.decoded_bytes_max, progress)?;
        let mut records = Records::new(Text::new(stream, found.len, found.encoding), self.name.feed)?;
        let delimiter = records.delimiter();
        let Some(first) = records.first()? else {
            return Err(Reading::empty());
        };
        let mut sheet = Sheet::<R, I>::new(self.layout(first, delimiter, found)?, context);
        let mut batch = Batch::default();
        loop {
            records.fill(&mut batch)?;
            if batch.is_empty() {
                break;
            }
            let began = Instant::now();
            sheet.take(&batch, records.block())?;
            *validated += began.elapsed();
        }
        records.into_text().drain()?;
        if kept.is_none() && pass.crc() != found.crc {
            return Err(Retry::Changed.into());
        }
        self.counted(sheet)
    }

    fn layout(&self, first: Record<'_>, delimiter: u8, found: &Inspection) -> Result<Layout, Failure> {
        let names: Vec<_> = first.fields().map(String::from_utf8_lossy).collect();
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        // Of a file it is a column that nobody knows: a file lacks what it takes away.
        let operation =
            if self.name.format == Format::Made { names.iter().position(|name| *name == OPERATION) } else { None };
        let header =
            Header::resolve(self.name.feed, &names, operation).map_err(|refused| refused.on_line(first.line))?;
        let fields = first.fields().map(<[u8]>::to_vec).collect();
        Ok(Layout { header, fields, delimiter, rows_max: found.lines_max })
    }

    /// A file without even a header.
    fn empty() -> Failure {
        Refused::new(Code::Empty, "it is empty, without even a header").hint("Deliver a header at least.").into()
    }

    fn counted<R: feeds::Record, I: Intern + ?Sized>(&self, sheet: Sheet<'_, R, I>) -> Result<Counted, Failure> {
        if let Some(control) = self.control {
            let counting = |refused: Refused| refused.counting(sheet.data_rows(), sheet.bad_rows());
            control.check_rows(sheet.data_rows()).map_err(counting)?;
        }
        Ok(sheet.finish()?)
    }

    fn warnings(&self, kind: Kind, found: &Inspection) -> Vec<String> {
        let named = match (self.name.format, self.name.container) {
            (Format::Parquet, _) => Kind::Parquet,
            (Format::Csv | Format::Made, Container::Plain) => Kind::Text,
            (Format::Csv | Format::Made, Container::Gzip) => Kind::Gzip,
            (Format::Csv | Format::Made, Container::Zstd) => Kind::Zstd,
        };
        let misnamed = (named != kind).then(|| format!("it is {kind}, though its name says {named}"));
        let mixed = found.mixes_line_ends.then(|| "its lines end in more than one way".to_owned());
        misnamed.into_iter().chain(mixed).collect()
    }
}
