//! Rows of varying number for each customer of a chunk, as one sorted list.
//!
//! Terminals, orders, listings and months of usage are few and uneven: a list for each customer
//! would cost a pointer and an allocation where most have none. One sorted list a chunk costs the
//! rows alone; a change of one row moves at most the chunk's rows behind it, and the changes of a
//! bulk load are merged in one pass.

/// A key that is set or, with `None`, removed.
pub type Change<K, V> = (K, Option<V>);

/// Rows sorted by key, each key once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sorted<K, V> {
    rows: Vec<(K, V)>,
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Sorted { rows: Vec::new() }
    }
}

impl<K: Ord, V> Sorted<K, V> {
    /// Sets or, with `None`, removes each key; of equal keys the last change holds.
    pub fn apply(&mut self, mut changes: Vec<Change<K, V>>) {
        if changes.len() <= 8 {
            for (key, value) in changes {
                match (self.rows.binary_search_by(|(held, _)| held.cmp(&key)), value) {
                    (Ok(index), Some(value)) => self.rows[index].1 = value,
                    (Ok(index), None) => drop(self.rows.remove(index)),
                    (Err(index), Some(value)) => self.rows.insert(index, (key, value)),
                    (Err(_), None) => {}
                }
            }
            return;
        }
        changes.sort_by(|(left, _), (right, _)| left.cmp(right));
        let mut held = std::mem::take(&mut self.rows).into_iter().peekable();
        let mut changes = changes.into_iter().peekable();
        self.rows.reserve(held.len());
        while let Some((key, value)) = changes.next() {
            if changes.peek().is_some_and(|(next, _)| *next == key) {
                continue;
            }
            while let Some(row) = held.next_if(|(held, _)| *held < key) {
                self.rows.push(row);
            }
            held.next_if(|(held, _)| *held == key);
            if let Some(value) = value {
                self.rows.push((key, value));
            }
        }
        self.rows.extend(held);
        self.rows.shrink_to_fit();
    }

    /// All rows, ascending.
    pub fn rows(&self) -> &[(K, V)] {
        &self.rows
    }

    /// The rows that `side` finds equal, which must order rows as their keys are ordered.
    pub fn range(&self, side: impl Fn(&K) -> std::cmp::Ordering) -> &[(K, V)] {
        let from = self.rows.partition_point(|(key, _)| side(key).is_lt());
        let until = from + self.rows[from..].partition_point(|(key, _)| side(key).is_eq());
        &self.rows[from..until]
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.binary_search_by(|(held, _)| held.cmp(key)).ok().map(|index| &self.rows[index].1)
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_changes_and_many_leave_the_same_rows() {
        let changes: Vec<(u32, Option<u32>)> = (0..500).map(|n| (n * 7919 % 61, (n % 3 != 0).then_some(n))).collect();
        let (mut few, mut many) = (Sorted::default(), Sorted::default());
        for chunk in changes.chunks(5) {
            few.apply(chunk.to_vec());
        }
        for chunk in changes.chunks(50) {
            many.apply(chunk.to_vec());
        }
        assert_eq!(few, many);
        assert!(few.rows().windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(
            few.range(|key| (key / 10).cmp(&2)).len(),
            few.rows().iter().filter(|(key, _)| key / 10 == 2).count()
        );
    }
}
