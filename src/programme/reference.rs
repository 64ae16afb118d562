//! The reference programme, as it stands in `fixtures/programmes/reference`: what the service starts
//! with where it is given no other.

use super::source::Source;

macro_rules! files {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../fixtures/programmes/reference/", $name)))),*]
    };
}

const FILES: [(&str, &str); 9] = files![
    "10-settings.toml",
    "20-tiers.toml",
    "30-segments.toml",
    "40-points.toml",
    "50-packs.toml",
    "60-campaigns.toml",
    "70-tags.toml",
    "80-goals.toml",
    "85-fit.toml"
];

/// Its sources, as if read from the directory.
pub fn reference() -> Vec<Source> {
    FILES.iter().map(|(name, text)| Source { name: (*name).to_owned(), text: (*text).to_owned() }).collect()
}
