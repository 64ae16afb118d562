//! Rows of what customers ordered here as columns on disk.

use dataflows::records::{HandoffRow, OrderRequestRow, ProvisioningRow, RequestState};
use dataflows::types::CustomerIx;

use super::campaigns::{listed, time, word};
use super::{below, columns};
use crate::store::codec::{Damaged, Reader, Writer};
use crate::store::dictionary::Extent;

pub fn write_requests(rows: &[OrderRequestRow], writer: &mut Writer) {
    writer.texts(rows.iter().map(|row| Some(&*row.request_id)));
    writer.column(rows.iter().map(|row| row.state as i64));
    writer.column(rows.iter().map(|row| i64::from(row.customer.0)));
    writer.column(rows.iter().map(|row| i64::from(row.product.0)));
    writer.column(rows.iter().map(|row| i64::from(row.campaign.0)));
    writer.column(rows.iter().map(|row| i64::from(row.channel.0)));
    writer.column(rows.iter().map(|row| row.at.0));
    writer.texts(rows.iter().map(|row| row.code.as_deref()));
    writer.texts(rows.iter().map(|row| row.text.as_deref()));
    writer.texts(rows.iter().map(|row| row.by.as_deref()));
}

pub fn read_requests(count: usize, names: Extent, reader: &mut Reader<'_>) -> Result<Vec<OrderRequestRow>, Damaged> {
    let request_id = reader.texts(count)?;
    let [state, customer, product, campaign, channel, at_second] = columns(reader, count)?;
    let (code, text, by) = (reader.texts(count)?, reader.texts(count)?, reader.texts(count)?);
    let row = |at: usize| {
        Ok(OrderRequestRow {
            request_id: id(request_id[at])?,
            state: listed(state[at], &RequestState::ALL)?,
            customer: CustomerIx(below(customer[at], names.customers)?),
            product: word(product[at], names)?,
            campaign: word(campaign[at], names)?,
            channel: word(channel[at], names)?,
            at: time(at_second[at])?,
            code: code[at].map(Box::from),
            text: text[at].map(Box::from),
            by: by[at].map(Box::from),
        })
    };
    (0..count).map(row).collect()
}

pub fn write_provisioning(rows: &[ProvisioningRow], writer: &mut Writer) {
    writer.texts(rows.iter().map(|row| Some(&*row.request_id)));
    writer.column(rows.iter().map(|row| row.state as i64));
    writer.texts(rows.iter().map(|row| row.code.as_deref()));
    writer.texts(rows.iter().map(|row| row.text.as_deref()));
    writer.column(rows.iter().map(|row| row.at.0));
}

pub fn read_provisioning(count: usize, reader: &mut Reader<'_>) -> Result<Vec<ProvisioningRow>, Damaged> {
    let request_id = reader.texts(count)?;
    let [state] = columns(reader, count)?;
    let (code, text) = (reader.texts(count)?, reader.texts(count)?);
    let [at_second] = columns(reader, count)?;
    let row = |at: usize| {
        Ok(ProvisioningRow {
            request_id: id(request_id[at])?,
            state: listed(state[at], &RequestState::ALL)?,
            code: code[at].map(Box::from),
            text: text[at].map(Box::from),
            at: time(at_second[at])?,
        })
    };
    (0..count).map(row).collect()
}

/// The inputs know a request by the bytes that its id spells.
fn id(text: Option<&str>) -> Result<Box<str>, Damaged> {
    let text = text.filter(|id| HandoffRow::digest(id).is_some());
    text.map(Box::from).ok_or(Damaged("an order request has no id that was made here"))
}
