//! Parquet: the same columns, every cell turned into the text that CSV would have had.
//!
//! So all values pass the same parsers, and a rule holds for both formats or for neither. A value
//! that its column's text form cannot say exactly (a price with three decimals, a day with a time) becomes
//! a text that the parser refuses: the row is set aside, nothing is rounded.
//!
//! Rows are read a few at a time, row group by row group, and counted as the text they are; the bounds
//! on unpacking hold for that text.
//!
//! Decided here, where the contract is silent:
//! - Nested and repeated columns are unknown columns, or a refusal where one of ours is nested.
//! - A timestamp that is adjusted to UTC, and INT96, is an instant; any other is local time.
//! - A month may be a date or a timestamp: then it is the first of the month, 00:00:00.

mod cell;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use ::parquet::column::page::{Page, PageMetadata, PageReader};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use ::parquet::data_type::DataType;
use ::parquet::errors::{ParquetError, Result as ParquetResult};
use ::parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use ::parquet::schema::types::ColumnDescPtr;
use bytes::Bytes;
use dataflows::records::Feed;

use self::cell::{Form, Value};
use super::batch::Batch;
use super::error::{Code, Failure, Refused, Retry};
use super::extract::Settings;
use super::header::Header;
use super::schema::columns;
use super::sheet::{Layout, Sink};
use super::source::Source;
use super::stream::{check_unpacked, natural_max};

/// Rows decoded at a time. Small, because a damaged file can make each of them as long as a page.
const BATCH_ROWS: usize = 256;
/// Longest page. Writers aim at 1 MB.
const PAGE_BYTES_MAX: usize = 64 << 20;

/// A Parquet file whose columns have been found.
pub(super) struct Table<'a> {
    reader: SerializedFileReader<Chunks>,
    header: Header,
    columns: Vec<Column>,
    settings: &'a Settings,
    len: u64,
}

/// A column of the feed in the file.
struct Column {
    /// Among the file's leaf columns, and among the cells of a row.
    leaf: usize,
    place: usize,
    form: Form,
    descriptor: ColumnDescPtr,
}

