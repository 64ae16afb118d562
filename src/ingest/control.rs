//! Control files: what the sender says about a file, in `<full file name>.ok`.
//!
//! ```text
//! rows=48210
//! sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
//! ```
//!
//! Either line may be absent, and an empty control file only says that the file has landed. What is
//! there must be readable; other lines are passed over with a warning.

use std::io::Read;
use std::path::Path;

use super::error::{Code, Failure, ReadError, Refused, Retry};
use super::source::Source;

/// Largest control file. Two lines need 100.
const BYTES_MAX: u64 = 64 << 10;
/// Most warnings about single lines.
const WARNINGS_MAX: usize = 5;

/// What the sender says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Control {
    /// Data rows: bad ones count, blank lines and the header do not.
    pub rows: Option<u64>,
    /// Of the raw bytes.
    pub sha256: Option<[u8; 32]>,
    pub warnings: Vec<String>,
}

impl Control {
    /// Reads the control file at `path`, which speaks of `file`. None where there is none.
    pub fn read(path: &Path, file: &str) -> Result<Option<Control>, ReadError> {
        match Control::read_at(path) {
            Ok(control) => Ok(Some(control)),
            Err(Failure::Retry(Retry::Vanished)) => Ok(None),
            Err(failure) => Err(failure.of(file)),
        }
    }

    fn read_at(path: &Path) -> Result<Control, Failure> {
        let source = Source::open(path)?;
        let mut bytes = Vec::new();
        source.reader()?.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(Retry::from)?;
        source.is_unchanged()?;
        Ok(Control::parse(&bytes)?)
    }

    /// Reads a control file's bytes.
    pub fn parse(bytes: &[u8]) -> Result<Control, Refused> {
        if bytes.len() as u64 > BYTES_MAX {
            return Err(unreadable(format!("its control file has more than {BYTES_MAX} bytes")));
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let mut control = Control::default();
        let mut unknown = 0;
        for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            let line = line.trim_ascii();
            let (key, value) = match line.iter().position(|&byte| byte == b'=') {
                Some(at) => line.split_at_checked(at).unwrap_or((line, &[])),
                None => (line, line.get(..0).unwrap_or_default()),
            };
            let value = std::str::from_utf8(value.get(1..).unwrap_or_default().trim_ascii()).unwrap_or_default();
            match key.trim_ascii() {
                b"rows" => set(&mut control.rows, rows(value), number, "rows=", "an integer from 0")?,
                b"sha256" => set(&mut control.sha256, sha256(value), number, "sha256=", "64 hexadecimal digits")?,
                _ if line.is_empty() => {}
                _ => {
                    unknown += 1;
                    if unknown <= WARNINGS_MAX {
                        // What it says is not repeated: it may be rows, under a wrong name.
                        control.warnings.push(format!("line {number} of the control file says nothing known"));
                    }
                }
            }
        }
        Ok(control)
    }

    /// Whether `sha256` is what the sender says.
    pub(super) fn check_sha256(&self, sha256: &[u8; 32]) -> Result<(), Refused> {
        match &self.sha256 {
            Some(said) if said != sha256 => {
                Err(Refused::new(Code::Checksum, "its bytes are not those that its control file is of")
                    .at(vec![format!("sha256 {}, control file {}", hex::encode(sha256), hex::encode(said))])
                    .hint("Deliver the file and its control file again."))
            }
            _ => Ok(()),
        }
    }

    /// Whether `rows` is what the sender says.
    pub(super) fn check_rows(&self, rows: u64) -> Result<(), Refused> {
        match self.rows {
            Some(said) if said != rows => {
                Err(Refused::new(Code::RowCount, format!("it has {rows} data rows, its control file says {said}"))
                    .hint("Deliver the file and its control file again."))
            }
            _ => Ok(()),
        }
    }
}

fn set<T: PartialEq>(
    slot: &mut Option<T>,
    value: Option<T>,
    line: usize,
    key: &str,
    expected: &str,
) -> Result<(), Refused> {
    let Some(value) = value else {
        return Err(unreadable(format!("line {line} of its control file: expected {key}{expected}")));
    };
    if slot.as_ref().is_some_and(|earlier| *earlier != value) {
        return Err(unreadable(format!("line {line} of its control file: {key} stands twice, with different values")));
    }
    *slot = Some(value);
    Ok(())
}

fn unreadable(fact: String) -> Refused {
    Refused::new(Code::ControlUnreadable, fact).hint("Deliver the control file again.")
}

fn rows(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut sum = [0; 32];
    let mut pairs = text.as_bytes().chunks(2);
    for byte in &mut sum {
        let &[high, low] = pairs.next()? else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    pairs.next().is_none().then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read() {
        let sum = "9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let control =
            Control::parse(format!("rows=12\r\nSHA\r\nsha256={sum}\r\n\r\nrows = 12").as_bytes()).expect("good");
        assert_eq!(control.rows, Some(12));
        assert_eq!(control.sha256.map(|sum| (sum[0], sum[31])), Some((0x9f, 0x08)));
        assert_eq!(control.warnings.len(), 1);
        assert_eq!(Control::parse(b""), Ok(Control::default()));
    }

    #[test]
    fn what_is_said_badly_refuses_the_file() {
        for text in [
            "rows=",
            "rows=-1",
            "rows=+1",
            "rows=1.0",
            "rows=99999999999999999999",
            "rows=1\nrows=2",
            "sha256=",
            "sha256=9f86",
            "sha256=zf86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0800",
        ] {
            let refused = Control::parse(text.as_bytes()).expect_err(text);
            assert_eq!(refused.code, Code::ControlUnreadable, "{text}");
        }
        assert!(Control::parse(&vec![b'x'; 100_000]).is_err());
        assert!(Control::parse(b"rows=\xff").is_err());
    }
}
