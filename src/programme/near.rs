//! "Did you mean": names near to one that is not known.

use strsim::damerau_levenshtein;

use super::diagnostic::quoted;

/// Longest name that is compared, in bytes. Comparing costs the product of the lengths.
const NAME_BYTES_MAX: usize = 64;

/// Most names suggested.
const SUGGESTED_MAX: usize = 3;

/// The names near to `name`, nearest first, as a hint.
pub(super) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let written = name.to_lowercase();
    // One slip in three characters, and one in a short name.
    let slips_max = (written.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|known| known.len() <= NAME_BYTES_MAX && *known != name)
        .filter_map(|known| {
            let slips = damerau_levenshtein(&written, &known.to_lowercase());
            // A name that was only begun, or only ended, is meant as well.
            let is_part = written.len() >= 3 && known.contains(&written);
            (slips <= slips_max || is_part).then_some((slips, known))
        })
        .collect();
    near.sort();
    near.dedup();
    near.truncate(SUGGESTED_MAX);
    let names: Vec<String> = near.into_iter().map(|(_, name)| quoted(name)).collect();
    let (last, others) = names.split_last()?;
    Some(if others.is_empty() {
        format!("did you mean {last}?")
    } else {
        format!("did you mean {} or {last}?", others.join(", "))
    })
}

/// The names near to `name`, or all that are known.
pub(super) fn hint_or_list<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    hint(name, known.clone()).or_else(|| {
        const LISTED_MAX: usize = 12;
        let mut names: Vec<&str> = known.into_iter().take(LISTED_MAX + 1).collect();
        let more = if names.len() > LISTED_MAX { ", ..." } else { "" };
        names.truncate(LISTED_MAX);
        (!names.is_empty()).then(|| format!("known are {}{more}", names.join(", ")))
    })
}
