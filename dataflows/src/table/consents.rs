//! What customers of a chunk said of one purpose.

use super::column::Bits;
use super::sorted::{Change, Sorted};
use crate::types::{Time, Word};

/// Slot, time, channel.
pub type ConsentKey = (u16, Time, Word);

/// What customers said of one purpose, on every channel.
#[derive(Clone)]
pub struct Consents {
    /// By slot, time and channel: of the latest second that counts, any no is a no.
    pub rows: Sorted<ConsentKey, bool>,
    /// Derived: who consents, over all channels.
    pub given: Bits,
    /// Derived: who consents on each channel that was ever named here.
    channels: Vec<(Word, Bits)>,
    /// Derived: on channels that were not: by what was said of all of them at once.
    others: Bits,
}

impl Default for Consents {
    fn default() -> Self {
        Consents { rows: Sorted::default(), given: Bits::none(), channels: Vec::new(), others: Bits::none() }
    }
}

impl Consents {
    /// Applies changes and decides anew who consents, for the customers they touch. What is said of the channel
    /// `any` is said of all.
    pub fn apply(&mut self, changes: Vec<Change<ConsentKey, bool>>, any: Option<Word>) {
        let mut slots: Vec<u16> = changes.iter().map(|((slot, ..), _)| *slot).collect();
        slots.sort_unstable();
        slots.dedup();
        for ((_, _, channel), _) in &changes {
            if Some(*channel) != any && self.channels.iter().all(|(known, _)| known != channel) {
                self.channels.push((*channel, self.others.clone()));
            }
        }
        self.rows.apply(changes);
        for slot in slots {
            let said = self.rows.range(|(held, ..)| held.cmp(&slot));
            let place = usize::from(slot);
            self.given.set(place, gives(said, |_| true));
            self.others.set(place, gives(said, |channel| Some(channel) == any));
            for (of, given) in &mut self.channels {
                given.set(place, gives(said, |channel| channel == *of || Some(channel) == any));
            }
        }
    }

    /// Who consents on a channel.
    pub fn given_on(&self, channel: Word) -> &Bits {
        self.channels.iter().find(|(known, _)| *known == channel).map_or(&self.others, |(_, given)| given)
    }
}

/// Whether the latest of what counts is a yes. `said` ascends by time.
fn gives(said: &[(ConsentKey, bool)], counts: impl Fn(Word) -> bool) -> bool {
    let mut counted = said.iter().rev().filter(|((_, _, channel), _)| counts(*channel)).peekable();
    let Some(((_, latest, _), _)) = counted.peek().copied() else { return false };
    counted.take_while(|((_, at, _), _)| at == latest).all(|(_, given)| *given)
}
