//! Who is due for which step of a campaign.

use dataflows::records::{Arm, FeedbackKind, Outcome};
use dataflows::table::Chunk;
use dataflows::table::moments::of_slot;
use dataflows::targets::{Progress, after_days, codes};
use dataflows::types::{Time, Word};

use crate::programme::{Condition, Plan};

/// What is to be done with a customer now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// A contact: the step, from 0.
    Step(usize),
    /// To be written down as kept back.
    Withhold,
}

/// What a campaign has to do with the customer in a slot, and his arm; none where nothing is due. `code` is that of his
/// target, without which nothing is.
pub fn due(chunk: &Chunk, slot: usize, campaign: Word, code: u8, plan: &Plan, now: Time) -> Option<(Due, Arm)> {
    let (_, arm) = codes::target(code)?;
    let progress = Progress::of(chunk, slot, campaign);
    if arm == Arm::Control || progress.is_control {
        // Whoever was kept back stays so, whatever the holdout is now.
        return (progress.steps == 0).then_some((Due::Withhold, Arm::Control));
    }
    let step = plan.steps.get(progress.steps)?;
    let Some((at, id)) = progress.last else { return Some((Due::Step(0), arm)) };
    let is_time = now >= after_days(at, step.after_days);
    (is_time && holds(chunk, slot, campaign, step.condition, (at, id))).then_some((Due::Step(progress.steps), arm))
}

/// Whether what must have become of the step before has.
fn holds(chunk: &Chunk, slot: usize, campaign: Word, condition: Condition, (at, id): (Time, Option<&str>)) -> bool {
    let answers = of_slot(&chunk.feedbacks, slot).iter();
    let mut answers = answers.filter(|((_, said, _), feedback)| feedback.campaign == campaign && *said >= at);
    let mut outcomes = of_slot(&chunk.contacts, slot)
        .iter()
        .filter(|((_, seen, own), contact)| contact.campaign == campaign && id.map_or(*seen == at, |id| **own == *id));
    match condition {
        Condition::Always => true,
        Condition::NoResponse => answers.next().is_none(),
        Condition::Opened => answers.any(|(_, feedback)| feedback.kind == FeedbackKind::Open),
        Condition::NotOrdered => !answers.any(|(_, feedback)| feedback.kind == FeedbackKind::Order),
        Condition::Delivered => outcomes.any(|(_, contact)| contact.outcome == Outcome::Delivered),
        Condition::Failed => outcomes.any(|(_, contact)| contact.outcome == Outcome::Failed),
    }
}
