//! From a row to a record, for the feeds of campaigns: contacts and what came back of them, how far campaigns
//! have come, hand-offs.
//!
//! Decided here, where the contract is silent:
//! - What an order brought (`amount`) may be negative, as fees may; `value` may be too, and is bounded as money is.
//! - The reason of a feedback is a word: complaints have few, whatever their text.
//! - Files may bring `campaign_state`, with who changed what, when; they may not bring `handoff`, which only what is
//!   written here reads back (see [`super::names`]). A hand-off has an id that this build made: 32 hexadecimal digits.

use dataflows::records::{
    Arm, CampaignStateRow, Contact, ContactRow, Feedback, FeedbackKind, FeedbackRow, Handoff, HandoffRow, Outcome, Rows,
};

use super::extract::Intern;
use super::feeds::{Context, Record};
use super::fields;
use super::reason::Bad;
use super::row::Row;

impl Record for ContactRow {
    const KEY: &'static str = "contact_id";
    type Key<'a> = &'a str;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<ContactRow, Bad> {
        let [contact, campaign, customer, channel, at, outcome, arm] = row.cells();
        let (contact_id, campaign, id, channel) = (contact.id()?, campaign.id()?, customer.id()?, channel.id()?);
        let at = context.time_not_future(at)?;
        let outcome = outcome.required(|text| fields::named(text, &Outcome::NAMES, &Outcome::ALL))?;
        let arm = arm.optional(|text| fields::named(text, &Arm::NAMES, &Arm::ALL))?.unwrap_or_default();
        Ok(ContactRow {
            contact_id: contact_id.into(),
            customer: context.customer(id),
            at,
            contact: Contact { campaign: context.word(campaign), channel: context.word(channel), outcome, arm },
        })
    }

    fn key(&self) -> &str {
        &self.contact_id
    }

    fn rows(rows: Vec<ContactRow>) -> Rows {
        Rows::Contact(rows)
    }
}

impl Record for FeedbackRow {
    const KEY: &'static str = "feedback_id";
    type Key<'a> = &'a str;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<FeedbackRow, Bad> {
        let [feedback, campaign, customer, kind, at, channel, product, amount, reason, value] = row.cells();
        let (feedback_id, campaign, id) = (feedback.id()?, campaign.id()?, customer.id()?);
        let kind = kind.required(|text| fields::named(text, &FeedbackKind::NAMES, &FeedbackKind::ALL))?;
        let at = context.time_not_future(at)?;
        let (channel, product) = (channel.optional_id()?, product.optional_id()?);
        let amount = amount.optional(fields::money)?;
        let reason = reason.words()?;
        let value = value.optional(fields::money)?;
        Ok(FeedbackRow {
            feedback_id: feedback_id.into(),
            customer: context.customer(id),
            at,
            feedback: Feedback {
                campaign: context.word(campaign),
                kind,
                channel: context.word(channel),
                product: context.word(product),
                amount,
                value,
                reason: context.word(reason.as_deref().unwrap_or_default()),
            },
        })
    }

    fn key(&self) -> &str {
        &self.feedback_id
    }

    fn rows(rows: Vec<FeedbackRow>) -> Rows {
        Rows::Feedback(rows)
    }
}

impl Record for CampaignStateRow {
    const KEY: &'static str = "change_id";
    type Key<'a> = &'a str;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<CampaignStateRow, Bad> {
        let [change, campaign, state, city, at, by, note] = row.cells();
        let (change_id, campaign) = (change.id()?, campaign.id()?);
        let state = state.required(fields::state)?;
        let city = city.text()?;
        let at = context.time_not_future(at)?;
        let by = by.id()?;
        let note = note.words()?;
        Ok(CampaignStateRow {
            change_id: change_id.into(),
            campaign: context.word(campaign),
            state,
            city: context.word(city),
            at,
            by: by.into(),
            note,
        })
    }

    fn key(&self) -> &str {
        &self.change_id
    }

    fn rows(rows: Vec<CampaignStateRow>) -> Rows {
        Rows::CampaignState(rows)
    }
}

impl Record for HandoffRow {
    const KEY: &'static str = "contact_id";
    type Key<'a> = &'a str;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<HandoffRow, Bad> {
        let [contact, campaign, step, customer, channel, at, arm, cost] = row.cells();
        let contact_id = contact.required(fields::handoff_id)?;
        let (campaign, id, channel) = (campaign.id()?, customer.id()?, channel.id()?);
        let step = step.required(fields::step)?;
        let at = context.time_not_future(at)?;
        let arm = arm.required(|text| fields::named(text, &Arm::NAMES, &Arm::ALL))?;
        let cost = cost.required(fields::money)?;
        Ok(HandoffRow {
            contact_id: contact_id.into(),
            customer: context.customer(id),
            at,
            handoff: Handoff { campaign: context.word(campaign), step, channel: context.word(channel), arm, cost },
        })
    }

    fn key(&self) -> &str {
        &self.contact_id
    }

    fn rows(rows: Vec<HandoffRow>) -> Rows {
        Rows::Handoff(rows)
    }
}
