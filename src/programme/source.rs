//! The text of a programme: one TOML file, or a directory of them, and places in it.
//!
//! Of a directory every `*.toml` is read whose name does not begin with a dot, in the order of the
//! names. A source is named by its file's own name, never by a path: the same programme has
//! the same sources wherever it lies, and can be stored and read again byte for byte.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One file of a programme.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Source {
    pub name: String,
    pub text: String,
}

/// Largest programme, all files together, in bytes: a thousand campaigns with their texts fit many
/// times over.
pub const BYTES_MAX: usize = 4 << 20;

/// Most files of a programme.
pub const FILES_MAX: usize = 1000;

/// Why a programme could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("could not read programme \"{}\": {error}\nhint: name a TOML file, or a directory of them", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("could not read programme \"{}\": neither a file nor a directory\nhint: name a TOML file, or a directory of them", .0.display())]
    NotAFile(PathBuf),
    #[error("could not read programme \"{}\": the directory holds no file named *.toml\nhint: name the directory that the programme is in", .0.display())]
    Empty(PathBuf),
    #[error("could not read programme \"{}\": more than {FILES_MAX} files\nhint: put sections together in fewer files", .0.display())]
    TooManyFiles(PathBuf),
    #[error("could not read programme \"{}\": more than {BYTES_MAX} bytes\nhint: name the programme alone; nothing else belongs into its directory", .0.display())]
    TooLarge(PathBuf),
}

/// The files of a programme in their order, and where one is no UTF-8: there the bytes at fault are
/// replaced, so that the line can be shown.
pub(super) fn read(path: &Path) -> Result<(Vec<Source>, Vec<Place>), ReadError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |error| ReadError::Unreadable { path, error }
    };
    let files = if fs::metadata(path).map_err(unreadable(path))?.is_dir() {
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable(path))? {
            let name = PathBuf::from(entry.map_err(unreadable(path))?.file_name());
            let hidden = name.as_os_str().as_encoded_bytes().starts_with(b".");
            let file = path.join(&name);
            if !hidden && name.extension().is_some_and(|extension| extension == "toml") && !file.is_dir() {
                files.push(file);
            }
            if files.len() > FILES_MAX {
                return Err(ReadError::TooManyFiles(path.to_owned()));
            }
        }
        if files.is_empty() {
            return Err(ReadError::Empty(path.to_owned()));
        }
        files.sort_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
        files
    } else {
        vec![path.to_owned()]
    };

    let mut left = BYTES_MAX;
    let (mut sources, mut not_text) = (Vec::new(), Vec::new());
    for path in files {
        // A pipe or a device would never end.
        if !fs::metadata(&path).map_err(unreadable(&path))?.is_file() {
            return Err(ReadError::NotAFile(path));
        }
        let mut bytes = Vec::new();
        let limit = u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1);
        File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unreadable(&path))?;
        left = left.checked_sub(bytes.len()).ok_or_else(|| ReadError::TooLarge(path.clone()))?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            let start = error.utf8_error().valid_up_to();
            not_text.push(Place { file: sources.len(), start, end: start });
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        sources.push(Source { name, text });
    }
    Ok((sources, not_text))
}

/// A part of the text: the number of the source, and bytes in it. Orders as the text does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub file: usize,
    pub start: usize,
    pub end: usize,
}

impl Place {
    pub fn new(file: usize, bytes: Range<usize>) -> Place {
        Place { file, start: bytes.start, end: bytes.end }
    }
}

/// A place as a person counts, from 0: the line, its text, and the columns in characters.
pub(super) struct Position<'a> {
    pub line: usize,
    pub text: &'a str,
    pub column: usize,
    /// Where the place ends, or its first line does.
    pub column_end: usize,
}

impl Source {
    /// The lines up to the place are counted: fine for the few that are told.
    pub(super) fn position(&self, place: Place) -> Position<'_> {
        // Editors do not show a byte order mark, and do not count it.
        let body = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        let mark = self.text.len().saturating_sub(body.len());
        let start = floor_char(body, place.start.saturating_sub(mark));
        let end = floor_char(body, place.end.saturating_sub(mark)).max(start);
        let (before, after) = body.split_at_checked(start).unwrap_or((body, ""));
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let line_end = after.find('\n').map_or(body.len(), |at| start.saturating_add(at));
        let text = body.get(line_start..line_end).unwrap_or("");
        let chars = |to: usize| body.get(line_start..to).map_or(0, |part| part.chars().count());
        Position {
            line,
            text: text.strip_suffix('\r').unwrap_or(text),
            column: chars(start),
            column_end: chars(end.min(line_end)),
        }
    }
}

fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at = at.saturating_sub(1);
    }
    at
}
