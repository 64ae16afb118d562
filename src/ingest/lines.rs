//! On which line of its file each row stands.

/// The line of every row, as runs of rows on consecutive lines: a few bytes for most files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lines {
    /// The first row of a run and its line.
    runs: Vec<(u32, u64)>,
}

impl Lines {
    /// Notes the line of the next row.
    pub fn push(&mut self, row: u32, line: u64) {
        if self.of(row) != Some(line) {
            self.runs.push((row, line));
        }
    }

    /// The line of a row.
    pub fn of(&self, row: u32) -> Option<u64> {
        let run = match self.runs.last() {
            Some(last) if last.0 <= row => last,
            _ => self.runs.get(self.runs.partition_point(|run| run.0 <= row).checked_sub(1)?)?,
        };
        run.1.checked_add(u64::from(row - run.0))
    }

    /// The first row of each run, and its line.
    pub fn runs(&self) -> &[(u32, u64)] {
        &self.runs
    }

    /// Those of runs; none where these are not in the order of their rows.
    pub fn of_runs(runs: Vec<(u32, u64)>) -> Option<Lines> {
        runs.is_sorted_by(|one, next| one.0 < next.0).then_some(Lines { runs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_again() {
        let lines_of_rows = [2, 3, 4, 7, 8, 20, 21];
        let mut lines = Lines::default();
        for (row, line) in (0..).zip(lines_of_rows) {
            lines.push(row, line);
        }
        assert_eq!(lines.runs.len(), 3);
        for (row, line) in (0..).zip(lines_of_rows) {
            assert_eq!(lines.of(row), Some(line));
        }
        assert_eq!(Lines::default().of(0), None);
        assert_eq!(Lines::of_runs(lines.runs.clone()), Some(lines));
        assert_eq!(Lines::of_runs(vec![(3, 1), (3, 2)]), None);
    }
}
