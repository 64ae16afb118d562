//! Texts that staff keep: notices for members, topics on which opinions are asked, prompts that channels say.
//!
//! They are no input of any view: nothing but who reads them hangs on them. Kept in DATA/notices, each with who wrote it
//! and when; what was written before stays as earlier versions, the latest of them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use dataflows::types::Day;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::store::vfs::Vfs;

/// Where they are kept, and what they are written as before they are.
const FILE: &str = "texts.json";
const NEXT: &str = "texts.json.next";

/// Every change of what stands in the file raises this.
const FORMAT: u32 = 1;

/// Bounds of what is kept: texts in all, earlier versions of one, bytes of one and of the file.
const TEXTS_MAX: usize = 5_000;
const EARLIER_MAX: usize = 10;
const TEXT_MAX: usize = 20_000;
const FILE_MAX: u64 = 512 << 20;

/// Longest id, title and moment, in bytes.
const ID_MAX: usize = 128;
const TITLE_MAX: usize = 500;

/// What a text is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Told to members.
    Notices,
    /// What opinions are asked on.
    Topics,
    /// What channels say.
    Prompts,
}

impl Kind {
    pub fn named(name: &str) -> Option<Kind> {
        match name {
            "notices" => Some(Kind::Notices),
            "topics" => Some(Kind::Topics),
            "prompts" => Some(Kind::Prompts),
            _ => None,
        }
    }
}

/// What is written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Said {
    pub title: String,
    #[serde(default)]
    pub text: String,
    /// The first day on which it counts: YYYY-MM-DD; none: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first day on which it counts no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A version of a text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Version {
    pub version: u64,
    #[serde(flatten)]
    pub said: Said,
    /// Who wrote it; none: whoever keeps the service.
    pub by: Option<String>,
    /// Universal time.
    pub at: String,
}

/// A text, with what it was before, the latest last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Text {
    pub kind: Kind,
    pub id: String,
    pub now: Version,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Version>,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    texts: Vec<Text>,
}

/// Why a text is not kept.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("could not read or write texts: {0}")]
    Io(#[from] io::Error),
    #[error("{FILE} cannot be read: {0}\nhint: bring it back from a backup, or put it aside to begin anew")]
    Damaged(String),
    #[error("an id has 1 to {ID_MAX} letters, digits and . _ -")]
    Id,
    #[error(
        "a title has 1 to {TITLE_MAX} bytes, a text at most {TEXT_MAX}; from and until are days YYYY-MM-DD, until after from"
    )]
    Said,
    #[error("there are at most {TEXTS_MAX} texts: delete some first")]
    TooMany,
    /// Somebody else has written it meanwhile.
    #[error("it is at version {0}: look at that first")]
    Version(u64),
}

/// Whether a text is a day as they are written here.
pub fn is_day(text: &str) -> bool {
    Day::parse(text).is_some_and(|day| day.to_string() == text)
}

/// All texts.
pub struct Notices {
    vfs: Arc<dyn Vfs>,
    held: Mutex<BTreeMap<(Kind, String), Text>>,
}

impl Notices {
    pub fn open(vfs: Arc<dyn Vfs>) -> Result<Notices, TextError> {
        let damaged = |why: &dyn std::fmt::Display| TextError::Damaged(why.to_string());
        let file = vfs.open(FILE)?;
        let size = file.size()?;
        let mut held = BTreeMap::new();
        if size > 0 {
            if size > FILE_MAX {
                return Err(damaged(&"it is too large"));
            }
            let mut bytes = vec![0; size as usize];
            file.read_at(0, &mut bytes)?;
            let File { format, texts } = serde_json::from_slice(&bytes).map_err(|error| damaged(&error))?;
            if format != FORMAT {
                return Err(damaged(&format_args!("it is of format {format}, and this build reads {FORMAT}")));
            }
            held.extend(texts.into_iter().map(|text| ((text.kind, text.id.clone()), text)));
        }
        Ok(Notices { vfs, held: Mutex::new(held) })
    }

    /// Those of a kind, by id; of a day, where only those are wanted that count then.
    pub fn list(&self, kind: Kind, on: Option<&str>) -> Vec<Text> {
        // Days as they are written here stand in the order of their texts.
        let counts = |said: &Said| {
            on.is_none_or(|day| {
                said.from.as_deref().is_none_or(|from| from <= day)
                    && said.until.as_deref().is_none_or(|until| day < until)
            })
        };
        let held = self.held.lock();
        held.values().filter(|text| text.kind == kind && counts(&text.now.said)).cloned().collect()
    }

    pub fn get(&self, kind: Kind, id: &str) -> Option<Text> {
        self.held.lock().get(&(kind, id.to_owned())).cloned()
    }

