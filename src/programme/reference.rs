//! The reference programme, as it stands in `fixtures/programmes/reference`: what the service starts
//! with where it is given no other.

use super::source::Source;

macro_rules! files {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../fixtures/programmes/reference/", $name)))),*]
    };
}

const FILES: [(&str, &str); 2] = files!["segments.toml", "settings.toml"];

/// Its sources, as if read from the directory.
pub fn reference() -> Vec<Source> {
    FILES.iter().map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() }).collect()
}
