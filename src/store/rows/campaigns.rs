//! Rows of the feeds of campaigns as columns on disk.

use dataflows::records::{
    AMOUNT_MAX, Arm, CampaignStateRow, Contact, ContactRow, Feedback, FeedbackKind, FeedbackRow, Handoff, HandoffRow,
    ID_BYTES_MAX, Outcome, State,
};

use dataflows::types::{CustomerIx, Time, Word};

use super::{ABSENT, TIME_MAX, TIME_MIN, below, columns, present, within};
use crate::store::codec::{Damaged, Reader, Writer};
use crate::store::dictionary::Extent;

pub fn write_contacts(rows: &[ContactRow], writer: &mut Writer) {
    writer.texts(rows.iter().map(|row| Some(&*row.contact_id)));
    writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
    writer.column(rows.iter().map(|row| row.at.0));
    writer.column(rows.iter().map(|row| i64::from(row.contact.campaign.0)));
    writer.column(rows.iter().map(|row| i64::from(row.contact.channel.0)));
    writer.column(rows.iter().map(|row| row.contact.outcome as i64));
    writer.column(rows.iter().map(|row| row.contact.arm as i64));
}

pub fn read_contacts(count: usize, names: Extent, reader: &mut Reader<'_>) -> Result<Vec<ContactRow>, Damaged> {
    let contact_id = reader.texts(count)?;
    let [customer, at_second, campaign, channel, outcome, arm] = columns(reader, count)?;
    let row = |at: usize| {
        Ok(ContactRow {
            contact_id: id(contact_id[at])?,
            customer: CustomerIx(below(customer[at], names.customers)?),
            at: time(at_second[at])?,
            contact: Contact {
                campaign: word(campaign[at], names)?,
                channel: word(channel[at], names)?,
                outcome: listed(outcome[at], &Outcome::ALL)?,
                arm: listed(arm[at], &Arm::ALL)?,
            },
        })
    };
    (0..count).map(row).collect()
}

pub fn write_feedback(rows: &[FeedbackRow], writer: &mut Writer) {
    writer.texts(rows.iter().map(|row| Some(&*row.feedback_id)));
    writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
    writer.column(rows.iter().map(|row| row.at.0));
    writer.column(rows.iter().map(|row| i64::from(row.feedback.campaign.0)));
    writer.column(rows.iter().map(|row| row.feedback.kind as i64));
    writer.column(rows.iter().map(|row| i64::from(row.feedback.channel.0)));
    writer.column(rows.iter().map(|row| i64::from(row.feedback.product.0)));
    writer.optional_column(rows.iter().map(|row| row.feedback.amount), ABSENT);
    writer.optional_column(rows.iter().map(|row| row.feedback.value), ABSENT);
    writer.column(rows.iter().map(|row| i64::from(row.feedback.reason.0)));
}

pub fn read_feedback(count: usize, names: Extent, reader: &mut Reader<'_>) -> Result<Vec<FeedbackRow>, Damaged> {
    let feedback_id = reader.texts(count)?;
    let [customer, at_second, campaign, kind, channel, product, amount, value, reason] = columns(reader, count)?;
    let row = |at: usize| {
        Ok(FeedbackRow {
            feedback_id: id(feedback_id[at])?,
            customer: CustomerIx(below(customer[at], names.customers)?),
            at: time(at_second[at])?,
            feedback: Feedback {
                campaign: word(campaign[at], names)?,
                kind: listed(kind[at], &FeedbackKind::ALL)?,
                channel: word(channel[at], names)?,
                product: word(product[at], names)?,
                amount: present(amount[at], -AMOUNT_MAX, AMOUNT_MAX)?,
                value: present(value[at], -AMOUNT_MAX, AMOUNT_MAX)?,
                reason: word(reason[at], names)?,
            },
        })
    };
    (0..count).map(row).collect()
}

