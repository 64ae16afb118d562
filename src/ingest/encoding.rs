//! Encodings: UTF-8 or GB18030, decided once for a whole file, decoded before anything is split.
//!
//! A GB18030 character may end in the byte of `|`, so the text is decoded first. "It decodes" is no
//! evidence for GB18030, which takes most UTF-8 too; strict UTF-8 is asked first. Where only some
//! lines are not UTF-8, the lines beyond ASCII vote: more that are than are not, and the file is
//! UTF-8 with broken rows; otherwise it is GB18030.
//!
//! Invariant: what [`Text`] gives is UTF-8 but for broken characters. Of UTF-8 they stay as they
//! came; of GB18030 each becomes one byte 0xFF, which no UTF-8 has. So a row was broken exactly where
//! it is not UTF-8, and no replacement character is ever made.

use encoding_rs::{Decoder, DecoderResult, GB18030};

use super::error::{Code, Failure, Refused};
use super::stream::{BLOCK_BYTES, Stream};

/// How a file's characters are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    Utf8,
    Gb18030,
}

const BOM: &[u8] = b"\xEF\xBB\xBF";
/// What a broken GB18030 character becomes.
const BROKEN: u8 = 0xFF;

/// Whether a text begins as UTF-16 or UTF-32 does.
pub(super) fn refuse_wide(head: &[u8]) -> Result<(), Refused> {
    match head {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, 0, 0xFE, 0xFF, ..] => {
            Err(Refused::new(Code::Encoding, "it is UTF-16 or UTF-32, not UTF-8 or GB18030")
                .hint("Save it as UTF-8 and deliver it again."))
        }
        _ => Ok(()),
    }
}

/// Decides the encoding, a block at a time, without keeping any line.
#[derive(Default)]
pub(super) struct Census {
    has_bom: bool,
    /// The bytes of a character that the last block or line began and did not end.
    open: Vec<u8>,
    line_is_beyond_ascii: bool,
    line_is_broken: bool,
    /// Lines beyond ASCII that are UTF-8, and that are not.
    whole: u64,
    broken: u64,
}

impl Census {
    /// Takes the next block; `is_first` for the file's first.
    pub(super) fn take(&mut self, block: &[u8], is_first: bool) {
        self.has_bom |= is_first && block.starts_with(BOM);
        if self.has_bom {
            return;
        }
        if block.is_ascii() && self.open.is_empty() {
            // Nothing in it but the end of a line that an earlier block began.
            if self.line_is_beyond_ascii && memchr::memchr2(b'\n', b'\r', block).is_some() {
                self.end_line();
            }
            return;
        }
        let mut rest = block;
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            self.extend_line(line);
            self.end_line();
            rest = after.get(1..).unwrap_or_default();
        }
        self.extend_line(rest);
    }

    fn extend_line(&mut self, bytes: &[u8]) {
        if self.line_is_broken || (bytes.is_ascii() && self.open.is_empty()) {
            return;
        }
        self.line_is_beyond_ascii = true;
        let joined;
        let bytes = if self.open.is_empty() {
            bytes
        } else {
            joined = [self.open.as_slice(), bytes].concat();
            self.open.clear();
            &joined
        };
        if let Err(error) = simdutf8::compat::from_utf8(bytes) {
            match error.error_len() {
                None => self.open.extend_from_slice(bytes.get(error.valid_up_to()..).unwrap_or_default()),
                Some(_) => self.line_is_broken = true,
            }
        }
    }

    fn end_line(&mut self) {
        let is_broken = self.line_is_broken || !self.open.is_empty();
        if is_broken {
            self.broken += 1;
        } else if self.line_is_beyond_ascii {
            self.whole += 1;
        }
        self.open.clear();
        self.line_is_beyond_ascii = false;
        self.line_is_broken = false;
    }

    /// The encoding of everything taken.
    pub(super) fn decide(mut self) -> Encoding {
        self.end_line();
        if self.has_bom || self.broken == 0 || self.whole > self.broken { Encoding::Utf8 } else { Encoding::Gb18030 }
    }
}

/// A file's text, a block at a time.
pub(super) struct Text<'a> {
    stream: Stream<'a>,
    /// Bytes of the unpacked file still to come; what follows them is no text.
    left: u64,
    has_begun: bool,
    gb18030: Option<Box<Transcoder>>,
}

struct Transcoder {
    decoder: Decoder,
    block: Vec<u8>,
    from: usize,
    to: usize,
    has_ended: bool,
}

impl<'a> Text<'a> {
    /// The text of the first `len` bytes.
    pub(super) fn new(stream: Stream<'a>, len: u64, encoding: Encoding) -> Text<'a> {
        let gb18030 = (encoding == Encoding::Gb18030).then(|| {
            let decoder = GB18030.new_decoder_without_bom_handling();
            Box::new(Transcoder { decoder, block: vec![0; BLOCK_BYTES], from: 0, to: 0, has_ended: false })
        });
        Text { stream, left: len, has_begun: false, gb18030 }
    }

    /// Puts text into `buffer`, from its start, and returns how much; 0 only at the end.
    pub(super) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let mut filled = match &mut self.gb18030 {
            None => fill_raw(&mut self.stream, &mut self.left, buffer)?,
            Some(transcoder) => transcoder.fill(&mut self.stream, &mut self.left, buffer)?,
        };
        if !self.has_begun && buffer.get(..filled).is_some_and(|text| text.starts_with(BOM)) {
            buffer.copy_within(BOM.len()..filled, 0);
            filled -= BOM.len();
        }
        self.has_begun = true;
        Ok(filled)
    }

    /// Reads to the end of the stream, so that its checksum is of the whole file.
    pub(super) fn drain(mut self) -> Result<(), Failure> {
        let mut rest = vec![0; BLOCK_BYTES];
        while self.stream.fill(&mut rest)? > 0 {}
        Ok(())
    }
}

fn fill_raw(stream: &mut Stream<'_>, left: &mut u64, buffer: &mut [u8]) -> Result<usize, Failure> {
    let wanted = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
    let filled = stream.fill(buffer.get_mut(..wanted).unwrap_or_default())?;
    *left = left.saturating_sub(filled as u64);
    Ok(filled)
}

impl Transcoder {
    fn fill(&mut self, stream: &mut Stream<'_>, left: &mut u64, buffer: &mut [u8]) -> Result<usize, Failure> {
        let mut filled = 0;
        loop {
            if self.from == self.to && !self.has_ended {
                (self.from, self.to) = (0, fill_raw(stream, left, &mut self.block)?);
                self.has_ended = self.to < self.block.len();
            }
            let source = self.block.get(self.from..self.to).unwrap_or_default();
            // The last byte is kept for what may be broken.
            let room = buffer.len().saturating_sub(1);
            let target = buffer.get_mut(filled..room).unwrap_or_default();
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(source, target, self.has_ended);
            self.from += read;
            filled += written;
            match result {
                DecoderResult::Malformed(..) => {
                    if let Some(byte) = buffer.get_mut(filled) {
                        *byte = BROKEN;
                        filled += 1;
                    }
                }
                DecoderResult::OutputFull => return Ok(filled),
                DecoderResult::InputEmpty if self.has_ended => {
                    // A decoder that has seen the end must not be asked again.
                    self.decoder = GB18030.new_decoder_without_bom_handling();
                    return Ok(filled);
                }
                DecoderResult::InputEmpty => {}
            }
        }
    }
}
