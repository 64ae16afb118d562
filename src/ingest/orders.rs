//! From a row to a record, for what customers ordered here: requests, and what became of them.
//!
//! Decided here, where the contract is silent:
//! - No file brings `order_request`: only what is written here is read back. What whoever provisions answers is a feed
//!   of its own, `provisioning`, whose rows name a request and say that it was opened, or that it failed and why.
//! - A request has an id that this build made: 32 hexadecimal digits.

use dataflows::records::{OrderRequestRow, ProvisioningRow, RequestState, Rows};

use super::extract::{Intern, Named};
use super::feeds::{Context, Record};
use super::fields;
use super::reason::{Bad, Reason};
use super::row::{Row, boxed};

impl Record for OrderRequestRow {
    const KEY: &'static str = "request_id";
    type Key<'a> = (&'a str, RequestState);

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<OrderRequestRow, Bad> {
        let [request, state, customer, product, campaign, channel, at, code, text, by] = row.cells();
        let request_id = request.required(fields::handoff_id)?;
        let state = state.required(|text| fields::named(text, &RequestState::NAMES, &RequestState::ALL))?;
        let (id, product) = (customer.id()?, product.id()?);
        let (campaign, channel) = (campaign.optional_id()?, channel.optional_id()?);
        let at = context.time_not_future(at)?;
        let (code, text, by) = (boxed(code.text()?), boxed(text.text()?), boxed(by.text()?));
        Ok(OrderRequestRow {
            request_id: request_id.into(),
            state,
            customer: context.customer(id),
            product: context.word(product),
            campaign: context.word(campaign),
            channel: context.word(channel),
            at,
            code,
            text,
            by,
        })
    }

    fn key(&self) -> (&str, RequestState) {
        (&self.request_id, self.state)
    }

    fn rows(rows: Vec<OrderRequestRow>) -> Rows {
        Rows::OrderRequest(rows)
    }
}

impl Record for ProvisioningRow {
    const KEY: &'static str = "request_id";
    type Key<'a> = &'a str;

    fn read<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<ProvisioningRow, Bad> {
        let [request, state, code, text, at] = row.cells();
        let request_id = request.required(fields::handoff_id)?;
        if context.intern.is_erased(Named::Request(request_id)) {
            return Err(request.bad(Reason::Erased));
        }
        // What is only asked for is no answer.
        let state = state.required(|text| fields::named(text, &RequestState::NAMES[1..], &RequestState::ALL[1..]))?;
        let (code, text) = (boxed(code.text()?), boxed(text.text()?));
        let at = context.time_not_future(at)?;
        Ok(ProvisioningRow { request_id: request_id.into(), state, code, text, at })
    }

    fn key(&self) -> &str {
        &self.request_id
    }

    fn rows(rows: Vec<ProvisioningRow>) -> Rows {
        Rows::Provisioning(rows)
    }
}
