//! CSV for spreadsheets.
//!
//! A cell that a spreadsheet would run as a formula gets an apostrophe before it, which such programs
//! take for "text follows". Files that programs exchange stay exact: see [`super::export`].

use std::borrow::Cow;
use std::io::{self, Write};

use super::filter::{Filter, chosen};
use super::rows::Sources;
use super::{Cell, View};
use crate::store::StoreError;

/// Why a download broke off.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("could not write it: {0}")]
    Write(#[from] csv::Error),
    #[error("could not write it: {0}")]
    Flush(#[from] io::Error),
}

/// Writes the rows of a view that a filter takes.
pub fn download(view: &View, sources: Sources<'_>, filter: &Filter, out: impl Write) -> Result<(), DownloadError> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(view.columns.iter().map(|column| column.name))?;
    chosen::<DownloadError>(view, sources, filter, &mut |cells| {
        for cell in cells {
            match cell {
                Cell::Text(text) => writer.write_field(&*harmless(text))?,
                // Numbers, times and truths begin like no formula.
                cell => writer.write_field(cell.to_string())?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
        Ok(())
    })?;
    writer.flush()?;
    Ok(())
}

/// A text that no spreadsheet runs.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let begins = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if begins && !is_number(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Whether a text is a plain decimal number.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, part].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for text in
            ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-", "+", "-.5", "=", "-1.2.3"]
        {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "-5", "+5", "-0.50", "a=1", "客户", "'=1", " =1", "2009-07-01", "1-2"] {
            assert_eq!(harmless(text), text);
        }
    }
}
