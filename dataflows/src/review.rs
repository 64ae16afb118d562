//! Review of a campaign: what each clause of its audience was good for.
//!
//! Reads   a chunk: contacts, hand-offs, feedback, and what rules find now
//! Gives   for each clause, of whom the campaign reached: those inside and outside it, and who of them ordered
//!
//! ```text
//! reached, succeeded (as effect_rate has them) ─┐
//! clause, TRUE or not, of each who was reached ─┴─► four numbers a clause
//! ```
//!
//! Decided here, where the contract is silent:
//! - Clauses are the conditions that an audience joins by `and`, by `or` or counts by `at_least`, at its top; of any other
//!   audience there is one, itself.
//! - Reached is who was delivered to in the target or the random arm; the random arm is who was outside the audience. Both
//!   arms are taken together, whoever was in both once, and a success in either is one.
//! - A clause is asked as of now, not as of the contact: what customers were then is not kept.

use crate::effects::Rated;
use crate::effects::life::{Life, Scratch};
use crate::reader::Reader;
use crate::records::Arm;
use crate::rules::Expr;
use crate::rules::evaluate::{TRUE, evaluate};
use crate::rules::plan::Plan;
use crate::table::Chunk;
use crate::table::column::Slots;
use crate::types::Word;
use crate::views::Change;

/// Customers who were reached inside a clause and outside it, and who of them ordered.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Reviewed {
    pub inside: i64,
    pub inside_successes: i64,
    pub outside: i64,
    pub outside_successes: i64,
}

impl Reviewed {
    /// Adds those of another part.
    pub fn merge(&mut self, other: Reviewed) {
        self.inside += other.inside;
        self.inside_successes += other.inside_successes;
        self.outside += other.outside;
        self.outside_successes += other.outside_successes;
    }
}

/// The clauses of an audience.
pub fn clauses(audience: &Expr) -> &[Expr] {
    match audience {
        Expr::And(clauses) | Expr::Or(clauses) | Expr::AtLeast(_, clauses) => clauses,
        single => std::slice::from_ref(single),
    }
}

/// Adds the customers of a chunk to what is known of a campaign's clauses, which are in their order.
pub fn add(reader: &Reader, chunk: &Chunk, campaign: Word, clauses: &[Plan], reviewed: &mut [Reviewed]) {
    let mut contacted: Vec<u16> = chunk.contacts.rows().iter().map(|((slot, ..), _)| *slot).collect();
    contacted.dedup();
    let (mut scratch, mut slots, mut succeeded) = (Scratch::default(), Vec::new(), Vec::new());
    for slot in contacted {
        let (mut is_reached, mut has_ordered) = (false, false);
        Life::of(chunk, usize::from(slot)).count(Some(&[campaign]), &mut scratch, &mut |cell| {
            if let Change::EffectRate { arm: Arm::Target | Arm::Random, what, .. } = cell {
                is_reached |= what == Rated::Reached;
                has_ordered |= what == Rated::Succeeded;
            }
        });
        if is_reached {
            slots.push(slot);
            succeeded.push(has_ordered);
        }
    }
    if slots.is_empty() {
        return;
    }
    let slots = Slots::Some(slots);
    let frame = reader.frame(chunk, &slots);
    for (plan, reviewed) in clauses.iter().zip(reviewed) {
        for (truth, has_ordered) in evaluate(plan, &frame).into_iter().zip(&succeeded) {
            let (reached, successes) = match truth == TRUE {
                true => (&mut reviewed.inside, &mut reviewed.inside_successes),
                false => (&mut reviewed.outside, &mut reviewed.outside_successes),
            };
            *reached += 1;
            *successes += i64::from(*has_ordered);
        }
    }
}
