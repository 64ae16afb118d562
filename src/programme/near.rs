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
    // One slip in three characters, and one in a short name, but not all of it.
    let chars = written.chars().count();
    let slips_max = (chars / 3).max(1).min(chars.saturating_sub(1));
    let mut near: Vec<(usize, bool, &str)> = known
        .into_iter()
        .filter(|known| known.len() <= NAME_BYTES_MAX && *known != name)
        .filter_map(|known| {
            let slips = damerau_levenshtein(&written, &known.to_lowercase());
            // A name that was only begun, or only ended, is meant as well.
            let is_part = chars >= 3 && known.contains(&written);
            (slips <= slips_max || is_part).then_some((slips, is_part, known))
        })
        .collect();
    near.sort();
    near.dedup();
    if let Some((best, ..)) = near.first().copied() {
        near.retain(|(slips, is_part, _)| {
            *slips == best || (best > 0 && (*is_part || *slips == best.saturating_add(1)))
        });
    }
    near.truncate(SUGGESTED_MAX);
    let names: Vec<&str> = near.into_iter().map(|(_, _, name)| name).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", either(&names)))
}

/// `"a", "b" or "c"`.
pub(super) fn either(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        Some((only, _)) => only.clone(),
        None => String::new(),
    }
}

/// The names near to `name`, or all that are known.
pub(super) fn hint_or_list<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    hint(name, known.clone()).or_else(|| {
        const LISTED_MAX: usize = 16;
        let mut names: Vec<&str> = known.into_iter().take(LISTED_MAX + 1).collect();
        let more = if names.len() > LISTED_MAX { ", ..." } else { "" };
        names.truncate(LISTED_MAX);
        (!names.is_empty()).then(|| format!("known are {}{more}", names.join(", ")))
    })
}
