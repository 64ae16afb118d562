//! Drives: what moves a customer (emotion, entertainment, content), by conditions and signs.
//!
//! Reads   the programme's `[[drive]]`, the attributes of a customer
//! Gives   `drive.NAME`, and who has which drive with which sign
//!
//! A drive holds where its `when` is TRUE and at least `at_least` of its signs are. Drives are decided
//! behind the classes and before segments, and may ask for the class and for each other; the programme's
//! checker refuses circles. They are told in the view for whom `tier` has a row.

use std::sync::Arc;

use crate::attributes::Frame;
use crate::programme::Programme;
use crate::rules::Attribute;
use crate::rules::evaluate::{TRUE, evaluate};
use crate::rules::plan::{Plan, plan};
use crate::table::column::{Bits, Slots};
use crate::types::Word;

/// A drive, compiled.
pub struct Drive {
    pub id: Word,
    when: Plan,
    pub signs: Vec<(Word, Plan)>,
    at_least: u8,
}

/// The drives of a programme, each behind those that it asks for. `word` gives the number of a name.
pub fn compile(programme: &Programme, word: &dyn Fn(&str) -> Option<Word>) -> Vec<Drive> {
    let drive = |drive: &crate::programme::Drive| Drive {
        id: word(&drive.id).unwrap_or_default(),
        when: plan(&drive.when, word),
        signs: drive.signs.iter().map(|sign| (word(&sign.id).unwrap_or_default(), plan(&sign.when, word))).collect(),
        at_least: drive.at_least,
    };
    let mut waiting: Vec<&crate::programme::Drive> = programme.drives.iter().collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_free = |asking: &&crate::programme::Drive| {
            asking.rules().all(|rule| {
                let mut is_free = true;
                rule.attributes(&mut |attribute| {
                    if let Attribute::Drive(id) = attribute {
                        is_free &= waiting.iter().all(|other| other.id != *id);
                    }
                });
                is_free
            })
        };
        // The programme's checker refuses circles: one of them is free.
        let place = waiting.iter().position(is_free).unwrap_or(0);
        ordered.push(drive(waiting.remove(place)));
    }
    ordered
}

/// Truths of one drive by place, 0 or 1.
pub struct Truths {
    pub holds: Vec<u8>,
    pub signs: Vec<Vec<u8>>,
}

impl Drive {
    /// Asks it of everybody a frame looks at.
    pub fn ask(&self, frame: &Frame<'_>) -> Truths {
        let ask = |plan: &Plan| -> Vec<u8> {
            evaluate(plan, frame).into_iter().map(|truth| u8::from(truth == TRUE)).collect()
        };
        let mut holds = ask(&self.when);
        let signs: Vec<Vec<u8>> = self.signs.iter().map(|(_, plan)| ask(plan)).collect();
        for (place, holds) in holds.iter_mut().enumerate() {
            let count: u8 = signs.iter().map(|sign| sign[place]).sum();
            *holds &= u8::from(count >= self.at_least);
        }
        Truths { holds, signs }
    }
}

/// Who has a drive, and of them who has each sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Driven {
    pub holds: Bits,
    pub signs: Vec<Bits>,
}

impl Driven {
    fn nobody(drive: &Drive) -> Driven {
        Driven { holds: Bits::none(), signs: vec![Bits::none(); drive.signs.len()] }
    }
}

/// Decides every drive for the selected customers. What others have stands as it was, where the drives
/// are the same as they were.
pub fn decide(drives: &[Drive], frame: &Frame<'_>, slots: &Slots, before: &Arc<Vec<Driven>>) -> Arc<Vec<Driven>> {
    if drives.is_empty() && before.is_empty() {
        return before.clone();
    }
    let is_kept = matches!(slots, Slots::Some(_)) && !before.is_empty();
    let mut decided = if is_kept { Vec::clone(before) } else { drives.iter().map(Driven::nobody).collect() };
    for (drive, driven) in drives.iter().zip(&mut decided) {
        let Some(truths) = frame.drive(drive.id) else { continue };
        set(&mut driven.holds, &truths.holds, slots);
        for (bits, sign) in driven.signs.iter_mut().zip(&truths.signs) {
            let both: Vec<u8> = sign.iter().zip(&truths.holds).map(|(sign, holds)| sign & holds).collect();
            set(bits, &both, slots);
        }
    }
    if decided == **before { before.clone() } else { Arc::new(decided) }
}

/// Sets the bits of the selected slots from bytes of 0 and 1.
fn set(bits: &mut Bits, bytes: &[u8], slots: &Slots) {
    match slots {
        Slots::All => *bits = Bits::of(bytes),
        Slots::Some(slots) => {
            slots.iter().zip(bytes).for_each(|(slot, byte)| bits.set(usize::from(*slot), *byte == 1));
        }
    }
}