impl<'a> Table<'a> {
    /// Reads the metadata and finds the feed's columns.
    pub(super) fn open(source: &Source<'_>, feed: Feed, settings: &'a Settings) -> Result<Table<'a>, Failure> {
        let chunks = Chunks::of(source)?;
        let len = source.len();
        let reader = guarded(|| SerializedFileReader::new(chunks))?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let names: Vec<&str> = schema.root_schema().get_fields().iter().map(|field| field.name()).collect();
        let header = Header::resolve(feed, &names, None)?;
        let mut found = Vec::new();
        for (column, place) in columns(feed).iter().zip(&header.places) {
            let &Some(place) = place else { continue };
            let leaf = schema.columns().iter().position(|leaf| leaf.path().parts() == [column.name.to_owned()]);
            let descriptor = leaf.and_then(|leaf| schema.columns().get(leaf)).filter(|leaf| leaf.max_rep_level() == 0);
            let form = descriptor.and_then(|descriptor| Form::of(column.name, descriptor));
            match (leaf, descriptor, form) {
                (Some(leaf), Some(descriptor), Some(form)) => {
                    found.push(Column { leaf, place, form, descriptor: descriptor.clone() });
                }
                _ => {
                    let fact = format!("its column \"{}\" is of a type that cannot be read", column.name);
                    return Err(Refused::new(Code::ColumnType, fact)
                        .hint("Write it as text, integer, decimal, date, timestamp or boolean.")
                        .into());
                }
            }
        }
        Ok(Table { reader, header, columns: found, settings, len })
    }

    /// How its rows look.
    pub(super) fn layout(&self) -> Layout {
        let claimed = u64::try_from(self.reader.metadata().file_metadata().num_rows()).unwrap_or_default();
        // Every row counts as a byte a cell at least, so more rows than these are refused as a bomb.
        let rows_max = claimed.min(natural_max(self.len));
        Layout { header: self.header.clone(), fields: Vec::new(), delimiter: b',', rows_max }
    }

    /// Reads all rows, numbered from 1. `progress` hears how many of the file's bytes are done.
    pub(super) fn read(
        self,
        sink: &mut dyn Sink,
        progress: &mut dyn FnMut(u64),
        validated: &mut Duration,
    ) -> Result<(), Failure> {
        let mut batch = Batch::default();
        let mut cells = vec![Cells::default(); self.columns.len()];
        let (mut fields, mut ends) = (Vec::new(), Vec::new());
        let (mut line, mut unpacked, mut done) = (0_u64, 0_u64, 0_u64);
        for group in 0..self.reader.num_row_groups() {
            let (mut readers, rows, bytes) = guarded(|| self.open_group(group))?;
            let mut left = rows;
            while left > 0 {
                let rows = BATCH_ROWS.min(usize::try_from(left).unwrap_or(BATCH_ROWS));
                for ((column, reader), cells) in self.columns.iter().zip(&mut readers).zip(&mut cells) {
                    cells.clear();
                    guarded(|| self.read_cells(column, reader, rows, cells))?;
                }
                batch.clear();
                for row in 0..rows {
                    fields.clear();
                    ends.clear();
                    for place in 0..self.header.width {
                        let of_place = self.columns.iter().zip(&cells).find(|(column, _)| column.place == place);
                        fields.extend_from_slice(of_place.map(|(_, cells)| cells.get(row)).unwrap_or_default());
                        ends.push(fields.len());
                    }
                    line += 1;
                    unpacked = unpacked.saturating_add(fields.len().saturating_add(ends.len()) as u64);
                    check_unpacked(unpacked, self.len, self.settings.decoded_bytes_max)?;
                    batch.add_copy(line, &fields, &ends);
                }
                let began = Instant::now();
                sink.take(&batch, &[])?;
                *validated += began.elapsed();
                left = left.saturating_sub(rows as u64);
            }
            done = done.saturating_add(bytes);
            progress(done.min(self.len));
        }
        Ok(())
    }

    fn open_group(&self, group: usize) -> ParquetResult<(Vec<ColumnReader>, u64, u64)> {
        let group = self.reader.get_row_group(group)?;
        let rows = u64::try_from(group.metadata().num_rows()).map_err(|_| ParquetError::EOF("rows".into()))?;
        let bytes = u64::try_from(group.metadata().compressed_size()).unwrap_or_default();
        let open = |column: &Column| {
            let pages = Guard(group.get_column_page_reader(column.leaf)?);
            Ok(get_column_reader(column.descriptor.clone(), Box::new(pages)))
        };
        let readers = self.columns.iter().map(open).collect::<ParquetResult<_>>()?;
        Ok((readers, rows, bytes))
    }

    fn read_cells(
        &self,
        column: &Column,
        reader: &mut ColumnReader,
        rows: usize,
        cells: &mut Cells,
    ) -> ParquetResult<()> {
        match reader {
            ColumnReader::BoolColumnReader(reader) => self.read_typed(column, reader, rows, cells),
            ColumnReader::Int32ColumnReader(reader) => self.read_typed(column, reader, rows, cells),
            ColumnReader::Int64ColumnReader(reader) => self.read_typed(column, reader, rows, cells),
            ColumnReader::Int96ColumnReader(reader) => self.read_typed(column, reader, rows, cells),
            ColumnReader::FloatColumnReader(reader) => self.read_typed(column, reader, rows, cells),
            ColumnReader::DoubleColumnReader(reader) => self.read_typed(column, reader, rows, cells),
            ColumnReader::ByteArrayColumnReader(reader) => self.read_typed(column, reader, rows, cells),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => self.read_typed(column, reader, rows, cells),
        }
    }

    fn read_typed<T: DataType>(
        &self,
        column: &Column,
        reader: &mut ColumnReaderImpl<T>,
        rows: usize,
        cells: &mut Cells,
    ) -> ParquetResult<()>
    where
        T::T: Value,
    {
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let (records, _, _) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
        if records != rows {
            return Err(ParquetError::EOF("a column ends before its row group".into()));
        }
        let present = column.descriptor.max_def_level();
        let mut values = values.iter();
        for row in 0..rows {
            // A column that cannot be null has no levels.
            if present == 0 || levels.get(row) == Some(&present) {
                let value = values.next().ok_or_else(|| ParquetError::EOF("values".into()))?;
                value.write(column.form, &self.settings.timezone, &mut cells.text);
            }
            cells.ends.push(cells.text.len());
        }
        Ok(())
    }
}

