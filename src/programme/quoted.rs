//! From the value of a TOML string back to its source: where each character of a rule stands.
//!
//! The walk repeats what the TOML reader decoded (escapes, line ends, folded lines), and is held
//! against the reader's own value: where the two differ, there is no map and the caller points at the string.

/// For every character of the value the byte where it begins in `raw`, and last the byte where the
/// text ends. `raw` is the string with its quotes.
pub(super) fn offsets(raw: &str, value: &str) -> Option<Vec<usize>> {
    let (quotes, is_literal) = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quotes| raw.starts_with(quotes) && raw.len() >= quotes.len().saturating_mul(2))
        .map(|quotes| (quotes.len(), quotes.starts_with('\'')))?;
    let end = raw.len().checked_sub(quotes)?;
    let mut walk = Walk { text: raw.get(..end)?, at: quotes };
    let is_multiline = quotes == 3;
    if is_multiline && !walk.take("\r\n") {
        walk.take("\n");
    }

    let mut offsets = Vec::with_capacity(value.len().saturating_add(1));
    let mut decoded = value.chars();
    while walk.at < end {
        let start = walk.at;
        let char = match walk.next()? {
            '\\' if !is_literal => match walk.escape()? {
                Some(char) => char,
                None => continue,
            },
            // TOML leaves it to the reader whether a line end in a string keeps its CR.
            '\r' if is_multiline && decoded.as_str().starts_with('\n') => {
                walk.take("\n");
                '\n'
            }
            char => char,
        };
        if decoded.next() != Some(char) {
            return None;
        }
        offsets.push(start);
    }
    offsets.push(end);
    decoded.next().is_none().then_some(offsets)
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl Walk<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn next(&mut self) -> Option<char> {
        let char = self.rest().chars().next()?;
        self.at = self.at.checked_add(char.len_utf8())?;
        Some(char)
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at = self.at.saturating_add(expected.len());
        }
        found
    }

    /// What follows a backslash. Some(None): a folded line, which stands for nothing.
    fn escape(&mut self) -> Option<Option<char>> {
        let digits = match self.next()? {
            'b' => return Some(Some('\u{8}')),
            't' => return Some(Some('\t')),
            'n' => return Some(Some('\n')),
            'f' => return Some(Some('\u{c}')),
            'r' => return Some(Some('\r')),
            'e' => return Some(Some('\u{1b}')),
            char @ ('"' | '\\') => return Some(Some(char)),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            ' ' | '\t' | '\r' | '\n' => {
                while self.rest().starts_with([' ', '\t', '\r', '\n']) {
                    self.next()?;
                }
                return Some(None);
            }
            _ => return None,
        };
        let end = self.at.checked_add(digits)?;
        let code = u32::from_str_radix(self.text.get(self.at..end)?, 16).ok()?;
        self.at = end;
        char::from_u32(code).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::offsets;

    #[track_caller]
    fn check(raw: &str, value: &str, expected: &[usize]) {
        assert_eq!(offsets(raw, value).as_deref(), Some(expected));
    }

    #[test]
    fn every_kind_of_string_maps_back() {
        check(r#""ab""#, "ab", &[1, 2, 3]);
        check("'a\\b'", "a\\b", &[1, 2, 3, 4]);
        check(r#""a\"\u00e9é""#, "a\"éé", &[1, 2, 4, 10, 12]);
        check("\"\"\"\r\na\r\nb\"\"\"", "a\nb", &[5, 6, 8, 9]);
        check("'''\na'b'''", "a'b", &[4, 5, 6, 7]);
        check("\"\"\"a \\\n   b\"\"\"", "a b", &[3, 4, 10, 11]);
        check("\"\"", "", &[1]);
    }

    #[test]
    fn a_value_that_is_not_of_this_string_has_no_map() {
        assert_eq!(offsets("\"ab\"", "ac"), None);
        assert_eq!(offsets("\"", ""), None);
        assert_eq!(offsets("12", "12"), None);
        assert_eq!(offsets("\"\\q\"", "q"), None);
    }
}
