//! What was counted of a chunk, from when somebody first asked.

use std::sync::{Arc, Mutex, PoisonError};

/// What a chunk was counted under, and what came of it. A copy of the chunk will be another: it knows nothing.
pub struct Memo<K, V>(Mutex<Option<(K, Arc<V>)>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Memo<K, V> {
        Memo(Mutex::new(None))
    }
}

impl<K, V> Clone for Memo<K, V> {
    fn clone(&self) -> Memo<K, V> {
        Memo::default()
    }
}

impl<K, V> Memo<K, V> {
    /// What came of it under a key that is the same, counted where it is not known. Who asks at the same time waits.
    pub fn get(&self, key: K, is_same: impl FnOnce(&K, &K) -> bool, count: impl FnOnce() -> V) -> Arc<V> {
        let mut memo = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, value)) = &*memo
            && is_same(of, &key)
        {
            return value.clone();
        }
        let value = Arc::new(count());
        *memo = Some((key, value.clone()));
        value
    }

    /// Whether it is known under such a key.
    pub fn has(&self, is_same: impl FnOnce(&K) -> bool) -> bool {
        let memo = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        memo.as_ref().is_some_and(|(of, _)| is_same(of))
    }
}
