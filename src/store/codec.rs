//! Bytes on disk: little-endian integers, texts with their length, packed columns.
//!
//! A column of integers is stored as the distance of each from the least, or of each step from the
//! least step, in as few whole bytes as the largest distance needs: customers of an extract in the
//! order of their numbers take none, fees three. Reading never trusts a length: a decoder is given bytes
//! whose checksum agreed, and still refuses what does not add up.

use dataflows::records::ROWS_MAX;

/// What is read does not add up.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record is damaged: {0}")]
pub struct Damaged(pub &'static str);

/// Builds a record.
#[derive(Clone, Default)]
pub struct Writer {
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn text(&mut self, text: &str) {
        self.u32(text.len() as u32);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// A part that a reader may pass over: `write` fills it.
    pub fn part(&mut self, write: impl FnOnce(&mut Writer)) {
        let at = self.bytes.len();
        self.u64(0);
        write(self);
        let len = (self.bytes.len() - at - 8) as u64;
        self.bytes[at..at + 8].copy_from_slice(&len.to_le_bytes());
    }

    /// A column of integers.
    pub fn column(&mut self, values: impl Iterator<Item = i64> + Clone) {
        let Some(first) = values.clone().next() else {
            self.u64(0);
            return;
        };
        let (mut count, mut least, mut most, mut last) = (1u64, first, first, first);
        let (mut step_least, mut step_most) = (i64::MAX, i64::MIN);
        for value in values.clone().skip(1) {
            let step = value.wrapping_sub(last);
            (step_least, step_most) = (step_least.min(step), step_most.max(step));
            (least, most) = (least.min(value), most.max(value));
            (count, last) = (count + 1, value);
        }
        self.u64(count);
        let (width, step_width) = (width_of(least, most), width_of(step_least, step_most));
        self.u8(u8::from(step_width < width));
        if step_width < width {
            self.u8(step_width);
            self.i64(step_least);
            self.i64(first);
            let mut last = first;
            let steps = values.skip(1).map(move |value| {
                let step = value.wrapping_sub(last);
                last = value;
                step.wrapping_sub(step_least) as u64
            });
            self.packed(steps, count, step_width);
        } else {
            self.u8(width);
            self.i64(least);
            self.packed(values.map(|value| value.wrapping_sub(least) as u64), count, width);
        }
    }

    fn packed(&mut self, distances: impl Iterator<Item = u64>, count: u64, width: u8) {
        self.bytes.reserve(count as usize * usize::from(width) + 8);
        for distance in distances {
            // Eight bytes are written and the surplus is taken back: faster than a loop of bytes.
            let len = self.bytes.len();
            self.bytes.extend_from_slice(&distance.to_le_bytes());
            self.bytes.truncate(len + usize::from(width));
        }
    }

    /// A column of optional integers: the absent ones as the value that no present one has.
    pub fn optional_column(&mut self, values: impl Iterator<Item = Option<i64>> + Clone, absent: i64) {
        self.column(values.map(|value| value.unwrap_or(absent)));
    }

    /// A column of optional texts.
    pub fn texts<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>> + Clone) {
        // Length + 1, so that 0 is null.
        self.column(texts.clone().map(|text| text.map_or(0, |text| text.len() as i64 + 1)));
        texts.flatten().for_each(|text| self.bytes.extend_from_slice(text.as_bytes()));
    }
}

fn width_of(least: i64, most: i64) -> u8 {
    let distance = most.wrapping_sub(least) as u64;
    (8 - distance.leading_zeros() / 8) as u8
}

/// Takes a record apart.
#[derive(Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes }
    }

    /// What follows, as it stands.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Refuses to look for so many things where fewer bytes follow: for what costs a byte each but one, so that
    /// a few bytes cannot announce, and have memory set aside for, millions.
    pub fn expect(&self, count: usize) -> Result<(), Damaged> {
        if count > self.bytes.len().saturating_add(1) { Err(Damaged("it announces more than follows")) } else { Ok(()) }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(Damaged("it ends too early"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(Damaged("it ends too early"))?;
        self.bytes = rest;
        Ok(*taken)
    }

    pub fn u8(&mut self) -> Result<u8, Damaged> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub fn u32(&mut self) -> Result<u32, Damaged> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64, Damaged> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub fn i64(&mut self) -> Result<i64, Damaged> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        self.array()
    }

    pub fn text(&mut self) -> Result<&'a str, Damaged> {
        let len = self.u32()? as usize;
        std::str::from_utf8(self.take(len)?).map_err(|_| Damaged("a text is no UTF-8"))
    }

    /// A part, as a reader of its own.
    pub fn part(&mut self) -> Result<Reader<'a>, Damaged> {
        let len = usize::try_from(self.u64()?).map_err(|_| Damaged("a part is too long"))?;
        Ok(Reader { bytes: self.take(len)? })
    }

    /// A column of `count` integers. The count is checked before anything is allocated for it.
    pub fn column_of(&mut self, count: usize) -> Result<Vec<i64>, Damaged> {
        if self.u64()? != count as u64 {
            return Err(Damaged("columns differ in length"));
        }
        if count == 0 {
            return Ok(Vec::new());
        }
        let (is_steps, width, least) = (self.u8()? != 0, usize::from(self.u8()?), self.i64()?);
        if width > 8 {
            return Err(Damaged("a column is too wide"));
        }
        let first = if is_steps { Some(self.i64()?) } else { None };
        let stored = count - usize::from(is_steps);
        let packed = self.take(stored.checked_mul(width).ok_or(Damaged("a column is too long"))?)?;
        // A column without width costs no bytes, so its length is bounded by hand: no file has more rows.
        if width == 0 && count > ROWS_MAX {
            return Err(Damaged("a column is too long"));
        }
        let distance = |index: usize| {
            let mut bytes = [0u8; 8];
            bytes[..width].copy_from_slice(&packed[index * width..(index + 1) * width]);
            u64::from_le_bytes(bytes) as i64
        };
        let mut values = Vec::with_capacity(count);
        if let Some(mut last) = first {
            values.push(last);
            for index in 0..stored {
                last = last.wrapping_add(distance(index).wrapping_add(least));
                values.push(last);
            }
        } else {
            values.extend((0..stored).map(|index| distance(index).wrapping_add(least)));
        }
        Ok(values)
    }

    /// A column of `count` optional texts.
    pub fn texts(&mut self, count: usize) -> Result<Vec<Option<&'a str>>, Damaged> {
        let lens = self.column_of(count)?;
        let text = |len: i64| match usize::try_from(len).map_err(|_| Damaged("a text has no length"))?.checked_sub(1) {
            None => Ok(None),
            Some(len) => {
                let bytes = self.take(len)?;
                std::str::from_utf8(bytes).map(Some).map_err(|_| Damaged("a text is no UTF-8"))
            }
        };
        lens.into_iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(values: &[i64]) -> usize {
        let mut writer = Writer::default();
        writer.column(values.iter().copied());
        let mut reader = Reader::new(&writer.bytes);
        assert_eq!(reader.column_of(values.len()).as_deref(), Ok(values));
        assert!(reader.is_at_end());
        writer.bytes.len()
    }

    #[test]
    fn columns_come_back() {
        round_trip(&[]);
        round_trip(&[i64::MIN, i64::MAX, 0, -1, 1]);
        round_trip(&[5; 1000]);
        assert!(round_trip(&(0..1000).collect::<Vec<_>>()) < 30);
        assert!(round_trip(&(0..1000).map(|n| n * 37 % 256 - 12).collect::<Vec<_>>()) < 1_030);
    }

    #[test]
    fn texts_come_back() {
        let texts = [Some("a"), None, Some(""), Some("沈阳")];
        let mut writer = Writer::default();
        writer.texts(texts.into_iter());
        assert_eq!(Reader::new(&writer.bytes).texts(4).as_deref(), Ok(&texts[..]));
    }

    #[test]
    fn no_prefix_of_a_record_is_read_as_one() {
        let mut writer = Writer::default();
        writer.texts([Some("abc"), None].into_iter());
        for len in 0..writer.bytes.len() {
            assert!(Reader::new(&writer.bytes[..len]).texts(2).is_err(), "{len}");
        }
    }
}
