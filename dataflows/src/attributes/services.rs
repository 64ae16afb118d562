//! What rules ask of services: trials, health, and their share of the bill.

use crate::rules::evaluate::Numbers;
use crate::table::chunk::{TOTAL_FEE, VAS_FEE};
use crate::types::Word;

use super::{Frame, Window};

impl Frame<'_> {
    pub(super) fn trials(&self, product: Option<Word>) -> Vec<u32> {
        self.by_slot(|services, slot| services.trial(self.chunk, product, slot))
    }

    pub(super) fn healths(&self, product: Option<Word>) -> Vec<u32> {
        self.by_slot(|services, slot| services.health(self.chunk, product, self.moment.month, slot))
    }

    fn by_slot(&self, word: impl Fn(&crate::services::Services, usize) -> Word) -> Vec<u32> {
        let Some(services) = self.services else { return vec![Word::NULL.0; self.slots.len()] };
        (0..self.slots.len()).map(|place| word(services, self.slots.slot(place)).0).collect()
    }

    /// Percent of what was paid over W that new services took; null where nothing was paid.
    pub(super) fn vas_share(&self) -> Numbers {
        let (parts, wholes) = (self.sums(Window::Current, VAS_FEE), self.sums(Window::Current, TOTAL_FEE));
        Numbers::of_wide(parts.iter().zip(wholes.iter()).map(|(part, whole)| {
            // Without a bill the whole is 0.
            (*whole > 0).then(|| (i128::from(*part) * 10_000).div_euclid(i128::from(*whole)))
        }))
    }
}