pub fn write_states(rows: &[CampaignStateRow], writer: &mut Writer) {
    writer.texts(rows.iter().map(|row| Some(&*row.change_id)));
    writer.column(rows.iter().map(|row| i64::from(row.campaign.0)));
    writer.column(rows.iter().map(|row| row.state as i64));
    writer.column(rows.iter().map(|row| i64::from(row.city.0)));
    writer.column(rows.iter().map(|row| row.at.0));
    writer.texts(rows.iter().map(|row| Some(&*row.by)));
    writer.texts(rows.iter().map(|row| row.note.as_deref()));
}

pub fn read_states(count: usize, names: Extent, reader: &mut Reader<'_>) -> Result<Vec<CampaignStateRow>, Damaged> {
    let change_id = reader.texts(count)?;
    let [campaign, state, city, at_second] = columns(reader, count)?;
    let (by, note) = (reader.texts(count)?, reader.texts(count)?);
    let row = |at: usize| {
        Ok(CampaignStateRow {
            change_id: id(change_id[at])?,
            campaign: word(campaign[at], names)?,
            state: listed(state[at], &State::ALL)?.0,
            city: word(city[at], names)?,
            at: time(at_second[at])?,
            by: by[at].ok_or(Damaged("a change of a campaign is nobody's"))?.into(),
            note: note[at].map(Box::from),
        })
    };
    (0..count).map(row).collect()
}

pub fn write_handoffs(rows: &[HandoffRow], writer: &mut Writer) {
    writer.texts(rows.iter().map(|row| Some(&*row.contact_id)));
    writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
    writer.column(rows.iter().map(|row| row.at.0));
    writer.column(rows.iter().map(|row| i64::from(row.handoff.campaign.0)));
    writer.column(rows.iter().map(|row| i64::from(row.handoff.step)));
    writer.column(rows.iter().map(|row| i64::from(row.handoff.channel.0)));
    writer.column(rows.iter().map(|row| row.handoff.arm as i64));
    writer.column(rows.iter().map(|row| row.handoff.cost));
}

pub fn read_handoffs(count: usize, names: Extent, reader: &mut Reader<'_>) -> Result<Vec<HandoffRow>, Damaged> {
    let contact_id = reader.texts(count)?;
    let [customer, at_second, campaign, step, channel, arm, cost] = columns(reader, count)?;
    let row = |at: usize| {
        // The inputs know it by the bytes that it spells.
        let contact_id = contact_id[at].filter(|id| HandoffRow::digest(id).is_some());
        Ok(HandoffRow {
            contact_id: contact_id.ok_or(Damaged("a hand-off has no id that was made here"))?.into(),
            customer: CustomerIx(below(customer[at], names.customers)?),
            at: time(at_second[at])?,
            handoff: Handoff {
                campaign: word(campaign[at], names)?,
                step: within(step[at], 0, i64::from(u8::MAX))? as u8,
                channel: word(channel[at], names)?,
                arm: listed(arm[at], &Arm::ALL)?,
                cost: within(cost[at], -AMOUNT_MAX, AMOUNT_MAX)?,
            },
        })
    };
    (0..count).map(row).collect()
}

fn id(text: Option<&str>) -> Result<Box<str>, Damaged> {
    let text = text.filter(|text| text.len() <= ID_BYTES_MAX);
    text.map(Box::from).ok_or(Damaged("a row has no id, or none of that length"))
}

pub(super) fn time(second: i64) -> Result<Time, Damaged> {
    within(second, TIME_MIN, TIME_MAX).map(Time)
}

pub(super) fn word(number: i64, names: Extent) -> Result<Word, Damaged> {
    below(number, names.words).map(Word)
}

pub(super) fn listed<T: Copy>(number: i64, values: &[T]) -> Result<T, Damaged> {
    let place = usize::try_from(number).ok();
    place.and_then(|place| values.get(place)).copied().ok_or(Damaged("a value is none of its set"))
}