    /// Writes a text; where `version` is told, only over that one: 0 where there is to be none yet. It is durable then.
    pub fn put(
        &self,
        kind: Kind,
        id: &str,
        said: Said,
        by: Option<&str>,
        version: Option<u64>,
    ) -> Result<Text, TextError> {
        let is_sign = |sign: char| sign.is_alphanumeric() || "._-".contains(sign);
        if !(1..=ID_MAX).contains(&id.len()) || !id.chars().all(is_sign) {
            return Err(TextError::Id);
        }
        let is_day = |text: &String| is_day(text);
        let days = said.from.iter().chain(&said.until).all(is_day);
        let is_period = days && said.from.is_none() | said.until.is_none() | (said.from < said.until);
        if !(1..=TITLE_MAX).contains(&said.title.len()) || said.text.len() > TEXT_MAX || !is_period {
            return Err(TextError::Said);
        }
        let mut held = self.held.lock();
        let key = (kind, id.to_owned());
        let before = held.get(&key);
        let stands = before.map_or(0, |text| text.now.version);
        if version.is_some_and(|version| version != stands) {
            return Err(TextError::Version(stands));
        }
        if before.is_none() && held.len() >= TEXTS_MAX {
            return Err(TextError::TooMany);
        }
        let now =
            Version { version: stands + 1, said, by: by.map(str::to_owned), at: jiff::Timestamp::now().to_string() };
        let mut earlier = before.map(|text| text.earlier.clone()).unwrap_or_default();
        earlier.extend(before.map(|text| text.now.clone()));
        earlier.drain(..earlier.len().saturating_sub(EARLIER_MAX));
        let text = Text { kind, id: id.to_owned(), now, earlier };
        let mut next = held.clone();
        next.insert(key, text.clone());
        self.keep(&next)?;
        *held = next;
        Ok(text)
    }

    /// Deletes a text with all it was before. False where there was none.
    pub fn remove(&self, kind: Kind, id: &str) -> Result<bool, TextError> {
        let mut held = self.held.lock();
        let mut next = held.clone();
        if next.remove(&(kind, id.to_owned())).is_none() {
            return Ok(false);
        }
        self.keep(&next)?;
        *held = next;
        Ok(true)
    }

    fn keep(&self, texts: &BTreeMap<(Kind, String), Text>) -> Result<(), TextError> {
        let file = File { format: FORMAT, texts: texts.values().cloned().collect() };
        let bytes = serde_json::to_vec(&file).map_err(|error| TextError::Damaged(error.to_string()))?;
        let next = self.vfs.open(NEXT)?;
        next.truncate(0)?;
        next.write_at(0, &bytes)?;
        next.sync()?;
        self.vfs.rename(NEXT, FILE)?;
        self.vfs.sync_names()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    fn said(title: &str, from: Option<&str>, until: Option<&str>) -> Said {
        Said {
            title: title.to_owned(),
            text: "你好".to_owned(),
            from: from.map(str::to_owned),
            until: until.map(str::to_owned),
        }
    }

    #[test]
    fn texts_are_there_after_a_restart_with_what_they_were() {
        let vfs: Arc<dyn Vfs> = Arc::new(Memory::default());
        let notices = Notices::open(vfs.clone()).expect("opened");
        for number in 0..15 {
            let title = format!("version {number}");
            let put = notices.put(Kind::Notices, "spring", said(&title, None, None), Some("ann"), Some(number));
            assert_eq!(put.expect("kept").now.version, number + 1);
        }
        let stale = notices.put(Kind::Notices, "spring", said("stale", None, None), None, Some(3));
        assert!(matches!(stale, Err(TextError::Version(15))));
        notices.put(Kind::Topics, "spring", said("a topic", None, None), None, None).expect("kept");
        let notices = Notices::open(vfs).expect("opened");
        let text = notices.get(Kind::Notices, "spring").expect("there");
        assert_eq!((text.now.said.title.as_str(), text.earlier.len()), ("version 14", EARLIER_MAX));
        assert!(notices.remove(Kind::Notices, "spring").expect("deleted"));
        assert!(!notices.remove(Kind::Notices, "spring").expect("looked"));
        assert_eq!(notices.list(Kind::Topics, None).len(), 1);
    }

    #[test]
    fn a_text_counts_from_a_day_until_another() {
        let notices = Notices::open(Arc::new(Memory::default())).expect("opened");
        let of = |from, until| said("a title", from, until);
        notices.put(Kind::Prompts, "a", of(Some("2026-01-05"), Some("2026-01-07")), None, None).expect("kept");
        let count = |day: &str| notices.list(Kind::Prompts, Some(day)).len();
        assert_eq!(["2026-01-04", "2026-01-05", "2026-01-06", "2026-01-07"].map(count), [0, 1, 1, 0]);
        for (id, said) in [
            ("", of(None, None)),
            ("a b", of(None, None)),
            ("b", of(Some("2026-01-05"), Some("2026-01-05"))),
            ("b", of(Some("2026-1-5"), None)),
            ("b", of(None, Some("2026-02-30"))),
            ("b", said("", None, None)),
            ("b", said(&"x".repeat(TITLE_MAX + 1), None, None)),
        ] {
            assert!(notices.put(Kind::Prompts, id, said, None, None).is_err());
        }
    }
}
