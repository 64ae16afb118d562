//! The key that a row names: all that is looked at of one that deletes.
//!
//! A key is read as that of a row is, so that what could be no row's is refused and not passed over.

use dataflows::records::{Feed, RowKey};

use super::extract::Intern;
use super::feeds::Context;
use super::reason::{Bad, Reason};
use super::row::Row;

pub(super) fn named<I: Intern + ?Sized>(row: &Row<'_>, context: &mut Context<'_, I>) -> Result<RowKey, Bad> {
    let id = |column: usize| row.cell(column).id();
    Ok(match row.feed() {
        Feed::Customer => RowKey::Customer(context.customer(id(0)?)),
        Feed::Terminal => {
            let (customer, seen_on) = (id(0)?, context.day_not_future(row.cell(1))?);
            RowKey::Terminal(context.customer(customer), seen_on)
        }
        Feed::Bill => {
            let (customer, month) = (id(0)?, context.billed(row.cell(1))?);
            RowKey::Bill(context.customer(customer), month)
        }
        Feed::Usage => {
            let (customer, measure) = (id(0)?, id(2)?);
            let day = context.day_not_future(row.cell(1))?;
            RowKey::Usage(context.customer(customer), day, context.word(measure))
        }
        Feed::Product => RowKey::Product(context.word(id(0)?)),
        Feed::Channel => RowKey::Channel(context.word(id(0)?)),
        Feed::Order => RowKey::Order(id(0)?.into()),
        Feed::MemberEvent => RowKey::MemberEvent(id(0)?.into()),
        Feed::Adjustment => RowKey::Adjustment(id(0)?.into()),
        Feed::Listing => {
            let (list, customer) = (id(0)?, id(1)?);
            RowKey::Listing(context.customer(customer), context.word(list))
        }
        Feed::Consent => {
            let (customer, purpose, channel) = (id(0)?, id(1)?, id(2)?);
            let at = context.time_not_future(row.cell(3))?;
            RowKey::Consent(context.customer(customer), context.word(purpose), context.word(channel), at)
        }
        Feed::Score => {
            let (customer, model) = (id(0)?, id(1)?);
            RowKey::Score(context.customer(customer), context.word(model))
        }
        Feed::Contact => RowKey::Contact(id(0)?.into()),
        Feed::Feedback => RowKey::Feedback(id(0)?.into()),
        Feed::CampaignState | Feed::Handoff | Feed::OrderRequest | Feed::Provisioning => {
            return Err(Bad::row(Reason::NotDeleted));
        }
    })
}