/// Runs the Parquet reader. It is written for files that a writer made, and some damaged ones make it
/// panic; such a panic is the file's fault. Nothing that outlives a refusal is changed inside.
fn guarded<T>(read: impl FnOnce() -> ParquetResult<T>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(ParquetError::External(error))) => match error.downcast::<io::Error>() {
            // The system's own errors are not the file's fault; others are the reader's, of ends that come too early.
            Ok(error) if error.raw_os_error().is_some() => Err(Retry::from(*error).into()),
            _ => Err(damaged().into()),
        },
        // The reader's own words may quote the file.
        Ok(Err(_)) | Err(_) => Err(damaged().into()),
    }
}

fn damaged() -> Refused {
    Refused::new(Code::Corrupt, "its Parquet data is damaged")
}

/// The texts of one column of a batch.
#[derive(Clone, Default)]
struct Cells {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn get(&self, row: usize) -> &[u8] {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.ends.get(row).and_then(|&end| self.text.get(start..end)).unwrap_or_default()
    }
}

/// Pages, none of them beyond all measure.
struct Guard(Box<dyn PageReader>);

impl Iterator for Guard {
    type Item = ParquetResult<Page>;

    fn next(&mut self) -> Option<ParquetResult<Page>> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Guard {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        let page = self.0.get_next_page()?;
        match &page {
            Some(page) if page.buffer().len() > PAGE_BYTES_MAX => {
                Err(ParquetError::General("a page is too long".into()))
            }
            _ => Ok(page),
        }
    }

    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> ParquetResult<()> {
        self.0.skip_next_page()
    }
}

/// The file's bytes. Unlike the reader's own, it gives no room for more bytes than there are, whatever
/// the metadata claims.
enum Chunks {
    File { file: File, len: u64 },
    Memory(Bytes),
}

impl Chunks {
    fn of(source: &Source<'_>) -> Result<Chunks, Failure> {
        match source {
            Source::File { file, .. } => {
                Ok(Chunks::File { file: file.try_clone().map_err(Retry::from)?, len: source.len() })
            }
            Source::Memory(bytes) => Ok(Chunks::Memory(Bytes::copy_from_slice(bytes))),
        }
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        match self {
            Chunks::File { len, .. } => *len,
            Chunks::Memory(bytes) => bytes.len() as u64,
        }
    }
}

impl ChunkReader for Chunks {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> ParquetResult<Box<dyn Read>> {
        match self {
            Chunks::File { file, .. } => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                Ok(Box::new(io::BufReader::new(file)))
            }
            Chunks::Memory(bytes) => {
                let start = usize::try_from(start).ok().filter(|&start| start <= bytes.len());
                let start = start.ok_or_else(|| ParquetError::EOF("beyond the end".into()))?;
                Ok(Box::new(io::Cursor::new(bytes.slice(start..))))
            }
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let end = start.checked_add(length as u64).filter(|&end| end <= self.len());
        if end.is_none() {
            return Err(ParquetError::EOF("beyond the end".into()));
        }
        let mut bytes = Vec::with_capacity(length);
        self.get_read(start)?.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() == length { Ok(bytes.into()) } else { Err(ParquetError::EOF("beyond the end".into())) }
    }
}
